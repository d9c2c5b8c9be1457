//! `cargo xtask test`: from a fresh clone to every test's verdict.

use bpf_image_tests::samples::{self, SampleError};
use bpf_image_tests::setup::Plan;

use crate::fuzz;
use crate::setup;
use crate::step::{StepError, cargo, say, step};

/// What `cargo xtask test` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to `cargo test`, such as a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo: Vec<String>,
}

/// Why the tests did not all pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The machine is not ready.
    #[error(transparent)]
    Setup(#[from] setup::Error),
    /// A sample program does not compile.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The build, or a test.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A finding of the short fuzzing run.
    #[error(transparent)]
    Fuzz(#[from] fuzz::Error),
}

/// Sets up, builds, tests.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    setup::packages()?;
    setup::install(&Plan::for_virtual_machines())?;
    setup::tracefs()?;
    say("sample programs, compiled into target/samples");
    samples::build_all()?;
    setup::peers()?;
    say("the two programs, which the tests run as a user would");
    step(&mut cargo(&["build", "--locked", "-p", "bpf-image", "-p", "bpf-loader"]))?;
    say("every test");
    let mut test = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    step(test.args(&arguments.cargo))?;
    // Who asks for one test wants that one alone.
    if arguments.cargo.is_empty() { Ok(fuzz::short()?) } else { Ok(()) }
}
