//! One side's commands: what a user types, one after the other.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bpf_image_tests::run::command_line;

/// A measured command that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum LineError {
    /// It did not start.
    #[error("cannot start `{command}`")]
    Start {
        /// The command line.
        command: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It ended badly.
    #[error("`{command}` failed: {said}")]
    Failed {
        /// The command line.
        command: String,
        /// What it complained about.
        said: String,
    },
}

/// One command, and what to call it in the table.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl Call {
    pub(super) fn new(name: &'static str, program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { name, program: program.into(), arguments, environment: Vec::new() }
    }

    pub(super) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    pub(super) fn command(&self) -> Command {
        self.below(None)
    }

    /// The same program and settings with other arguments.
    pub(super) fn instead(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The command, run by `tool` with its `arguments` in front.
    pub(super) fn under(&self, tool: &str, arguments: &[&str]) -> Command {
        self.below(Some((tool, arguments)))
    }

    fn below(&self, tool: Option<(&str, &[&str])>) -> Command {
        let mut command = match tool {
            Some((tool, arguments)) => {
                let mut command = Command::new(tool);
                command.args(arguments).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command.args(&self.arguments).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// As a user types it: programs by their names, settings in the environment.
    fn shown(&self) -> String {
        let name = self.program.file_name().unwrap_or_default();
        command_line(Command::new(name).args(&self.arguments))
    }
}

/// The commands of one side.
#[derive(Debug, Clone)]
pub(super) struct Line(pub(super) Vec<Call>);

impl Line {
    /// Prints what will be run.
    pub(super) fn show(&self) {
        for call in &self.0 {
            println!("    $ {}", call.shown());
        }
    }

    /// Runs each to its end, and gives how long each took with starting it.
    pub(super) fn time(&self) -> Result<Vec<Duration>, LineError> {
        self.0.iter().map(time).collect()
    }
}

fn time(call: &Call) -> Result<Duration, LineError> {
    let mut command = call.command();
    let start = Instant::now();
    let output = command.output();
    let taken = start.elapsed();
    let output = output.map_err(|source| LineError::Start { command: call.shown(), source })?;
    if output.status.success() {
        return Ok(taken);
    }
    Err(failed(call, &output.stderr))
}

/// The error of a command that ended badly.
pub(super) fn failed(call: &Call, stderr: &[u8]) -> LineError {
    let said = String::from_utf8_lossy(stderr).trim().replace('\n', "; ");
    LineError::Failed { command: call.shown(), said }
}

/// The error of a command that did not start.
pub(super) fn not_started(call: &Call, source: io::Error) -> LineError {
    LineError::Start { command: call.shown(), source }
}
