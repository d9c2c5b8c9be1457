//! A bpffs of a test's own, so that its pins meet nobody else's.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::run::{RunError, run, succeed};

/// A bpffs mounted in a temporary folder until it is dropped. Pins left in it go with it.
#[derive(Debug)]
pub struct Bpffs {
    folder: TempDir,
}

/// Why there is no bpffs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BpffsError {
    /// No folder to mount it on.
    #[error("cannot make a folder for a bpffs")]
    Folder(#[source] std::io::Error),
    /// `mount` refused: no root, or a kernel without bpffs.
    #[error("cannot mount a bpffs")]
    Mount(#[source] RunError),
}

impl Bpffs {
    /// Mounts one.
    pub fn mount() -> Result<Self, BpffsError> {
        let folder = TempDir::with_prefix("bpfimage-bpffs-").map_err(BpffsError::Folder)?;
        succeed(Command::new("mount").args(["-t", "bpf", "bpf"]).arg(folder.path()))
            .map_err(BpffsError::Mount)?;
        Ok(Self { folder })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        // Lazily: a program of the test that still has a pin open must not keep the mount.
        let _ = run(Command::new("umount").arg("--lazy").arg(self.path()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_and_goes() {
        if crate::skip::without_root() {
            return;
        }
        let mounts = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let bpffs = Bpffs::mount().unwrap();
        let path = bpffs.path().to_str().unwrap().to_owned();
        assert!(mounts().lines().any(|line| line.contains(&path) && line.contains(" - bpf ")));
        drop(bpffs);
        assert!(!mounts().contains(&path));
        assert!(!Path::new(&path).exists());
    }
}
