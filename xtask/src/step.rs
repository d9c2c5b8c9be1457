//! One step of a job: shown as a user would type it, then run with its output in view.

use std::error::Error;
use std::process::Command;

use bpf_image_tests::repo;
use bpf_image_tests::run::command_line;

/// A step that did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StepError {
    /// The program did not start.
    #[error("cannot start `{command}`")]
    Start {
        /// The command line.
        command: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It ended badly; what it said is on the screen.
    #[error("`{command}` failed")]
    Failed {
        /// The command line.
        command: String,
    },
}

/// Says what comes next.
pub(crate) fn say(what: &str) {
    println!("==> {what}");
}

/// Shows `command` and runs it in the repository's root.
pub(crate) fn step(command: &mut Command) -> Result<(), StepError> {
    let line = command_line(command);
    println!("$ {line}");
    let status = command.current_dir(repo::root()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(StepError::Failed { command: line }),
        Err(source) => Err(StepError::Start { command: line, source }),
    }
}

/// The cargo that runs us, with `arguments`.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments);
    cargo
}

/// An error and its causes on one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
