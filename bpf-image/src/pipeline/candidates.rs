//! Signatures as they lie in a repository, in both storage formats, trusted in nothing.
//!
//! Referrers are listed unfiltered and told by their layer's media type: on registries without
//! the referrers API cosign 3 lists its bundles with the empty artifact type.
//!
//! Anybody who may push may add signatures, and everybody's are in the same two places. So what is
//! fetched is bounded by attempts, not by successes; each storage has its share of the candidates
//! that are judged; and what is left is reported, never cut off in silence.

use std::collections::HashSet;
use std::pin::pin;
use std::vec;

use bpf_image_signing::legacy::SIGNATURE_ANNOTATION;
use bpf_image_signing::verify::{Candidate, CandidateForm, MAX_CANDIDATE_BYTES, MAX_CANDIDATES};
use bpf_image_spec::oci::{Descriptor, Document, Manifest};
use bpf_image_spec::{Digest, media_type};
use tracing::debug;

use crate::repository::{Fetched, Repository, RepositoryError, companion_tag};

/// Largest manifest of a signature, in bytes; cosign's have under 2 KiB.
const SIGNATURE_MANIFEST_MAX: usize = 256 * 1024;

/// Candidates of one storage where the other has as many.
const SHARE: usize = MAX_CANDIDATES / 2;
/// How many referrers are listed.
const REFERRERS_MAX: usize = 4 * MAX_CANDIDATES;
/// How many of them are looked into, signatures or not. Each costs up to two requests.
const ATTEMPTS_MAX: usize = 2 * MAX_CANDIDATES;

/// The candidate signatures for `subject`: at most [`MAX_CANDIDATES`], then what was left out.
///
/// A candidate that cannot be fetched is left out and never aborts the others: absence fails
/// closed. Only a repository that cannot be asked at all is an error.
pub async fn candidates(
    repository: &Repository,
    subject: Digest,
) -> Result<Vec<Candidate>, RepositoryError> {
    let storages = match repository {
        // A directory has no latency to hide.
        Repository::Layout(_) => {
            vec![legacy(repository, subject).await?, bundles(repository, subject).await?]
        }
        Repository::Registry(_) => {
            let (legacy, bundles) =
                tokio::join!(legacy(repository, subject), bundles(repository, subject));
            vec![legacy?, bundles?]
        }
    };
    Ok(all_of(repository, subject, storages).await)
}

/// The same, or only those in legacy storage when `suffice` says so of their share.
///
/// Both storages are asked at once what they hold. Bundles lie up to four requests deep, legacy
/// signatures two: where these are all it takes, the others are neither waited for nor fetched.
/// The answer does not depend on which arrives first.
pub(super) async fn candidates_until(
    repository: &Repository,
    subject: Digest,
    suffice: impl Fn(&[Candidate]) -> bool,
) -> Result<Vec<Candidate>, RepositoryError> {
    if let Repository::Layout(_) = repository {
        return candidates(repository, subject).await;
    }
    let legacy = async { Ok::<_, RepositoryError>(vec![legacy(repository, subject).await?]) };
    let listed = async { Ok(vec![listed_bundles(repository, subject).await?]) };
    let suffice = |storages: &[Storage]| storages.iter().any(|legacy| suffice(&legacy.found));
    let mut storages = first_or_both(legacy, listed, suffice).await?;
    if let [legacy] = storages.as_mut_slice() {
        return Ok(std::mem::take(&mut legacy.found));
    }
    for storage in &mut storages {
        storage.fetch(repository, subject, SHARE).await;
    }
    Ok(all_of(repository, subject, storages).await)
}

/// What one storage holds: the candidates that were fetched, and where more may be.
struct Storage {
    found: Vec<Candidate>,
    places: vec::IntoIter<Place>,
    attempts: usize,
    /// What `places` are, for messages.
    more: String,
}

/// Where a signature may lie.
enum Place {
    /// In a layer of the `.sig` manifest.
    Layer { origin: String, layer: Descriptor, signature: String },
    /// In a referrer.
    Referrer(Descriptor),
}

