//! `sign`: signatures for an image, stored beside it in both formats that verifiers read.
//!
//! An index is signed together with its manifests, since skopeo and CRI-O look only at the
//! platform's. Signing again with the same key and the same words adds nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bpf_image_signing::{Claims, KeyId, PrivateKey, PublicKey, bundle, legacy};
use bpf_image_spec::oci::{Annotations, Descriptor, Document, Manifest};
use bpf_image_spec::{Digest, Reference, media_type};
use serde_json::json;

use super::VerbError;
use super::copy::{children, is_of_image};
use crate::pipeline;
use crate::registry::Access;
use crate::repository::{Repository, RepositoryError, companion_tag};

/// How often the signatures' manifest is written anew when others write it at the same time.
const ATTEMPTS: usize = 4;
/// Signatures that a manifest may have in one storage when one is added. Verifiers look at far
/// fewer; more than these could not be told from junk here either.
const SIGNATURES_MAX: usize = 256;

/// What to sign.
#[derive(Debug)]
pub struct SignRequest {
    /// The image.
    pub reference: Reference,
    /// The key.
    pub key: PrivateKey,
    /// Annotations to sign along.
    pub annotations: BTreeMap<String, String>,
    /// How to reach registries.
    pub access: Access,
}

/// What was signed.
#[derive(Debug)]
pub struct SignResponse {
    /// The digest that the reference named.
    pub digest: Digest,
    /// Every digest signed, that of an index last.
    pub signed: Vec<Signed>,
    /// The key.
    pub key: KeyId,
    /// The repository that the signatures count for; `None`: they name none.
    pub repository: Option<String>,
}

/// One manifest's signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// The manifest.
    pub digest: Digest,
    /// Whether they were there before, so that nothing was written.
    pub already: bool,
}

/// Reads a private key file.
pub fn read_private_key(path: &Path, password: &[u8]) -> Result<PrivateKey, VerbError> {
    let bytes = read_key_file(path)?;
    PrivateKey::from_pem(&bytes, password)
        .map_err(|source| VerbError::KeyFile { path: path.to_path_buf(), source })
}

/// Reads a public key file.
pub fn read_public_key(path: &Path) -> Result<PublicKey, VerbError> {
    let bytes = read_key_file(path)?;
    PublicKey::from_pem(&bytes)
        .map_err(|source| VerbError::KeyFile { path: path.to_path_buf(), source })
}

fn read_key_file(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, VerbError> {
    use std::io::Read as _;
    /// Keys have some hundred bytes; a device or a log does not pass for one.
    const KEY_FILE_MAX: u64 = 64 * 1024;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    std::fs::File::open(path)
        .and_then(|file| file.take(KEY_FILE_MAX).read_to_end(&mut bytes))
        .map_err(|source| VerbError::Read { path: PathBuf::from(path), source })?;
    Ok(bytes)
}

/// Signs an image and what its index lists.
pub async fn sign(request: &SignRequest) -> Result<SignResponse, VerbError> {
    // A layout has to be there, with the image in it; a registry has to let us write.
    let repository = match request.reference {
        Reference::Layout(_) => Repository::open(&request.reference, &request.access)?,
        Reference::Registry(_) => Repository::create(&request.reference, &request.access)?,
    };
    let resolved = pipeline::resolve(&repository, &request.reference).await?;
    // Bytes that no client could use are not vouched for.
    let mut subjects = children(&request.reference, resolved.root())?;
    subjects.push(resolved.root().descriptor());
    let signer = Signer { repository, key: &request.key };
    let mut done = Vec::new();
    let mut named = None;
    for subject in subjects {
        let claims = claims(request, &resolved, subject.digest)?;
        named = claims.repository().map(str::to_owned);
        let already = signer.sign(&subject, &claims).await?;
        done.push(Signed { digest: subject.digest, already });
    }
    Ok(SignResponse {
        digest: resolved.digest(),
        signed: done,
        key: request.key.public_key().id(),
        repository: named,
    })
}

fn claims(
    request: &SignRequest,
    resolved: &pipeline::Resolved,
    digest: Digest,
) -> Result<Claims, VerbError> {
    let mut claims = Claims::new(digest);
    match (&request.reference, resolved.root().origin()) {
        (Reference::Registry(reference), _) => claims = claims.in_repository(reference),
        (Reference::Layout(_), Some(origin)) => claims = claims.in_repository(origin),
        (Reference::Layout(_), None) => {}
    }
    for (key, value) in &request.annotations {
        claims = claims.annotate(key, value)?;
    }
    Ok(claims)
}

struct Signer<'a> {
    repository: Repository,
    key: &'a PrivateKey,
}

