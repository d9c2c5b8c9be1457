//! Why one signature does not count. Every refusal names the place where it happened, and quotes
//! what came from the signature, which may be written to fool a terminal.

use bpf_image_spec::Digest;

use crate::key::KeyId;
use crate::verify::{MAX_CANDIDATE_BYTES, MAX_CANDIDATES};

/// Characters quoted from a signature; it may hold a million.
const MAX_QUOTED: usize = 200;

/// Why a candidate signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Larger than any signature needs to be.
    #[error("has {size} bytes, more than the {MAX_CANDIDATE_BYTES} allowed")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// Beyond the number of candidates that are looked at.
    #[error("not looked at: at most {MAX_CANDIDATES} candidates are")]
    BeyondLimit,
    /// Not what its format asks for.
    #[error("malformed: {reason}")]
    Malformed {
        /// What does not fit.
        reason: String,
    },
    /// A statement about the image that is no signature: an SBOM, provenance …
    #[error("an attestation of type {predicate:?}, not a signature")]
    Attestation {
        /// Its predicate type.
        predicate: String,
    },
    /// A bundle over something other than an in-toto statement.
    #[error("a bundle without a signed statement, such as `cosign sign-blob` makes")]
    NoStatement,
    /// A legacy payload of another type.
    #[error("a payload of type {found:?}, not a container signature")]
    OtherType {
        /// The type it names.
        found: String,
    },
    /// Signed under a certificate.
    #[error("signed with a certificate (keyless); policies can name keys only so far")]
    Keyless,
    /// Signed by no key of the scope.
    #[error("signed by an unknown key{}", .claimed.map(|id| format!(" {id}")).unwrap_or_default())]
    UnknownKey {
        /// The key that the signature says it is from; nothing proves it.
        claimed: Option<KeyId>,
    },
    /// Says that it is from a key of the scope, and is not.
    #[error("says that it is from key {claimed}, but that key did not make it")]
    Forged {
        /// The key that it names.
        claimed: KeyId,
    },
    /// Made for other content.
    #[error("made for another image, {signed}")]
    OtherDigest {
        /// The digest that was signed.
        signed: Digest,
    },
    /// Made for another repository.
    #[error("made for the repository {signed:?}, not {requested:?}")]
    OtherRepository {
        /// The repository that was signed.
        signed: String,
        /// The repository asked for.
        requested: String,
    },
    /// Names a repository, and the layout does not say which one its image came from.
    #[error("made for the repository {signed:?}, and the layout names none for this image")]
    UnknownOrigin {
        /// The repository that was signed.
        signed: String,
    },
    /// Names no repository where the scope demands it.
    #[error("names no repository, which the policy scope requires")]
    NoRepository,
    /// Its two places for a repository disagree.
    #[error("names two repositories, {one:?} and {other:?}")]
    TwoRepositories {
        /// The legacy identity.
        one: String,
        /// Our annotation.
        other: String,
    },
    /// Names something that is no repository.
    #[error("names {named:?}, which is no repository")]
    BadRepository {
        /// What it names.
        named: String,
    },
    /// Carries an expiry, which cannot be judged yet: ignoring it would outlive the signer's will.
    #[error("carries an expiry date, which is not built yet")]
    Expires,
}

impl SignatureError {
    /// `reason` may quote the signature: control characters are escaped, length is bounded.
    pub(crate) fn malformed(reason: impl std::fmt::Display) -> Self {
        let reason = reason.to_string().escape_debug().take(MAX_QUOTED).collect();
        Self::Malformed { reason }
    }

    pub(crate) fn attestation(predicate: &str) -> Self {
        Self::Attestation { predicate: excerpt(predicate) }
    }

    pub(crate) fn other_type(found: &str) -> Self {
        Self::OtherType { found: excerpt(found) }
    }

    pub(crate) fn bad_repository(named: &str) -> Self {
        Self::BadRepository { named: excerpt(named) }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownKey { .. } | Self::Forged { .. } => Some(
                "ask the publisher for the key that signs this image, and try it with `bpf-image verify --key KEY.pub REF`",
            ),
            Self::Attestation { .. } | Self::NoStatement | Self::Keyless => {
                Some("sign the image itself with a key: `bpf-image sign --key KEY REF`")
            }
            Self::OtherRepository { .. } | Self::NoRepository => {
                Some("sign the image where it is now: `bpf-image sign --key KEY REF`")
            }
            Self::UnknownOrigin { .. } => Some(
                "copy the image with `bpf-image pull`, which records where it came from, or sign it in the layout",
            ),
            Self::BeyondLimit => Some(
                "the image has more signatures than are looked at; its publisher has to delete those that nobody needs",
            ),
            _ => None,
        }
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}
