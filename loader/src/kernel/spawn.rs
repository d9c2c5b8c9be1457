//! The command's side: start a worker, send a request, read the answer.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread;

use super::error::KernelError;
use super::protocol::{Answer, Request, Response, read_message, write_message};
use crate::trace;

/// First argument of a worker process, followed by the command's process id.
pub const WORKER_ARGUMENT: &str = "__kernel-worker";

/// Argument after that: the worker is to tell what it does.
pub(super) const VERBOSE: &str = "verbose";

/// How much of a worker's standard error is kept, in bytes.
const OUTPUT_KEPT: u64 = 64 * 1024;

/// How much of a dead worker's is shown, in bytes.
const OUTPUT_SHOWN: usize = 2000;

/// A worker that waits for its one request. It goes away when this is dropped.
#[derive(Debug)]
pub struct Worker {
    child: Child,
}

/// Runs `request` in a worker.
pub fn call(request: &Request) -> Result<Response, KernelError> {
    Worker::start()?.call(request, &[])
}

impl Worker {
    /// Starts one. It does nothing before its request, so it may be started long before that is
    /// known: starting takes as long as a registry takes to answer.
    pub fn start() -> Result<Self, KernelError> {
        let child = Command::new("/proc/self/exe")
            .arg(WORKER_ARGUMENT)
            .arg(std::process::id().to_string())
            .args(trace::is_on().then_some(VERBOSE))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        Ok(Self { child })
    }

    /// Runs `request`, with the object's bytes after it if it is a load.
    pub fn call(mut self, request: &Request, object: &[u8]) -> Result<Response, KernelError> {
        let child = &mut self.child;
        let words = child.stderr.take().map(|stderr| thread::spawn(move || last_words(stderr)));
        // A worker that dies early breaks the pipe; its exit then says more than EPIPE does.
        let sent = send(child, request, object);
        let answer = child.stdout.take().map(|mut out| read_message::<Answer>(&mut out));
        let status = child.wait().map_err(|error| failed(&error))?;
        let output = words.and_then(|words| words.join().ok()).unwrap_or_default();
        match (sent, answer) {
            (Ok(()), Some(Ok(answer))) => {
                // Diagnostics, if any: the worker has nothing else to say when it succeeds.
                eprint!("{output}");
                answer
            }
            (_, Some(Err(error))) if status.success() => Err(failed(&error)),
            _ => Err(died(status, &output)),
        }
    }
}

impl Drop for Worker {
    /// Without a request it has done nothing yet; with one it has ended.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn failed(error: &io::Error) -> KernelError {
    KernelError::Worker { cause: error.to_string() }
}

/// Reads standard error to its end, so that a talkative worker never waits for us, and keeps the
/// beginning of it.
fn last_words(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    let _ = stderr.by_ref().take(OUTPUT_KEPT).read_to_end(&mut kept);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}

fn send(child: &mut Child, request: &Request, object: &[u8]) -> io::Result<()> {
    let Some(mut stdin) = child.stdin.take() else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let mut message = Vec::new();
    write_message(&mut message, request)?;
    stdin.write_all(&message)?;
    stdin.write_all(object)
}

fn died(status: ExitStatus, output: &str) -> KernelError {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown status".to_owned(),
    };
    let start = output.len().saturating_sub(OUTPUT_SHOWN);
    let tail =
        output.char_indices().find(|(at, _)| *at >= start).map_or("", |(at, _)| &output[at..]);
    KernelError::WorkerDied { how, output: tail.trim().replace('\n', "; ") }
}
