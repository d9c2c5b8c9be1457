//! Where an image is (SPEC.md, "References"): `registry/repository[:tag][@digest]`, or
//! `oci:DIR[:TAG][@digest]` for an OCI image layout on disk.
//!
//! The registry is never implied. A policy decides by the registry's name, so a name that a
//! default could change (`nginx` → some hub) is refused rather than completed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::digest::{Digest, DigestError};

/// A reference as a user types it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// In a registry, reached by the OCI distribution protocol.
    Registry(RegistryReference),
    /// In an OCI image layout directory on this machine.
    Layout(LayoutReference),
}

/// `registry/repository[:tag][@digest]`; without tag and digest the tag is `latest`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// `oci:DIR[:TAG][@digest]`; without tag and digest the layout must hold exactly one image.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LayoutReference {
    dir: PathBuf,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A string that is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The first component is not a host name with a dot, a port, or `localhost`.
    #[error("reference `{0}` names no registry; write `registry.example/{0}` or `oci:DIR`")]
    NoRegistry(String),
    /// A registry host that is not a host name with an optional port.
    #[error("`{registry}` in reference `{reference}` is not a registry host")]
    BadRegistry {
        /// The host part.
        registry: String,
        /// What was typed.
        reference: String,
    },
    /// A repository outside OCI's grammar.
    #[error(
        "`{repository}` in reference `{reference}` is not a repository name (lower-case letters, digits, `.`, `_`, `-`, separated by `/`)"
    )]
    BadRepository {
        /// The repository part.
        repository: String,
        /// What was typed.
        reference: String,
    },
    /// A tag outside OCI's grammar.
    #[error(
        "`{tag}` in reference `{reference}` is not a tag (at most 128 of letters, digits, `.`, `_`, `-`)"
    )]
    BadTag {
        /// The tag part.
        tag: String,
        /// What was typed.
        reference: String,
    },
    /// A digest outside the accepted form.
    #[error("reference `{reference}` has a bad digest")]
    BadDigest {
        /// What was typed.
        reference: String,
        /// Why.
        #[source]
        source: DigestError,
    },
    /// `oci:` and nothing after it.
    #[error("reference `{0}` names no directory after `oci:`")]
    NoDirectory(String),
}

impl RegistryReference {
    /// The registry's host and port, in lower case, such as `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository, such as `org/counter`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// `registry/repository`: what policies and signed annotations name.
    pub fn scope(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The tag that was given, or `latest` when neither tag nor digest was.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest that was given.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The same repository at `digest`, without a tag.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self {
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            tag: None,
            digest: Some(digest),
        }
    }
}

impl LayoutReference {
    /// The layout's directory as it was given.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The tag that was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest that was given.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match text.strip_prefix("oci:") {
            Some(rest) => parse_layout(text, rest).map(Self::Layout),
            None => text.parse().map(Self::Registry),
        }
    }
}

impl FromStr for RegistryReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (name, digest) = split_digest(text, text)?;
        let (registry, rest) = name
            .split_once('/')
            .filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost")
            .ok_or_else(|| ReferenceError::NoRegistry(text.to_owned()))?;
        if !is_host(registry) {
            return Err(ReferenceError::BadRegistry {
                registry: registry.to_owned(),
                reference: text.to_owned(),
            });
        }
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(checked_tag(tag, text)?)),
            None => (rest, digest.is_none().then(|| "latest".to_owned())),
        };
        if !is_repository(repository) {
            return Err(ReferenceError::BadRepository {
                repository: repository.to_owned(),
                reference: text.to_owned(),
            });
        }
        Ok(Self {
            // Host names have no case; one spelling keeps policy scopes unambiguous.
            registry: registry.to_ascii_lowercase(),
            repository: repository.to_owned(),
            tag,
            digest,
        })
    }
}

fn parse_layout(text: &str, rest: &str) -> Result<LayoutReference, ReferenceError> {
    let (name, digest) = split_digest(rest, text)?;
    // A tag holds no slash, so a colon inside the path is not taken for a tag's.
    let (dir, tag) = match name.rsplit_once(':') {
        Some((dir, tag)) if !tag.contains('/') => (dir, Some(checked_tag(tag, text)?)),
        _ => (name, None),
    };
    if dir.is_empty() {
        return Err(ReferenceError::NoDirectory(text.to_owned()));
    }
    Ok(LayoutReference { dir: PathBuf::from(dir), tag, digest })
}

