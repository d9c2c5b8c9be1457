//! Detach and unload, of whole loads and of what an interrupted one left.

use std::io;
use std::path::Path;

use super::{clsact, not_permitted, pins};
use crate::kernel::error::KernelError;
use crate::kernel::protocol::{Held, Installed};

/// Removes every link.
pub(super) fn detach(installed: &Installed) -> Result<(), KernelError> {
    for link in &installed.links {
        match &link.held {
            // The pin is the last reference; without it the kernel detaches.
            Held::PinnedLink { pin, .. } => pins::remove(pin)?,
            Held::TcFilter(filter) => {
                clsact::remove(installed, link, filter)
                    .map_err(|error| filter_error(&link.point.to_string(), &error))?;
            }
        }
    }
    Ok(())
}

/// Removes every link, then every pin of the generation.
pub(super) fn unload(installed: &Installed) -> Result<(), KernelError> {
    detach(installed)?;
    pins::remove_dir(&installed.pin_dir)
}

/// Takes away what is pinned under `pin_dir`, of which nothing else is known.
pub(super) fn unload_orphan(pin_dir: &Path) -> Result<(), KernelError> {
    clsact::sweep(pin_dir)
        .map_err(|error| filter_error(&format!("of {}", pin_dir.display()), &error))?;
    pins::remove_dir(pin_dir)
}

fn filter_error(point: &str, error: &io::Error) -> KernelError {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            not_permitted(&format!("removing filter `{point}`"), error.to_string())
        }
        _ => KernelError::Attach {
            point: point.to_owned(),
            cause: format!("its filter cannot be removed: {error}"),
        },
    }
}
