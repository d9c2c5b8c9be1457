//! Where the loader keeps things. Every path can be set; tests never use the defaults.

use std::path::PathBuf;

/// Directories of one loader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// What outlives a reboot: the image store.
    pub state: PathBuf,
    /// What runs now: records and the lock.
    pub run: PathBuf,
    /// Pins, on a bpffs.
    pub pins: PathBuf,
}

/// Default of [`Paths::state`].
pub const STATE: &str = "/var/lib/bpf-loader";
/// Default of [`Paths::run`].
pub const RUN: &str = "/run/bpf-loader";
/// Default of [`Paths::pins`].
pub const PINS: &str = "/sys/fs/bpf/bpf-loader";
/// The policy file where none is named.
pub const POLICY: &str = "/etc/bpf-image/policy.toml";

impl Default for Paths {
    fn default() -> Self {
        Self { state: STATE.into(), run: RUN.into(), pins: PINS.into() }
    }
}