impl Storage {
    /// Looks into places until there are `wanted` candidates.
    async fn fetch(&mut self, repository: &Repository, subject: Digest, wanted: usize) {
        while self.found.len() < wanted && self.attempts > 0 {
            let Some(place) = self.places.next() else { return };
            self.attempts -= 1;
            self.found.extend(place.candidate(repository, subject).await);
        }
    }

    fn left(&self) -> Option<Candidate> {
        let origin = format!("{} more {}", self.places.len(), self.more);
        (self.places.len() > 0).then_some(Candidate { origin, form: CandidateForm::NotFetched })
    }
}

impl Place {
    async fn candidate(self, repository: &Repository, subject: Digest) -> Option<Candidate> {
        let (origin, fetched) = match self {
            Self::Layer { origin, layer, signature } => {
                let payload = repository.blob(&layer, MAX_CANDIDATE_BYTES as u64).await;
                let form = payload.map(|payload| CandidateForm::Legacy { payload, signature });
                (origin, form.map(Some))
            }
            Self::Referrer(referrer) => {
                let bytes = bundle(repository, subject, &referrer).await;
                let form = bytes.map(|bytes| bytes.map(|bytes| CandidateForm::Bundle { bytes }));
                (format!("referrer {}", referrer.digest), form)
            }
        };
        let form =
            fetched.inspect_err(|error| debug!(%origin, %error, "left out")).unwrap_or_default()?;
        Some(Candidate { origin, form })
    }
}

/// Everything, after the storages were given what others leave of their share.
async fn all_of(
    repository: &Repository,
    subject: Digest,
    mut storages: Vec<Storage>,
) -> Vec<Candidate> {
    for at in 0..storages.len() {
        let others = storages.iter().enumerate().filter(|(other, _)| *other != at);
        let taken: usize = others.map(|(_, storage)| storage.found.len()).sum();
        storages[at].fetch(repository, subject, MAX_CANDIDATES.saturating_sub(taken)).await;
    }
    let left: Vec<_> = storages.iter().filter_map(Storage::left).collect();
    storages.into_iter().flat_map(|storage| storage.found).chain(left).collect()
}

/// What `first` gives if it suffices, and otherwise that and what `second` gives. Both run from
/// the start; of a second one that is not needed not even the error counts.
async fn first_or_both<T, E>(
    first: impl Future<Output = Result<Vec<T>, E>>,
    second: impl Future<Output = Result<Vec<T>, E>>,
    suffice: impl Fn(&[T]) -> bool,
) -> Result<Vec<T>, E> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let mut early = None;
    let mut all = loop {
        tokio::select! {
            found = &mut first => break found?,
            found = &mut second, if early.is_none() => early = Some(found),
        }
    };
    if !suffice(&all) {
        all.extend(match early {
            Some(found) => found?,
            None => second.await?,
        });
    }
    Ok(all)
}

async fn legacy(repository: &Repository, subject: Digest) -> Result<Storage, RepositoryError> {
    let tag = companion_tag(subject, "sig");
    let fetched = repository.tagged(&tag).await?;
    let layers = match fetched.as_ref().map(Fetched::document) {
        Some(Ok(Document::Manifest(manifest))) => manifest.layers,
        _ => Vec::new(),
    };
    let mut seen = HashSet::new();
    let places: Vec<_> = layers
        .into_iter()
        .enumerate()
        // A signer adds at the end.
        .rev()
        .filter_map(|(position, layer)| {
            let signature = legacy_signature(&layer)?.to_owned();
            let new = seen.insert((layer.digest, signature.clone()));
            let origin = format!("{tag} layer {position}");
            new.then_some(Place::Layer { origin, layer, signature })
        })
        .collect();
    let more = format!("layers of {tag}");
    let mut storage =
        Storage { found: Vec::new(), places: places.into_iter(), attempts: MAX_CANDIDATES, more };
    storage.fetch(repository, subject, SHARE).await;
    Ok(storage)
}

/// The signature of a layer in legacy storage; none of a layer that holds something else.
pub(crate) fn legacy_signature(layer: &Descriptor) -> Option<&str> {
    let signature = layer.annotations.get(SIGNATURE_ANNOTATION)?;
    (layer.media_type == media_type::SIMPLE_SIGNING).then_some(signature)
}

