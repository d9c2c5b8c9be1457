//! What can be wrong with a key or with a signature by it.

use super::{KeyId, KeyType, PUBLIC_LABEL};

/// A key that cannot be read or made, or a signature that a key did not make.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No PEM block, several, or something around it.
    #[error("the key is not exactly one PEM block")]
    NotPem,
    /// A PEM block of another kind.
    #[error("expected a PEM block `{expected}`, found `{found}`")]
    Label {
        /// The label wanted here.
        expected: &'static str,
        /// The label of the block.
        found: String,
    },
    /// The encrypted container is not cosign's.
    #[error("the private key file is damaged: {reason}")]
    Damaged {
        /// What does not fit.
        reason: &'static str,
    },
    /// The password does not open the key.
    #[error("the password does not open the private key")]
    WrongPassword,
    /// Something other than ECDSA P-256 or Ed25519.
    #[error("the key is neither ECDSA P-256 nor Ed25519")]
    Unsupported,
    /// The system gave no randomness or the crypto library failed.
    #[error("cannot make a {kind} key pair")]
    Generate {
        /// What was to be made.
        kind: KeyType,
    },
    /// The key could not be encrypted.
    #[error("cannot encrypt the private key")]
    Encrypt,
    /// The crypto library refused to sign.
    #[error("cannot sign with key {key}")]
    Sign {
        /// The key.
        key: KeyId,
    },
    /// The signature is not this key's over this message.
    #[error("the signature was not made by key {key}")]
    Mismatch {
        /// The key.
        key: KeyId,
    },
}

impl KeyError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Label { found, .. } if found == "PRIVATE KEY" || found == "EC PRIVATE KEY" => {
                Some(
                    "encrypt it: `cosign import-key-pair --key FILE`, or make a new pair with `bpf-image keygen`",
                )
            }
            Self::Label { expected: PUBLIC_LABEL, .. } => {
                Some("the public half is in the `.pub` file beside the private key")
            }
            Self::WrongPassword => {
                Some("the password comes from the prompt, BPF_IMAGE_PASSWORD or the password file")
            }
            Self::Unsupported => Some("`bpf-image keygen` makes a key pair that works everywhere"),
            _ => None,
        }
    }
}
