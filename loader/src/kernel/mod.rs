//! The kernel boundary: a process of its own, this executable started once more.
//!
//! The command never calls bpf(2). It sends one request, with bytes that were verified, to a
//! worker that runs without tokio and may enter namespaces; a panic or a kill there is an error
//! here. The worker dies with the command.

mod error;
pub(crate) mod netns_file;
pub mod protocol;
mod spawn;
mod worker;

pub use error::KernelError;
pub use spawn::{WORKER_ARGUMENT, Worker, call};
pub use worker::main as worker_main;
