//! The node's side of bpf-image: resolve, verify, check, load, attach, find again, take away.
//!
//! [`verbs`] are the commands as functions, typed request to typed response. [`plan`] turns a
//! checked image into what the kernel is to do, [`kernel`] does it in a process of its own, and
//! [`state`] remembers it so that a later command finds it again.

#![deny(unsafe_code)]

mod checkpoint;
pub mod cli;
pub mod error;
pub mod kernel;
pub mod paths;
pub mod plan;
pub mod state;
mod trace;
pub mod verbs;
