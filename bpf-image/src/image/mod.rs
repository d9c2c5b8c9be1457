//! The forms an image takes, without any I/O: manifest and blobs in, facts and errors out.
//!
//! Everything here is read from a registry that nobody vouches for yet, so each parser is
//! bounded and none may panic. [`classify`] tells the form, [`declared`] what the image says of
//! its object, [`object_bytes`] takes the ELF file out of the layer, [`check_declared`] compares
//! what was said with what is there, and [`build()`] makes the two forms that are ours.

pub mod build;
mod check;
mod classify;
mod container;
mod declared;
mod error;
mod label;
mod layer;
mod platform;

pub use build::{BuildError, BuildInput, BuildOptions, Format, Image, build};
pub use check::check_declared;
pub use classify::{Form, ImageManifest, classify};
pub use declared::{Declared, LegacyLabels, declared};
pub use error::{BUILD_ANEW, ImageError};
pub use label::LabelError;
pub use layer::{LayerError, object_bytes};
pub use platform::select_platform;
