//! What a signature says about an image: its digest, the repository that it was signed for, and
//! signed annotations. The same in both storage formats.

use std::collections::BTreeMap;

use bpf_image_spec::label::{SIGNED_NOT_AFTER, SIGNED_REPOSITORY};
use bpf_image_spec::{Digest, RegistryReference};

use crate::signature::SignatureError;

/// What a signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    digest: Digest,
    repository: Option<String>,
    annotations: BTreeMap<String, String>,
}

/// An annotation that a signature must not carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// The repository annotation is written from the reference, never by hand.
    #[error("annotation `{SIGNED_REPOSITORY}` is set from the image's repository, not by hand")]
    Repository,
    /// Expiry cannot be judged yet, and a signature that carries it does not count.
    #[error("annotation `{SIGNED_NOT_AFTER}` is not built yet")]
    NotAfter,
}

impl Claims {
    /// Says that the image with `digest` is vouched for, in no repository in particular.
    pub fn new(digest: Digest) -> Self {
        Self { digest, repository: None, annotations: BTreeMap::new() }
    }

    /// Says that the signature counts in this repository only.
    #[must_use]
    pub fn in_repository(mut self, reference: &RegistryReference) -> Self {
        self.repository = Some(canonical(reference));
        self
    }

    /// Adds a signed annotation.
    pub fn annotate(mut self, key: &str, value: &str) -> Result<Self, ClaimsError> {
        match key {
            SIGNED_REPOSITORY => return Err(ClaimsError::Repository),
            SIGNED_NOT_AFTER => return Err(ClaimsError::NotAfter),
            _ => self.annotations.insert(key.to_owned(), value.to_owned()),
        };
        Ok(self)
    }

    /// The manifest's digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// `registry/repository` that the signature was made for, if it names one.
    pub fn repository(&self) -> Option<&str> {
        self.repository.as_deref()
    }

    /// The signed annotations, without the repository.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The annotations as they are signed.
    pub(crate) fn signed_annotations(&self) -> BTreeMap<&str, &str> {
        let mut all: BTreeMap<&str, &str> =
            self.annotations.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        if let Some(repository) = &self.repository {
            all.insert(SIGNED_REPOSITORY, repository);
        }
        all
    }

    /// Reads a signature's own words. `docker_reference` is the legacy payload's identity.
    ///
    /// Both places that can name a repository are read, and have to agree: a verifier that looks
    /// at one only could be shown the other.
    pub(crate) fn read(
        digest: Digest,
        docker_reference: Option<&str>,
        mut annotations: BTreeMap<String, AnnotationValue>,
    ) -> Result<Self, SignatureError> {
        if annotations.contains_key(SIGNED_NOT_AFTER) {
            return Err(SignatureError::Expires);
        }
        let annotated = match annotations.remove(SIGNED_REPOSITORY) {
            Some(AnnotationValue::Text(text)) => Some(repository_of(&text)?),
            Some(AnnotationValue::Other(_)) => {
                return Err(SignatureError::malformed("its repository annotation is no text"));
            }
            None => None,
        };
        // cosign writes the key always; empty is our form of "no repository in particular".
        let identity =
            docker_reference.filter(|text| !text.is_empty()).map(repository_of).transpose()?;
        let repository = match (identity, annotated) {
            (Some(one), Some(other)) if one != other => {
                return Err(SignatureError::TwoRepositories { one, other });
            }
            (one, other) => one.or(other),
        };
        let annotations = annotations
            .into_iter()
            .filter_map(|(key, value)| match value {
                AnnotationValue::Text(text) => Some((key, text)),
                AnnotationValue::Other(_) => None,
            })
            .collect();
        Ok(Self { digest, repository, annotations })
    }
}

/// cosign lets an annotation be any JSON value; those that are no text say nothing here.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
pub(crate) enum AnnotationValue {
    Text(String),
    Other(serde::de::IgnoredAny),
}

/// `registry/repository` of a name that may carry a tag or digest (`--sign-container-identity`).
fn repository_of(text: &str) -> Result<String, SignatureError> {
    text.parse()
        .map(|reference| canonical(&reference))
        .map_err(|_| SignatureError::bad_repository(text))
}

/// One name per repository: Go's tools sign Docker Hub's images under its other host name.
pub(crate) fn canonical(reference: &RegistryReference) -> String {
    match (reference.registry(), reference.repository()) {
        ("index.docker.io", repository) => format!("docker.io/{repository}"),
        _ => reference.scope(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(identity: &str, annotated: Option<&str>) -> Result<Option<String>, SignatureError> {
        let annotations = annotated
            .map(|text| (SIGNED_REPOSITORY.to_owned(), AnnotationValue::Text(text.to_owned())))
            .into_iter()
            .collect();
        Claims::read(Digest::of(b""), Some(identity), annotations).map(|claims| claims.repository)
    }

    #[test]
    fn either_place_names_the_repository() {
        let named = Some("r.example/org/a".to_owned());
        assert_eq!(read("r.example/org/a", None), Ok(named.clone()));
        assert_eq!(read("r.example/org/a:v1", None), Ok(named.clone()));
        assert_eq!(read("", Some("r.example/org/a")), Ok(named.clone()));
        assert_eq!(read("R.example/org/a", Some("r.example/org/a")), Ok(named));
        assert_eq!(read("", None), Ok(None));
        assert_eq!(
            read("index.docker.io/library/a", None),
            Ok(Some("docker.io/library/a".to_owned()))
        );
    }

    #[test]
    fn a_signature_that_names_two_repositories_is_refused() {
        let result = read("r.example/org/a", Some("r.example/org/b"));
        assert!(matches!(result, Err(SignatureError::TwoRepositories { .. })), "{result:?}");
    }

    #[test]
    fn a_name_that_is_no_repository_is_refused() {
        for name in ["nginx", "r.example/../a", "r.example/\u{430}", "r.example/A", " "] {
            let result = read(name, None);
            assert!(matches!(result, Err(SignatureError::BadRepository { .. })), "{result:?}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_not_signed() {
        let claims = Claims::new(Digest::of(b""));
        let repository = claims.clone().annotate(SIGNED_REPOSITORY, "r.example/a");
        assert_eq!(repository, Err(ClaimsError::Repository));
        let not_after = claims.annotate(SIGNED_NOT_AFTER, "2030-01-01T00:00:00Z");
        assert_eq!(not_after, Err(ClaimsError::NotAfter));
    }
}
