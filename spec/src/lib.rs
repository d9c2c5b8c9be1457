//! The bpf-image specification, version 1, as Rust types.
//!
//! Types and their text forms only: no file, no socket, no clock. `SPEC.md` beside this crate is
//! the normative text; each module here names the section that it implements.

#![forbid(unsafe_code)]

pub mod attach;
pub mod config;
pub mod digest;
pub mod label;
pub mod media_type;
pub mod oci;
pub mod platform;
pub mod reference;
pub mod text;

pub use attach::AttachPoint;
pub use config::Config;
pub use digest::Digest;
pub use platform::Platform;
pub use reference::{LayoutReference, Reference, RegistryReference};
