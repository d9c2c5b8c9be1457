//! `cargo xtask lint`: every check that needs no kernel. All of them run, then the failed are named.

mod sources;

use std::process::{Command, Stdio};

use bpf_image_tests::run::RunError;

use crate::step::{cargo, say, step, with_causes};

/// Why the tree is not clean.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// Some checks failed; what they said is on the screen.
    #[error("failed: {}", checks.join(", "))]
    Checks {
        /// Their names.
        checks: Vec<&'static str>,
    },
    /// The files of the repository could not be listed.
    #[error("cannot list the repository's files")]
    Files(#[source] RunError),
}

/// Runs every check.
pub(crate) fn run() -> Result<(), Error> {
    let mut failed = Vec::new();

    say("house rules for sources");
    let complaints = sources::check_repository().map_err(Error::Files)?;
    if !complaints.is_empty() {
        println!("{}", complaints.join("\n"));
        failed.push("house rules");
    }

    let mut tool = |name, mut command: Command| {
        say(name);
        if let Err(error) = step(&mut command) {
            println!("{}", with_causes(&error));
            failed.push(name);
        }
    };
    tool("rustfmt", cargo(&["fmt", "--all", "--check"]));
    let mut clippy = cargo(&["clippy", "--workspace", "--all-targets", "--locked"]);
    clippy.args(["--", "-D", "warnings"]);
    tool("clippy", clippy);
    if has_cargo_deny() {
        tool("cargo-deny", cargo(&["deny", "check"]));
    } else {
        say("SKIPPED: cargo-deny is not installed, so licences and advisories go unchecked here");
    }

    if failed.is_empty() { Ok(()) } else { Err(Error::Checks { checks: failed }) }
}

fn has_cargo_deny() -> bool {
    let mut ask = cargo(&["deny", "--version"]);
    ask.stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}
