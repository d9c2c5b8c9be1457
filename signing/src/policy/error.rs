//! What can be wrong with a policy. Each names the line, and the policy's author is at fault.

use std::io;
use std::path::PathBuf;

use super::MAX_POLICY_BYTES;
use super::place::PlaceError;
use crate::key::{KeyError, KeyId};

/// Why a policy cannot be used, or covers nothing of what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Too long.
    #[error("the policy is longer than {MAX_POLICY_BYTES} bytes")]
    TooLarge,
    /// Not TOML.
    #[error("line {line}: {reason}")]
    Syntax {
        /// Line in the policy file, from 1.
        line: usize,
        /// What the TOML parser says.
        reason: String,
    },
    /// `version` is missing.
    #[error("the policy does not say `version = 1`")]
    NoVersion,
    /// A version that this program does not know.
    #[error("line {line}: policy version {found} is unknown; this program knows 1")]
    Version {
        /// Line in the policy file.
        line: usize,
        /// The version.
        found: String,
    },
    /// A key that no version has.
    #[error("line {line}: unknown policy key `{key}`{}", .suggestion.map(|s| format!("; did you mean `{s}`?")).unwrap_or_default())]
    UnknownKey {
        /// Line in the policy file.
        line: usize,
        /// The key with its tables.
        key: String,
        /// The nearest key there is.
        suggestion: Option<&'static str>,
    },
    /// A key of the format's plan. Ignoring it could pass what its author wants refused.
    #[error("line {line}: policy key `{key}` is not built yet")]
    NotBuilt {
        /// Line in the policy file.
        line: usize,
        /// The key with its tables.
        key: String,
    },
    /// A value of the wrong kind.
    #[error("line {line}: policy key `{key}` must be {expected}")]
    Value {
        /// Line in the policy file.
        line: usize,
        /// The key with its tables.
        key: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A key that has to be there.
    #[error("line {line}: {table} has no `{key}`")]
    Missing {
        /// Line of the table.
        line: usize,
        /// The table.
        table: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A policy without any scope.
    #[error("the policy has no [[scope]], so nothing could ever be loaded")]
    NoScope,
    /// A scope that cannot match what it seems to.
    #[error("line {line}: bad scope")]
    BadScope {
        /// Line in the policy file.
        line: usize,
        /// Why.
        #[source]
        source: PlaceError,
    },
    /// Two scopes for one place.
    #[error("line {line}: scope `{scope}` is there twice; put its signers into one")]
    DuplicateScope {
        /// Line of the second one.
        line: usize,
        /// The scope.
        scope: String,
    },
    /// A scope without signers.
    #[error("line {line}: scope `{scope}` has no [[scope.signer]]")]
    NoSigner {
        /// Line of the scope.
        line: usize,
        /// The scope.
        scope: String,
    },
    /// `repository = "required"` for layouts, whose own files say where an image came from.
    #[error(
        "line {line}: scope `{scope}` cannot require a repository: a layout itself says where its images came from"
    )]
    RequiredInLayout {
        /// Line in the policy file.
        line: usize,
        /// The scope.
        scope: String,
    },
    /// A threshold of none, or of more signers than there are.
    #[error(
        "line {line}: threshold {threshold} is not between 1 and the {signers} signers of the scope"
    )]
    Threshold {
        /// Line in the policy file.
        line: usize,
        /// The threshold.
        threshold: i64,
        /// The number of signers.
        signers: usize,
    },
    /// One key under two names would look like two signers.
    #[error("line {line}: signer `{name}` has the key of signer `{first}`, {key}")]
    DuplicateKey {
        /// Line of the second one.
        line: usize,
        /// The second one.
        name: String,
        /// The first one.
        first: String,
        /// Their key.
        key: KeyId,
    },
    /// Two signers of one name could not be told apart in messages.
    #[error("line {line}: two signers of the scope are called `{name}`")]
    DuplicateName {
        /// Line of the second one.
        line: usize,
        /// Their name.
        name: String,
    },
    /// Neither `key` nor `key-file`, or both.
    #[error("line {line}: a signer has either `key` or `key-file`")]
    KeyChoice {
        /// Line of the signer.
        line: usize,
    },
    /// A key that cannot be read.
    #[error("line {line}: bad key of a signer")]
    BadKey {
        /// Line in the policy file.
        line: usize,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// A key file that cannot be read.
    #[error("line {line}: cannot read the key file {path}", path = .path.display())]
    KeyFile {
        /// Line in the policy file.
        line: usize,
        /// The path as the policy has it.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No scope covers what was asked for.
    #[error("no policy scope matches {requested}")]
    NoMatch {
        /// What was asked for.
        requested: String,
    },
}

impl PolicyError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoVersion => Some("put `version = 1` at the top of the policy".to_owned()),
            Self::NoScope | Self::NoSigner { .. } | Self::KeyChoice { .. } => Some(
                "`bpf-image verify --key KEY.pub --print-policy REF` prints a ready policy"
                    .to_owned(),
            ),
            Self::NoMatch { requested } => Some(format!(
                "if you trust its publisher, add a [[scope]] for {requested} with the publisher's key; `bpf-image verify --key KEY.pub --print-policy REF` prints one"
            )),
            Self::RequiredInLayout { .. } => Some(
                "take `repository` out of the scope; only a registry's scope can require it"
                    .to_owned(),
            ),
            Self::BadKey { source, .. } => source.hint().map(str::to_owned),
            Self::BadScope { source, .. } => source.hint().map(str::to_owned),
            _ => None,
        }
    }
}