impl Signer<'_> {
    /// Signs one manifest; true when it was signed just so before.
    async fn sign(&self, subject: &Descriptor, claims: &Claims) -> Result<bool, VerbError> {
        let new = legacy::sign(self.key, claims)?;
        // Both are looked at before either is written: an image that takes no more signatures is
        // to stay as it is.
        let has_legacy = self.has_legacy(subject.digest, &new).await?;
        let has_bundle = self.has_bundle(subject.digest, claims).await?;
        if !has_bundle {
            // A bundle has no tag to race for, so it goes first.
            self.put_bundle(subject, &bundle::sign(self.key, claims)?).await?;
        }
        if !has_legacy {
            self.put_legacy(subject.digest, &new).await?;
        }
        Ok(has_legacy && has_bundle)
    }

    /// Whether the key has signed just these words, in whichever layer. What verifiers would look
    /// at does not matter here: else, each signing would add another layer beyond that.
    async fn has_legacy(
        &self,
        subject: Digest,
        new: &legacy::LegacySignature,
    ) -> Result<bool, VerbError> {
        let payload = Digest::of(&new.payload);
        let layers = self.legacy_layers(subject).await?;
        let same = layers.iter().filter(|layer| layer.digest == payload);
        let mut by_key = same.filter(|layer| {
            pipeline::legacy_signature(layer).is_some_and(|signature| {
                legacy::is_by(self.key.public_key(), &new.payload, signature)
            })
        });
        // Listed is not there: a registry may have lost the blob.
        match by_key.next_back() {
            Some(layer) => {
                let there = self.repository.blob(layer, new.payload.len() as u64).await;
                Ok(unless_broken(there)?.is_some())
            }
            None if layers.len() < SIGNATURES_MAX => Ok(false),
            None => Err(too_many(subject, "legacy signatures")),
        }
    }

    async fn has_bundle(&self, subject: Digest, claims: &Claims) -> Result<bool, VerbError> {
        let referrers = self.repository.referrers(subject, SIGNATURES_MAX).await?;
        let full = referrers.len() >= SIGNATURES_MAX;
        let bundles = referrers.iter().filter(|referrer| {
            let listed_as = referrer.artifact_type.as_deref();
            matches!(listed_as, None | Some(media_type::SIGSTORE_BUNDLE | media_type::OCI_EMPTY))
        });
        for referrer in bundles {
            let found = pipeline::bundle(&self.repository, subject, referrer).await;
            let said = unless_broken(found)?.flatten();
            let said = said.and_then(|bytes| bundle::verify(self.key.public_key(), &bytes).ok());
            if said.as_ref() == Some(claims) {
                return Ok(true);
            }
        }
        if full { Err(too_many(subject, "referrers")) } else { Ok(false) }
    }

    /// A referrer of the subject, as cosign 3 stores it.
    async fn put_bundle(&self, subject: &Descriptor, bundle: &[u8]) -> Result<(), VerbError> {
        let layer = self.repository.put_blob(media_type::SIGSTORE_BUNDLE, bundle).await?;
        let config = self.repository.put_blob(media_type::OCI_EMPTY, b"{}").await?;
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(media_type::OCI_MANIFEST.to_owned()),
            artifact_type: Some(media_type::SIGSTORE_BUNDLE.to_owned()),
            config,
            layers: vec![layer],
            subject: Some(Descriptor {
                platform: None,
                artifact_type: None,
                annotations: Annotations::new(),
                ..subject.clone()
            }),
            annotations: bundle::REFERRER_ANNOTATIONS
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        };
        self.repository.put_referrer(&manifest.to_json()).await?;
        Ok(())
    }

    /// A layer of the `.sig` manifest, beside those of other signers. The tag has no lock, so it
    /// is read again after each write.
    async fn put_legacy(
        &self,
        subject: Digest,
        signature: &legacy::LegacySignature,
    ) -> Result<(), VerbError> {
        let tag = companion_tag(subject, "sig");
        let layer = Descriptor {
            annotations: Annotations::from([(
                legacy::SIGNATURE_ANNOTATION.to_owned(),
                signature.signature.clone(),
            )]),
            ..self.repository.put_blob(media_type::SIMPLE_SIGNING, &signature.payload).await?
        };
        for _ in 0..ATTEMPTS {
            let mut layers = self.legacy_layers(subject).await?;
            if layers.contains(&layer) {
                return Ok(());
            }
            if layers.len() >= SIGNATURES_MAX {
                return Err(too_many(subject, "legacy signatures"));
            }
            layers.push(layer.clone());
            let config = self
                .repository
                .put_blob(media_type::OCI_IMAGE_CONFIG, &legacy_config(&layers))
                .await?;
            let manifest = Manifest {
                schema_version: 2,
                media_type: Some(media_type::OCI_MANIFEST.to_owned()),
                artifact_type: None,
                config,
                layers,
                subject: None,
                annotations: Annotations::new(),
            };
            let bytes = manifest.to_json();
            self.repository.put_manifest(media_type::OCI_MANIFEST, &bytes, Some(&tag)).await?;
        }
        if self.legacy_layers(subject).await?.contains(&layer) {
            Ok(())
        } else {
            Err(VerbError::SignatureRace { digest: subject })
        }
    }

    /// The layers under the tag of legacy signatures, which are never replaced, only added to.
    async fn legacy_layers(&self, subject: Digest) -> Result<Vec<Descriptor>, VerbError> {
        let tag = companion_tag(subject, "sig");
        let Some(fetched) = self.repository.tagged(&tag).await? else {
            return Ok(Vec::new());
        };
        match fetched.document() {
            Ok(Document::Manifest(manifest)) => Ok(manifest.layers),
            _ => Err(VerbError::NotSignatures { place: self.repository.scope(), tag }),
        }
    }
}

/// Nothing where the bytes are broken or gone, which is no signature to anybody.
fn unless_broken<T>(found: Result<T, RepositoryError>) -> Result<Option<T>, RepositoryError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_of_image(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn too_many(digest: Digest, what: &'static str) -> VerbError {
    VerbError::TooManySignatures { digest, what, max: SIGNATURES_MAX }
}

/// The container config that cosign gives a `.sig` manifest: registries of images want one.
fn legacy_config(layers: &[Descriptor]) -> Vec<u8> {
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer.digest.to_string()).collect();
    json!({
        "architecture": "",
        "created": "0001-01-01T00:00:00Z",
        "os": "",
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
        "config": {}
    })
    .to_string()
    .into_bytes()
}
