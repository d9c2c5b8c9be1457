//! One change at a time.

use std::fs::{self, File};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::StateError;

/// Held while instances are made, changed or removed. Given back when dropped, also by a kill.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

impl StateLock {
    /// Waits for the lock in the run directory.
    pub fn take(run: &Path) -> Result<Self, StateError> {
        let failed = |action, path: &Path| {
            let path = path.to_path_buf();
            move |source| StateError::Io { action, path, source }
        };
        fs::create_dir_all(run).map_err(failed("make directory", run))?;
        let path = run.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| failed("lock", &path)(error.into()))?;
        Ok(Self { _file: file })
    }
}
