//! The test harness: everything a test, the demo or a benchmark needs around the two programs.
//!
//! Each module stands for one thing outside our code (a registry, a pair of network namespaces,
//! a mount, an independent tool) and takes it away again when its value is dropped. Nothing here
//! knows the product's crates: `xtask` uses this library to set a machine up before they compile.

#![forbid(unsafe_code)]

pub mod bins;
pub mod bpffs;
pub mod cgroup;
pub mod cosign;
pub mod fault_registry;
pub mod headers;
pub mod netns;
pub mod node;
pub mod peers;
pub mod registry;
pub mod repo;
pub mod run;
pub mod samples;
pub mod setup;
pub mod skip;
pub mod vm;

pub use run::{RunError, RunOutput, run, succeed};
