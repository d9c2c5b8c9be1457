//! Signatures as they lie in a repository, in both storage formats, trusted in nothing.
//!
//! Referrers are listed unfiltered and told by their layer's media type: on registries without
//! the referrers API cosign 3 lists its bundles with the empty artifact type.

use bpf_image_signing::verify::{Candidate, CandidateForm, MAX_CANDIDATE_BYTES, MAX_CANDIDATES};
use bpf_image_spec::oci::{Descriptor, Document, Manifest};
use bpf_image_spec::{Digest, media_type};
use tracing::debug;

use crate::repository::{Repository, RepositoryError};

/// Annotation of a legacy layer: the signature in base64.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// Largest manifest of a signature, in bytes; cosign's have under 2 KiB.
const SIGNATURE_MANIFEST_MAX: usize = 256 * 1024;

/// How many referrers are listed. Each costs a request, so junk is bounded as well as signatures.
const REFERRERS_MAX: usize = 4 * MAX_CANDIDATES;

/// Every candidate signature for `subject`, at most [`MAX_CANDIDATES`] of them.
///
/// A candidate that cannot be fetched is left out and never aborts the others: absence fails
/// closed. Only a repository that cannot be asked at all is an error.
pub async fn candidates(
    repository: &Repository,
    subject: Digest,
) -> Result<Vec<Candidate>, RepositoryError> {
    let (legacy, bundles) = match repository {
        // A directory has no latency to hide.
        Repository::Layout(_) => {
            (legacy(repository, subject).await?, bundles(repository, subject).await?)
        }
        Repository::Registry(_) => {
            let (legacy, bundles) =
                tokio::join!(legacy(repository, subject), bundles(repository, subject));
            (legacy?, bundles?)
        }
    };
    let mut all = legacy;
    all.extend(bundles);
    all.truncate(MAX_CANDIDATES);
    Ok(all)
}

/// The tag under which cosign keeps legacy signatures of `subject`.
pub(crate) fn legacy_tag(subject: Digest) -> String {
    format!("sha256-{}.sig", subject.hex())
}

async fn legacy(
    repository: &Repository,
    subject: Digest,
) -> Result<Vec<Candidate>, RepositoryError> {
    let tag = legacy_tag(subject);
    let Some(fetched) = repository.tagged(&tag).await? else { return Ok(Vec::new()) };
    let Ok(Document::Manifest(manifest)) = fetched.document() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (position, layer) in manifest.layers.iter().enumerate() {
        if found.len() == MAX_CANDIDATES {
            break;
        }
        let Some(signature) = layer.annotations.get(SIGNATURE) else { continue };
        if layer.media_type != media_type::SIMPLE_SIGNING {
            continue;
        }
        match repository.blob(layer, MAX_CANDIDATE_BYTES as u64).await {
            Ok(payload) => found.push(Candidate {
                origin: format!("{tag} layer {position}"),
                form: CandidateForm::Legacy { payload, signature: signature.clone() },
            }),
            Err(error) => debug!(%tag, position, %error, "legacy signature left out"),
        }
    }
    Ok(found)
}

async fn bundles(
    repository: &Repository,
    subject: Digest,
) -> Result<Vec<Candidate>, RepositoryError> {
    let mut referrers = repository.referrers(subject, REFERRERS_MAX).await?;
    // Likely ones first, so that junk in front of them does not use up the bound.
    referrers.sort_by_key(likelihood);
    let mut found = Vec::new();
    for referrer in referrers {
        if found.len() == MAX_CANDIDATES {
            break;
        }
        match bundle(repository, subject, &referrer).await {
            Ok(Some(candidate)) => found.push(candidate),
            Ok(None) => {}
            Err(error) => debug!(digest = %referrer.digest, %error, "referrer left out"),
        }
    }
    Ok(found)
}

fn likelihood(referrer: &Descriptor) -> u8 {
    match referrer.artifact_type.as_deref() {
        Some(media_type::SIGSTORE_BUNDLE) => 0,
        Some(media_type::OCI_EMPTY) | None => 1,
        Some(_) => 2,
    }
}

async fn bundle(
    repository: &Repository,
    subject: Digest,
    referrer: &Descriptor,
) -> Result<Option<Candidate>, RepositoryError> {
    let fetched = repository.manifest(referrer.digest, SIGNATURE_MANIFEST_MAX).await?;
    let Ok(Document::Manifest(manifest)) = fetched.document() else { return Ok(None) };
    let Some(layer) = bundle_layer(&manifest, subject) else { return Ok(None) };
    let bytes = repository.blob(layer, MAX_CANDIDATE_BYTES as u64).await?;
    let origin = format!("referrer {}", referrer.digest);
    Ok(Some(Candidate { origin, form: CandidateForm::Bundle { bytes } }))
}

/// The manifest's own word for its subject counts, not the list that named it.
fn bundle_layer(manifest: &Manifest, subject: Digest) -> Option<&Descriptor> {
    let refers = manifest.subject.as_ref().is_some_and(|of| of.digest == subject);
    match manifest.layers.as_slice() {
        [layer] if refers && layer.media_type == media_type::SIGSTORE_BUNDLE => Some(layer),
        _ => None,
    }
}
