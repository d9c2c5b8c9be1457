//! The load dataflow up to the kernel: reference → [`Resolved`] → [`Verified`] →
//! [`FetchedImage`] → [`CheckedObject`].
//!
//! Each stage is one file with one output type that only it can make, so none can be skipped. A
//! tag is looked at once, by [`resolve`]; from there on only digests are asked for, and the bytes
//! that were checked are the bytes that come out at the end.

mod candidates;
mod check;
mod fetch;
mod policy;
mod resolve;
mod verify;

pub use candidates::candidates;
pub(crate) use candidates::{bundle, legacy_signature};
pub use check::{CheckError, CheckedObject, check};
pub use fetch::{BlobCache, FetchError, FetchedImage, fetch};
pub use policy::{PolicyFileError, read_policy};
pub use resolve::{ResolveError, Resolved, admit, resolve};
pub use verify::{Verified, VerifyError, verify, verify_enough, verify_with_key};
