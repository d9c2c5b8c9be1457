//! What kernels have, as data. Better tables get a new [`VERSION`]; nothing here is ever compared
//! between an image and the bytes.

pub(super) mod capability;
pub(super) mod feature;
pub(super) mod helper;
pub(super) mod map_type;
pub(super) mod section;

/// Stamp of these tables in [`bpf_image_spec::config::Requires`].
pub(super) const VERSION: &str = "2026.11";
