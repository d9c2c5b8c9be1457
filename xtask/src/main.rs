//! `cargo xtask`: the repository's chores, one file per job.
//!
//! Each job says what it does before it does it, with the command that a user would type.

#![forbid(unsafe_code)]

mod bench;
mod demo;
mod fuzz;
mod lint;
mod setup;
mod step;
mod tables;
mod test;
mod vm;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The repository's chores.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Get what a Debian machine with only the Rust toolchain lacks.
    Setup,
    /// The main job from end to end, each step with the command that a user would type.
    Demo,
    /// `bpf-loader run` against the tools that a user would script, as a table.
    Bench(bench::Arguments),
    /// Set up, build, and run every test.
    Test(test::Arguments),
    /// Fuzz every parser of untrusted bytes, for as long as it takes.
    Fuzz(fuzz::Arguments),
    /// Debian's kernels in virtual machines: what each loads, as a table.
    Vm(vm::Arguments),
    /// Write the tables of kernels anew, from Debian's headers.
    Tables,
    /// Check formatting, clippy, licences and the house rules for sources.
    Lint,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().job {
        Job::Setup => setup::run().map_err(Box::<dyn Error>::from),
        Job::Demo => demo::run().map_err(Box::from),
        Job::Bench(arguments) => bench::run(&arguments).map_err(Box::from),
        Job::Test(arguments) => test::run(&arguments).map_err(Box::from),
        Job::Fuzz(arguments) => fuzz::run(&arguments).map_err(Box::from),
        Job::Vm(arguments) => vm::run(&arguments).map_err(Box::from),
        Job::Tables => tables::run().map_err(Box::from),
        Job::Lint => lint::run().map_err(Box::from),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", step::with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
