//! One change at a time.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, FdFlags, fcntl_setfd};

use super::StateError;

/// Held while instances are made, changed or removed. Given back when dropped, also by a kill.
///
/// A worker started under it inherits it, so that nobody is let in before a killed command's
/// worker is dead. The worker of `run` is started before the network is asked, and so before the
/// lock: after a kill it may end its current system call while the next command is let in.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

/// How long another command may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often the lock is tried.
const PAUSE: Duration = Duration::from_millis(5);

impl StateLock {
    /// Waits for the lock in the run directory, which is made private: whoever can open the lock
    /// can keep everyone else waiting.
    pub fn take(run: &Path) -> Result<Self, StateError> {
        let failed = |action, path: &Path| {
            let path = path.to_path_buf();
            move |source| StateError::Io { action, path, source }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(run)
            .map_err(failed("make directory", run))?;
        let path = run.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        let end = Instant::now() + PATIENCE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) if Instant::now() < end => thread::sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(StateError::Locked { path }),
                Err(error) => return Err(failed("lock", &path)(error.into())),
            }
        }
        fcntl_setfd(&file, FdFlags::empty())
            .map_err(|error| failed("lock", &path)(error.into()))?;
        Ok(Self { _file: file })
    }
}
