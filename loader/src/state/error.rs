//! What goes wrong with records: the host is at fault.

use std::io;
use std::path::PathBuf;

/// A record or the lock could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The system refused.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        /// `read`, `write` …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A record that is not one, or one of a later version.
    #[error("record {path} cannot be used: {reason}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another command has held the lock for too long.
    #[error("another bpf-loader has held {path} for a minute", path = path.display())]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// The instance is not in a state for this.
    #[error("instance `{name}` is {state}, and cannot be detached")]
    NotDetachable {
        /// Its name.
        name: String,
        /// `pending` or `gone`.
        state: &'static str,
    },
    /// No such instance.
    #[error("there is no instance `{name}`")]
    NoInstance {
        /// Name or id.
        name: String,
    },
    /// The name is in use.
    #[error("instance `{name}` already exists ({image})")]
    NameTaken {
        /// The name.
        name: String,
        /// What runs under it.
        image: String,
    },
    /// Pins of an instance whose record is gone.
    #[error("instance `{name}` has pins in {path} and no record", path = path.display())]
    PinsWithoutRecord {
        /// The name that was asked for.
        name: String,
        /// The directory.
        path: PathBuf,
    },
}

impl StateError {
    /// One hint.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("run as root, or set `--run-dir` and `--state-dir`".to_owned())
            }
            Self::NoInstance { .. } => Some("`bpf-loader list` shows what there is".to_owned()),
            Self::NameTaken { name, .. } => {
                Some(format!("`bpf-loader unload {name}`, or choose another `--name`"))
            }
            Self::Locked { path } => {
                Some(format!("`fuser -v {}` shows whose it is", path.display()))
            }
            Self::NotDetachable { name, .. } | Self::PinsWithoutRecord { name, .. } => {
                Some(format!("`bpf-loader unload {name}`"))
            }
            _ => None,
        }
    }
}
