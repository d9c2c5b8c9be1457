//! The command's side: start a worker, send a request, read the answer.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::error::KernelError;
use super::protocol::{Answer, Request, Response, read_message, write_message};

/// First argument of a worker process, followed by the command's process id.
pub const WORKER_ARGUMENT: &str = "__kernel-worker";

/// How much of a dead worker's standard error is shown, in bytes.
const OUTPUT_SHOWN: usize = 2000;

/// Runs `request` in a worker.
pub fn call(request: &Request) -> Result<Response, KernelError> {
    call_with_object(request, &[])
}

/// Runs `request`, a load, with the object's bytes after it.
pub fn call_with_object(request: &Request, object: &[u8]) -> Result<Response, KernelError> {
    let failed = |error: io::Error| KernelError::Worker { cause: error.to_string() };
    let mut child = Command::new("/proc/self/exe")
        .arg(WORKER_ARGUMENT)
        .arg(std::process::id().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // A worker that dies early breaks the pipe; its exit then says more than EPIPE does.
    let sent = send(&mut child, request, object);
    let answer = child.stdout.take().map(|mut out| read_message::<Answer>(&mut out));
    let mut output = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut output);
    }
    let status = child.wait().map_err(failed)?;
    match (sent, answer) {
        (Ok(()), Some(Ok(answer))) => answer,
        _ => Err(died(status, &output)),
    }
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
