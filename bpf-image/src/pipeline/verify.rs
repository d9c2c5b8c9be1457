//! Resolved → verified: who signed the digest, and does the policy accept it.

use bpf_image_signing::PublicKey;
use bpf_image_signing::policy::Policy;
use bpf_image_signing::verify::{Candidate, Refusal, Verdict, judge};

use super::candidates::candidates_until;
use super::{Resolved, candidates};
use crate::repository::{Repository, RepositoryError};

/// A manifest or index whose digest the policy accepts.
#[derive(Debug)]
pub struct Verified {
    resolved: Resolved,
    verdict: Verdict,
}

/// Why an image is not verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Its signatures could not be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// They do not suffice.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Verified {
    /// What was resolved.
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Who signed, and by which scope that counts.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

/// Judges what `repository` has for `resolved` by `policy`; every signature, so that all can be
/// told of.
pub async fn verify(
    repository: &Repository,
    resolved: Resolved,
    policy: &Policy,
) -> Result<Verified, VerifyError> {
    let found = candidates(repository, resolved.digest()).await?;
    let verdict = judge(policy, resolved.requested(), resolved.digest(), &found)?;
    Ok(Verified { resolved, verdict })
}

/// The same judgement, looking no further than it takes to accept: one more signature never takes
/// away from what counts, and those that are not fetched need not be waited for.
pub async fn verify_enough(
    repository: &Repository,
    resolved: Resolved,
    policy: &Policy,
) -> Result<Verified, VerifyError> {
    let (requested, digest) = (resolved.requested(), resolved.digest());
    let suffice = |found: &[Candidate]| judge(policy, requested, digest, found).is_ok();
    let found = candidates_until(repository, digest, suffice).await?;
    let verdict = judge(policy, requested, digest, &found)?;
    Ok(Verified { resolved, verdict })
}

/// Judges by one key, the same way, with no policy.
pub async fn verify_with_key(
    repository: &Repository,
    resolved: Resolved,
    key: &PublicKey,
) -> Result<Verified, VerifyError> {
    let found = candidates(repository, resolved.digest()).await?;
    let verdict = bpf_image_signing::verify::verify_with_key(
        key,
        resolved.requested(),
        resolved.digest(),
        &found,
    )?;
    Ok(Verified { resolved, verdict })
}
