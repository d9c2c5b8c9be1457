//! Every refusal of the built programs, named for the attack or the mistake.
//!
//! `bpf-loader run` is traced: codes 3 and 5 (and 2) come before the first bpf(2) call, 4 before
//! anything is attached, and none leaves records or pins. See [`refused`] for what is common.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod hand_made;
mod image;
mod kernel;
mod policy;
mod refused;
mod registry;
mod scene;
mod signature;
