//! The program `bpf-image`: arguments in, a verb called, its answer rendered.

#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
