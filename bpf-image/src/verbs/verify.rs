//! `verify`: who signed an image, and whether that suffices.

use std::path::PathBuf;

use bpf_image_signing::{Policy, PublicKey, Refusal, Requested};
use bpf_image_spec::Reference;

use super::VerbError;
use crate::pipeline::{self, Resolved, Verified};
use crate::registry::Access;
use crate::repository::Repository;

/// What a signature is judged by.
#[derive(Debug)]
pub enum Trust {
    /// One public key.
    Key(PublicKey),
    /// A policy file.
    Policy(PathBuf),
}

/// What to verify.
#[derive(Debug)]
pub struct VerifyRequest {
    /// The image.
    pub reference: Reference,
    /// What to trust.
    pub trust: Trust,
    /// How to reach registries.
    pub access: Access,
}

/// An image that is signed as it should be.
#[derive(Debug)]
pub struct VerifyResponse {
    /// Who signed which digest, and what became of each candidate.
    pub verified: Verified,
    /// With a key: text of a policy file that trusts it for this image's repository.
    pub policy: Option<String>,
}

/// Verifies an image, by the very stages that the loader goes through.
pub async fn verify(request: &VerifyRequest) -> Result<VerifyResponse, VerbError> {
    match &request.trust {
        Trust::Policy(path) => {
            let policy = pipeline::read_policy(path)?;
            admit(&request.reference, &policy)?;
            let (repository, resolved) = resolve(request).await?;
            let verified = pipeline::verify(&repository, resolved, &policy).await?;
            Ok(VerifyResponse { verified, policy: None })
        }
        Trust::Key(key) => {
            let (repository, resolved) = resolve(request).await?;
            let policy = Policy::scaffold(&resolved.requested().to_string(), key)?;
            let verified = pipeline::verify_with_key(&repository, resolved, key).await?;
            Ok(VerifyResponse { verified, policy: Some(policy) })
        }
    }
}

/// A policy that cannot match refuses before the network is asked.
fn admit(reference: &Reference, policy: &Policy) -> Result<(), Refusal> {
    match (reference, pipeline::admit(reference, policy)) {
        (Reference::Registry(registry), Err(_)) => {
            Err(Refusal::NoScope { requested: Requested::registry(registry).to_string() })
        }
        // Layouts are judged by their resolved path, in the verdict.
        _ => Ok(()),
    }
}

async fn resolve(request: &VerifyRequest) -> Result<(Repository, Resolved), VerbError> {
    let repository = Repository::open(&request.reference, &request.access)?;
    let resolved = pipeline::resolve(&repository, &request.reference).await?;
    Ok((repository, resolved))
}
