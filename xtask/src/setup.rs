//! `cargo xtask setup`: packages, mounts and peers that the other jobs need.

use bpf_image_tests::peers::{self, Peer};
use bpf_image_tests::setup::{self, Plan, SetupError};
use bpf_image_tests::skip;

use crate::step::{StepError, say, step, with_causes};

/// Why the machine is not ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// Packages are missing.
    #[error(transparent)]
    Packages(#[from] SetupError),
    /// A mount failed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Loading programs and making namespaces is for root.
    #[error(
        "root is needed to load programs and make namespaces: sudo -E env \"PATH=$PATH\" cargo xtask …"
    )]
    NotRoot,
    /// In CI every peer has to be there.
    #[error("CI=true, so no peer may be missing, but: {}", missing.join(", "))]
    Peers {
        /// Their names.
        missing: Vec<&'static str>,
    },
}

/// Everything.
pub(crate) fn run() -> Result<(), Error> {
    packages()?;
    tracefs()?;
    peers()
}

/// Installs what is missing, having said what and how; then insists on root.
pub(crate) fn packages() -> Result<(), Error> {
    install(&Plan::for_this_machine())?;
    if setup::is_root() { Ok(()) } else { Err(Error::NotRoot) }
}

/// Installs a plan's packages, having said which and how.
pub(crate) fn install(plan: &Plan) -> Result<(), Error> {
    if plan.packages().is_empty() {
        say("every Debian package needed is installed");
    } else {
        say(&format!("missing, to be installed by apt: {}", plan.packages().join(", ")));
        for command in plan.commands() {
            println!("$ {command}");
        }
        plan.carry_out()?;
    }
    Ok(())
}

/// Mounts tracefs if nobody has: tracepoints cannot be attached without. It stays mounted.
pub(crate) fn tracefs() -> Result<(), Error> {
    if let Some(mut mount) = setup::tracefs_mount() {
        say("tracefs is not mounted, and tracepoints need it");
        step(&mut mount)?;
    }
    Ok(())
}

/// Fills the cache of independent tools. What cannot be had is named, and fatal in CI only.
pub(crate) fn peers() -> Result<(), Error> {
    say("independent tools, unpacked into a cache outside the repository");
    // Together they need each suite's list once. One that fails must not keep the others away, so
    // each is asked for again below.
    let _ = peers::fetch(&Peer::ALL);
    let mut missing = Vec::new();
    for peer in Peer::ALL {
        match peer.path() {
            Ok(path) => {
                let version = peer.version().unwrap_or_default();
                println!("    {} {version}: {}", peer.name(), path.display());
            }
            Err(error) => {
                println!("    MISSING {}: {}", peer.name(), with_causes(&error));
                missing.push(peer.name());
            }
        }
    }
    if missing.is_empty() || !skip::in_ci() { Ok(()) } else { Err(Error::Peers { missing }) }
}
