//! Runs a command to its end, with a deadline, and keeps what it said.
//!
//! Output goes to unnamed files rather than pipes: a daemon that a command leaves behind cannot
//! hold the reader, and no amount of output can block the command.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long [`run`] waits. Longer than anything a test starts, shorter than a hung CI job.
pub const DEADLINE: Duration = Duration::from_mins(2);

/// What a command that ended left.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunOutput {
    /// The command line, for messages.
    pub command: String,
    /// Exit code; 128 + the signal's number for a command that a signal ended, as shells have it.
    pub code: i32,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

/// A command that could not be run, or not to a good end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The program did not start: mostly, it is not installed.
    #[error("cannot start `{command}`")]
    Start {
        /// The command line.
        command: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The output or input could not be kept in a temporary file.
    #[error("cannot keep the output of `{command}`")]
    Output {
        /// The command line.
        command: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It ran past the deadline and was killed.
    #[error("`{}` was killed after {seconds} s: {}", output.command, output.last_line())]
    Deadline {
        /// How long it had.
        seconds: u64,
        /// What it had said by then.
        output: Box<RunOutput>,
    },
    /// It ended with a code other than 0.
    #[error("`{}` ended with code {}: {}", output.command, output.code, output.last_line())]
    Failed {
        /// Everything it said.
        output: Box<RunOutput>,
    },
}

/// Runs `command` to its end, whatever its exit code.
pub fn run(command: &mut Command) -> Result<RunOutput, RunError> {
    run_with(command, b"", DEADLINE)
}

/// Runs `command`; an exit code other than 0 is an error.
pub fn succeed(command: &mut Command) -> Result<RunOutput, RunError> {
    let output = run(command)?;
    if output.code == 0 { Ok(output) } else { Err(RunError::Failed { output: Box::new(output) }) }
}

/// Runs `command` with `input` on its standard input and a deadline of its own.
pub fn run_with(
    command: &mut Command,
    input: &[u8],
    deadline: Duration,
) -> Result<RunOutput, RunError> {
    let line = command_line(command);
    let keep = |source| RunError::Output { command: line.clone(), source };
    let stdout = tempfile::tempfile().map_err(keep)?;
    let stderr = tempfile::tempfile().map_err(keep)?;
    let mut stdin = tempfile::tempfile().map_err(keep)?;
    stdin.write_all(input).and_then(|()| stdin.rewind()).map_err(keep)?;

    let mut child = command
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout.try_clone().map_err(keep)?))
        .stderr(Stdio::from(stderr.try_clone().map_err(keep)?))
        .spawn()
        .map_err(|source| RunError::Start { command: line.clone(), source })?;

    let end = Instant::now() + deadline;
    let mut pause = Duration::from_millis(1);
    let (status, in_time) = loop {
        if let Some(status) = child.try_wait().map_err(keep)? {
            break (status, true);
        }
        if Instant::now() >= end {
            // Failing to kill means that it just ended; wait() tells how either way.
            let _ = child.kill();
            break (child.wait().map_err(keep)?, false);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    let output = RunOutput {
        code: code(status),
        stdout: read_back(stdout).map_err(keep)?,
        stderr: read_back(stderr).map_err(keep)?,
        command: line,
    };
    if in_time {
        Ok(output)
    } else {
        Err(RunError::Deadline { seconds: deadline.as_secs(), output: Box::new(output) })
    }
}

/// The command as a user would type it.
pub fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quote(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// One word for a POSIX shell.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn read_back(mut file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl RunOutput {
    /// Asserts the exit code and, when it differs, shows everything the command said.
    ///
    /// # Panics
    /// When the code differs.
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert!(self.code == code, "expected exit code {code} of {}", self.transcript());
        self
    }

    /// Asserts that `text` is on standard output.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn assert_stdout_has(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "no {text:?} on stdout of {}", self.transcript());
        self
    }

    /// Asserts that `text` is on standard error.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn assert_stderr_has(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no {text:?} on stderr of {}", self.transcript());
        self
    }

    /// Command, code and both outputs, for a person to read.
    pub fn transcript(&self) -> String {
        let mut text = format!("`{}`: code {}", self.command, self.code);
        for (name, output) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n--- {name}\n{}", output.trim_end());
        }
        text
    }

    /// What an error message can carry: the last thing that was complained about.
    fn last_line(&self) -> &str {
        let last = |text: &'_ str| text.trim_end().rfind('\n').map_or(0, |at| at + 1);
        let of = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        of[last(of)..].trim_end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn keeps_both_outputs_and_the_code() {
        let output = run(&mut shell("echo out; echo err >&2; exit 3")).unwrap();
        output.assert_code(3).assert_stdout_has("out").assert_stderr_has("err");
        assert_eq!(output.command, "sh -c 'echo out; echo err >&2; exit 3'");
    }

    #[test]
    fn a_bad_end_is_told_in_one_line() {
        let error = succeed(&mut shell("echo first; echo 'the cause' >&2; exit 1")).unwrap_err();
        let message = error.to_string();
        assert!(message.ends_with("ended with code 1: the cause"), "{message}");
    }

    #[test]
    fn input_arrives() {
        let output = run_with(&mut Command::new("cat"), b"typed", DEADLINE).unwrap();
        assert_eq!(output.stdout, "typed");
    }

    #[test]
    fn a_hanging_command_is_killed() {
        let mut hang = Command::new("sleep");
        let error = run_with(hang.arg("60"), b"", Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, RunError::Deadline { .. }), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program`");
    }
}
