//! The stages of a load as they are passed: told to whoever asked for diagnostics, and, in a debug
//! build, where the tests kill the command by name.

/// `stage` is reached.
pub(crate) fn checkpoint(stage: &str) {
    tracing::debug!(stage);
    #[cfg(debug_assertions)]
    die_if_asked(stage);
}

/// The environment variable that names the stage to die at.
#[cfg(debug_assertions)]
const VARIABLE: &str = "BPF_LOADER_TEST_KILL_AT";

/// Ends the command by SIGKILL if a test asked for it at `stage`. In the worker, whose stages
/// start with `worker-`, that is its parent; the worker then dies as it does when a user kills
/// the command.
#[cfg(debug_assertions)]
fn die_if_asked(stage: &str) {
    use rustix::process::{Signal, getpid, getppid, kill_process};
    if std::env::var_os(VARIABLE).is_some_and(|wanted| wanted == stage) {
        let command = if stage.starts_with("worker-") { getppid() } else { Some(getpid()) };
        if let Some(command) = command {
            // The signal needs no second try: both run as the same user.
            let _ = kill_process(command, Signal::KILL);
        }
        loop {
            std::thread::park();
        }
    }
}
