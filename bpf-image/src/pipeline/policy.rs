//! The policy file, read from disk.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bpf_image_signing::policy::{MAX_POLICY_BYTES, Policy, PolicyError};

/// Largest key file that a policy may name, in bytes.
const KEY_FILE_MAX: u64 = 64 * 1024;

/// Why there is no policy to judge by.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// There is no such file; nothing may be loaded.
    #[error("there is no policy file {path}, and without one nothing is trusted", path = path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// It could not be read.
    #[error("cannot read policy file {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not a policy.
    #[error("policy file {path} cannot be used", path = path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<PolicyError>,
    },
}

impl PolicyFileError {
    /// One hint.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Absent { .. } => Some(
                "`bpf-image keygen` prints a ready policy for its key; `bpf-image verify --key \
                 KEY.pub --print-policy REF` prints one for an image; name the file with `--policy`"
                    .to_owned(),
            ),
            Self::Read { .. } => None,
            Self::Policy { source, .. } => source.hint(),
        }
    }
}

/// Reads the policy at `path`; key files are looked for beside it.
pub fn read_policy(path: &Path) -> Result<Policy, PolicyFileError> {
    let limit = MAX_POLICY_BYTES as u64 + 1;
    let text = read_bounded(path, limit)
        .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
        .map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => PolicyFileError::Absent { path: path.to_path_buf() },
            _ => PolicyFileError::Read { path: path.to_path_buf(), source },
        })?;
    let beside = path.parent().unwrap_or_else(|| Path::new("."));
    Policy::parse(&text, |key_file| read_bounded(&beside.join(key_file), KEY_FILE_MAX)).map_err(
        |source| PolicyFileError::Policy { path: path.to_path_buf(), source: Box::new(source) },
    )
}

fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
