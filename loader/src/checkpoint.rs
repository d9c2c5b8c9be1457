//! Where the tests kill the command: at each stage, by name. Nothing of it is in a release build.

/// The environment variable that names the stage to die at.
#[cfg(debug_assertions)]
const VARIABLE: &str = "BPF_LOADER_TEST_KILL_AT";

/// Ends this process by SIGKILL if a test asked for it at `stage`.
#[cfg(debug_assertions)]
pub(crate) fn checkpoint(stage: &str) {
    if std::env::var_os(VARIABLE).is_some_and(|wanted| wanted == stage) {
        let own = rustix::process::getpid();
        // The signal needs no second try: this process may always signal itself.
        let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
pub(crate) const fn checkpoint(_: &str) {}