fn split_digest<'a>(
    name: &'a str,
    text: &str,
) -> Result<(&'a str, Option<Digest>), ReferenceError> {
    let Some((name, digest)) = name.split_once("@sha") else {
        return Ok((name, None));
    };
    let digest = format!("sha{digest}")
        .parse()
        .map_err(|source| ReferenceError::BadDigest { reference: text.to_owned(), source })?;
    Ok((name, Some(digest)))
}

/// Whether text is a tag by itself, of at most 128 bytes.
pub fn is_tag(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let rest = bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    first && rest && text.len() <= 128
}

fn checked_tag(tag: &str, text: &str) -> Result<String, ReferenceError> {
    if is_tag(tag) {
        Ok(tag.to_owned())
    } else {
        Err(ReferenceError::BadTag { tag: tag.to_owned(), reference: text.to_owned() })
    }
}

fn is_host(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    let host_ok = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        }),
    };
    // One spelling here too: `+5000` and `05000` parse, and would pass a scope for `5000` by.
    let port_ok = |port: &str| {
        port.parse::<u16>().is_ok_and(|number| number != 0 && number.to_string() == port)
    };
    host_ok && port.is_none_or(port_ok)
}

/// OCI distribution-spec, "Pulling manifests": `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` per component.
fn is_repository(repository: &str) -> bool {
    repository.len() <= 255 && repository.split('/').all(is_component)
}

fn is_component(component: &str) -> bool {
    let alnum = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    alnum(first)
        && alnum(last)
        && bytes.split(|&b| alnum(b)).all(|separator| {
            matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|&b| b == b'-')
        })
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => reference.fmt(f),
            Self::Layout(reference) => reference.fmt(f),
        }
    }
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        write_suffix(f, self.tag(), self.digest)
    }
}

impl fmt::Display for LayoutReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci:{}", self.dir.display())?;
        write_suffix(f, self.tag(), self.digest)
    }
}

fn write_suffix(
    f: &mut fmt::Formatter<'_>,
    tag: Option<&str>,
    digest: Option<Digest>,
) -> fmt::Result {
    if let Some(tag) = tag {
        write!(f, ":{tag}")?;
    }
    if let Some(digest) = digest {
        write!(f, "@{digest}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        let hex = "a".repeat(64);
        for text in [
            "localhost:5000/counter:v1",
            "ghcr.example/org/team/counter:1.2.3",
            &format!("r.example/counter@sha256:{hex}"),
            &format!("r.example/counter:v1@sha256:{hex}"),
            "[::1]:5000/counter:v1",
            "oci:/tmp/images:v1",
            "oci:relative/dir",
            "oci:/with:colon/dir:v1",
            &format!("oci:/tmp/images@sha256:{hex}"),
        ] {
            let reference = text.parse::<Reference>();
            assert_eq!(reference.map(|r| r.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn tag_defaults_to_latest_only_without_digest() {
        let bare = "r.example/counter".parse::<RegistryReference>();
        assert_eq!(bare.as_ref().map(RegistryReference::tag), Ok(Some("latest")));
        let digest = Digest::of(b"");
        assert_eq!(bare.map(|r| r.at(digest).tag().map(str::to_owned)), Ok(None));
    }

    #[test]
    fn refuses_what_a_default_would_have_to_complete() {
        for text in ["counter", "org/counter", "counter:v1", ""] {
            assert!(
                matches!(text.parse::<Reference>(), Err(ReferenceError::NoRegistry(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_names_outside_the_grammar() {
        for text in [
            "r.example/Counter",
            "r.example/a//b",
            "r.example/../etc",
            "r.example/a..b",
            "r.example/a:tag/with/slash",
            "r.example/a:-x",
            "r.example:99999/a",
            "r.example:05000/a",
            "r.example:+5000/a",
            "r_x.example/a",
            "r.example/a@sha256:12",
            "r.example/a@sha512:12",
            "oci:",
            "oci::v1",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