async fn bundles(repository: &Repository, subject: Digest) -> Result<Storage, RepositoryError> {
    let mut storage = listed_bundles(repository, subject).await?;
    storage.fetch(repository, subject, SHARE).await;
    Ok(storage)
}

/// Where bundles may be; none is fetched yet.
async fn listed_bundles(
    repository: &Repository,
    subject: Digest,
) -> Result<Storage, RepositoryError> {
    let mut referrers = repository.referrers(subject, REFERRERS_MAX).await?;
    let more = if referrers.len() < REFERRERS_MAX { "referrers" } else { "referrers at least" };
    let mut seen = HashSet::new();
    referrers.retain(|referrer| seen.insert(referrer.digest));
    // Likely ones first, so that junk in front of them does not use up the bound.
    referrers.sort_by_key(likelihood);
    let places: Vec<_> = referrers.into_iter().map(Place::Referrer).collect();
    Ok(Storage {
        found: Vec::new(),
        places: places.into_iter(),
        attempts: ATTEMPTS_MAX,
        more: more.to_owned(),
    })
}

fn likelihood(referrer: &Descriptor) -> u8 {
    match referrer.artifact_type.as_deref() {
        Some(media_type::SIGSTORE_BUNDLE) => 0,
        Some(media_type::OCI_EMPTY) | None => 1,
        Some(_) => 2,
    }
}

/// The bundle about `subject` in a referrer; none if it holds something else.
pub(crate) async fn bundle(
    repository: &Repository,
    subject: Digest,
    referrer: &Descriptor,
) -> Result<Option<Vec<u8>>, RepositoryError> {
    let fetched = repository.manifest(referrer.digest, SIGNATURE_MANIFEST_MAX).await?;
    let Ok(Document::Manifest(manifest)) = fetched.document() else { return Ok(None) };
    let Some(layer) = bundle_layer(&manifest, subject) else { return Ok(None) };
    repository.blob(layer, MAX_CANDIDATE_BYTES as u64).await.map(Some)
}

/// The manifest's own word for its subject counts, not the list that named it.
fn bundle_layer(manifest: &Manifest, subject: Digest) -> Option<&Descriptor> {
    let refers = manifest.subject.as_ref().is_some_and(|of| of.digest == subject);
    match manifest.layers.as_slice() {
        [layer] if refers && layer.media_type == media_type::SIGSTORE_BUNDLE => Some(layer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    type Found = Result<Vec<u8>, &'static str>;

    fn now(found: &[u8]) -> impl Future<Output = Found> {
        ready(Ok(found.to_vec()))
    }

    async fn late(found: &[u8]) -> Found {
        tokio::task::yield_now().await;
        Ok(found.to_vec())
    }

    #[tokio::test]
    async fn what_suffices_waits_for_nothing() {
        let found = first_or_both(now(&[1]), pending(), |found| found == [1]).await;
        assert_eq!(found, Ok(vec![1]));
    }

    #[tokio::test]
    async fn what_suffices_is_the_same_whichever_comes_first() {
        let found = first_or_both(late(&[1]), now(&[2]), |found| found == [1]).await;
        assert_eq!(found, Ok(vec![1]));
        let found = first_or_both(late(&[1]), ready(Err("second")), |_| true).await;
        assert_eq!(found, Ok(vec![1]));
    }

    #[tokio::test]
    async fn what_does_not_suffice_is_all_there_is() {
        let found = first_or_both(now(&[1]), late(&[2]), |_| false).await;
        assert_eq!(found, Ok(vec![1, 2]));
        let found = first_or_both(late(&[]), now(&[2]), |_| false).await;
        assert_eq!(found, Ok(vec![2]));
    }

    #[tokio::test]
    async fn a_storage_that_cannot_be_asked_is_an_error_when_it_is_needed() {
        let found = first_or_both(now(&[]), ready(Err("second")), |_| false).await;
        assert_eq!(found, Err("second"));
        let found = first_or_both(ready(Err::<Vec<u8>, _>("first")), pending(), |_| true).await;
        assert_eq!(found, Err("first"));
    }
}
