//! Directories of pins on bpffs.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use crate::kernel::error::KernelError;

fn failed(action: &str, path: &Path, error: &io::Error) -> KernelError {
    KernelError::Pin {
        action: action.to_owned(),
        path: path.to_path_buf(),
        cause: error.to_string(),
    }
}

/// Makes the directories under an instance's generation, all or none. Private: a pin is a
/// capability.
pub(super) fn make(pin_dir: &Path) -> Result<(), KernelError> {
    for sub in ["programs", "maps", "links"] {
        let dir = pin_dir.join(sub);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        if let Err(error) = made {
            // What was made of them is empty; if it cannot be removed, it could not be made.
            let _ = remove_dir(pin_dir);
            return Err(KernelError::NoPins { path: dir, cause: error.to_string() });
        }
    }
    Ok(())
}

/// Removes one pin; one that is not there is removed.
pub(super) fn remove(pin: &Path) -> Result<(), KernelError> {
    match fs::remove_file(pin) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", pin, &error)),
        _ => Ok(()),
    }
}

/// Removes a generation's directory and everything in it, then the directories above it that
/// are the loader's and empty.
pub(super) fn remove_dir(pin_dir: &Path) -> Result<(), KernelError> {
    match fs::remove_dir_all(pin_dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove", pin_dir, &error));
        }
        _ => {}
    }
    // Instance, format version, root: each as long as nothing else is in it.
    for dir in pin_dir.ancestors().skip(1).take(3) {
        if fs::remove_dir(dir).is_err() {
            break;
        }
    }
    Ok(())
}
