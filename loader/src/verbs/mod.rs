//! The commands as functions: one file a verb, a typed request in, a typed response out.
//!
//! Nothing here prints; the command line does, and an API may call the same functions.

pub mod check;
pub mod detach;
pub mod list;
mod obtain;
pub mod run;
pub mod show;
pub mod unload;

pub use obtain::Source;
