//! The command line: arguments to requests, responses to text. Everything else is in the verbs.

/// Prints a line; a reader that has gone away, such as `head`, is no error.
macro_rules! out {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(anstream::stdout(), $($words)*);
    }};
}

mod args;
mod check;
mod render;
mod run;
mod show;
mod table;

use std::process::ExitCode;

use bpf_image::report::{self, Exit};
use clap::{CommandFactory as _, Parser as _};

use self::args::{Cli, Command, Global};
use crate::error::LoaderError;
use crate::kernel::KernelError;
use crate::{trace, verbs};

/// Parses the command line and runs its verb.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.global.verbose {
        trace::start();
    }
    let done = match cli.command {
        Command::Run(arguments) => run::run(&arguments, &cli.global),
        Command::Check(arguments) => check::run(&arguments, &cli.global),
        Command::List(arguments) => verbs::list::list(&cli.global.paths())
            .map(|listing| table::listing(&listing, arguments.output)),
        Command::Show(arguments) => show::run(&arguments, &cli.global),
        Command::Detach(arguments) => {
            verbs::detach::detach(&arguments.name, &arguments.points, &cli.global.paths())
                .map(|record| render::detached(&record))
        }
        Command::Unload(arguments) => verbs::unload::unload(&arguments.name, &cli.global.paths())
            .map(|unloaded| render::unloaded(&unloaded)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "bpf-loader", &mut script);
            let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, &cli.global),
    }
}

fn fail(error: &LoaderError, global: &Global) -> ExitCode {
    let mut advice = error.advice();
    if global.verifier_log
        && let LoaderError::Kernel(KernelError::Rejected { log, .. }) = error
    {
        advice.details.extend(log.lines().map(str::to_owned));
        advice.hint = None;
    }
    anstream::eprint!("{}", report::render(error, &advice));
    exit(advice.exit)
}

fn exit(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}
