//! The commands as functions: one file a verb, a typed request in, a typed response out.
//!
//! Nothing here prints, prompts, or reads an environment variable: the command line does, and an
//! API may call the same functions.

pub mod build;
pub mod build_args;
pub mod copy;
pub mod diff;
mod error;
pub mod inspect;
pub mod keygen;
pub mod lint;
pub mod sign;
pub mod verify;

pub use error::VerbError;
