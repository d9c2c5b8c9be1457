//! The command line: one file a command, each with its arguments, its call and its output.

mod args;
mod build;
mod build_args;
mod completions;
mod copy;
mod diff;
mod inspect;
mod keygen;
mod lint;
mod output;
mod paint;
mod password;
mod sign;
mod verify;

use std::process::ExitCode;

use bpf_image::report::{self, Advice, Exit};
use bpf_image::verbs::VerbError;
use clap::Parser as _;

use args::{Cli, Command};
use password::PasswordError;

/// Why a command failed: the verb did, or what the command line does around it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The verb.
    #[error(transparent)]
    Verb(#[from] VerbError),
    /// The key's password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// `SOURCE_DATE_EPOCH` that is no number.
    #[error("SOURCE_DATE_EPOCH is `{0}`, not a number of seconds")]
    Epoch(String),
    /// `--platform linux/arm64` with no object left for it.
    #[error("--platform {0} has no object")]
    PlatformWithoutObject(bpf_image_spec::Platform),
    /// Standard output went away or is full.
    #[error("cannot write to standard output")]
    Output(#[source] std::io::Error),
    /// The runtime for network calls cannot start.
    #[error("cannot start")]
    Runtime(#[source] std::io::Error),
}

/// Parses, runs, reports. Wrong arguments end with code 2, which clap gives them.
pub(crate) fn run() -> ExitCode {
    match command(Cli::parse()) {
        Ok(code) => code,
        Err(failure) => {
            let text = report::render(failure.error(), &failure.advice());
            anstream::eprint!("{text}");
            ExitCode::from(failure.advice().exit as u8)
        }
    }
}

fn command(cli: Cli) -> Result<ExitCode, Failure> {
    let access = cli.access();
    // One thread: a command waits for one registry, and threads cost more than they bring.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    match cli.command {
        Command::Inspect(args) => runtime.block_on(inspect::run(args, access)),
        Command::Diff(args) => runtime.block_on(diff::run(args, access)),
        Command::Lint(args) => runtime.block_on(lint::run(args, access)),
        Command::Build(args) => runtime.block_on(build::run(args, access)),
        Command::BuildArgs(args) => build_args::run(args),
        Command::Push(args) => runtime.block_on(copy::push(args, access)),
        Command::Pull(args) => runtime.block_on(copy::pull(args, access)),
        Command::Keygen(args) => keygen::run(args),
        Command::Sign(args) => runtime.block_on(sign::run(args, access)),
        Command::Verify(args) => runtime.block_on(verify::run(args, access)),
        Command::Completions(args) => completions::run(args),
    }
}

impl Failure {
    /// The error to show; a transparent wrapper would show the same one twice.
    fn error(&self) -> &dyn std::error::Error {
        match self {
            Self::Verb(error) => error,
            Self::Password(error) => error,
            other => other,
        }
    }

    fn advice(&self) -> Advice {
        let (exit, fault, hint) = match self {
            Self::Verb(error) => return error.advice(),
            Self::Password(error) => (error.exit(), "key password", error.hint()),
            Self::Epoch(_) => (Exit::Usage, "environment", Some("unset it, or give seconds")),
            Self::PlatformWithoutObject(_) => {
                (Exit::Usage, "command line", Some("write --platform linux/ARCH=OBJECT"))
            }
            Self::Output(_) | Self::Runtime(_) => (Exit::Failed, "host", None),
        };
        Advice { exit, fault, details: Vec::new(), hint: hint.map(str::to_owned) }
    }
}
