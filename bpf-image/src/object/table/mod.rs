//! What kernels have, as data. Better tables get a new [`VERSION`]; nothing here is ever compared
//! between an image and the bytes.

use bpf_image_spec::config::KernelVersion;

pub(super) mod capability;
pub(super) mod feature;
mod generated;
pub(super) mod helper;
pub(super) mod map_type;
pub(super) mod section;

/// Stamp of these tables in [`bpf_image_spec::config::Requires`].
pub(super) const VERSION: &str = "2026.11.2";

/// For what no kernel had that the tables cover.
fn younger_than_all() -> KernelVersion {
    let (major, minor) = generated::NEWEST;
    KernelVersion::new(major, minor.saturating_add(1))
}
