//! The content-addressed files of a layout, `blobs/sha256/<hex>`.
//!
//! A layout may have been unpacked from anywhere. Names are made of digests only, links and
//! devices are refused, and every read is bounded and hashed by the caller.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bpf_image_spec::Digest;
use rustix::fs::{Mode, OFlags};

use crate::repository::RepositoryError;

/// The file of `digest` in the layout at `dir`.
pub(super) fn path(dir: &Path, digest: Digest) -> PathBuf {
    dir.join("blobs/sha256").join(digest.hex())
}

/// The first `max` bytes of a plain file and one more if there is one; `None` without the file.
pub(super) fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>, RepositoryError> {
    let disk = |e: rustix::io::Errno| RepositoryError::disk("read", path)(e.into());
    // Not blocking: a FIFO in place of a blob would otherwise hold us for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => {
            return Err(RepositoryError::NotPlain { path: path.to_owned() });
        }
        Err(e) => return Err(disk(e)),
    };
    let size = match file.metadata() {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Err(RepositoryError::NotPlain { path: path.to_owned() }),
        Err(e) => return Err(RepositoryError::disk("read", path)(e)),
    };
    let most = max.saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(most)).unwrap_or(0));
    file.take(most).read_to_end(&mut bytes).map_err(RepositoryError::disk("read", path))?;
    Ok(Some(bytes))
}

/// Stores `content` under `digest`, which is its own, unless it is there unharmed.
pub(super) fn put(dir: &Path, digest: Digest, content: &[u8]) -> Result<(), RepositoryError> {
    let path = path(dir, digest);
    if let Ok(Some(there)) = read(&path, content.len() as u64)
        && there == content
    {
        return Ok(());
    }
    write(&path, content)
}

/// Replaces the file at `path` in one step that survives a crash.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), RepositoryError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let failed = |e| RepositoryError::disk("write", path)(e);
    let mut file = tempfile::Builder::new()
        .prefix(".tmp-")
        // Less the umask, as for any file: the temporary file's 0600 would keep other users out.
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(dir)
        .map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)
}

/// Refuses a link or file where a layout has a directory: writes would follow it elsewhere.
pub(super) fn check_dir(path: &Path) -> Result<(), RepositoryError> {
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_dir() => {
            Err(RepositoryError::NotPlain { path: path.to_owned() })
        }
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(RepositoryError::disk("read", path)(e))
        }
        _ => Ok(()),
    }
}
