//! The worker's side: one request, one answer, one thread, no tokio.
//!
//! All bpf(2) and netlink of the loader is below this folder, and all of its unsafe code in
//! `sys`. The worker is killed when the command that started it dies; what it left half-done is
//! described by the command's pending record.

mod attach;
mod clsact;
mod dump;
mod load;
mod mounts;
mod netns;
mod pins;
mod status;
mod sys;
mod tc;
mod unload;

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::error::KernelError;
use super::protocol::{Answer, Request, Response, read_message, write_message};
use super::spawn::VERBOSE;
use crate::checkpoint::checkpoint;
use crate::trace;

/// Runs one request from standard input. `arguments` are the process id of the command and, if
/// diagnostics are wanted, [`VERBOSE`].
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let parent = arguments.next();
    if arguments.next().is_some_and(|argument| argument == VERBOSE) {
        trace::start();
    }
    match serve(parent) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The command shows this as the worker's last words.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(parent: Option<OsString>) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The command may have died before the line above took effect.
    let expected: Option<i32> = parent.and_then(|pid| pid.to_str()?.parse().ok());
    if getppid().map(|pid| pid.as_raw_nonzero().get()) != expected {
        return Err(io::Error::other("the kernel worker is started by bpf-loader only"));
    }
    checkpoint("worker-started");
    let mut input = io::stdin().lock();
    let request: Request = read_message(&mut input)?;
    let answer: Answer = match request {
        Request::Load(plan) => {
            let length = usize::try_from(plan.object_len).map_err(io::Error::other)?;
            let mut object = vec![0; length];
            input.read_exact(&mut object)?;
            load::load(&plan, &object).map(Response::Loaded)
        }
        Request::Status(instances) => {
            Ok(Response::Status(instances.iter().map(status::status).collect()))
        }
        Request::Detach(installed) => unload::detach(&installed).map(|()| Response::Done),
        Request::Unload(installed) => unload::unload(&installed).map(|()| Response::Done),
        Request::UnloadOrphan(pin_dir) => unload::unload_orphan(&pin_dir).map(|()| Response::Done),
        Request::Dump(plan) => dump::dump(&plan).map(Response::Dump),
    };
    let mut output = io::stdout().lock();
    write_message(&mut output, &answer)?;
    output.flush()
}

/// The words of an error and of all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Several of aya's errors repeat their cause in their own message.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// The first system error number in an error's chain.
fn errno(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(number) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(number);
        }
        next = error.source();
    }
    None
}

/// Shared by every place where EPERM is the answer.
fn not_permitted(action: &str, cause: String) -> KernelError {
    KernelError::NotPermitted { action: action.to_owned(), cause }
}
