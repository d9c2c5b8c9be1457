//! What goes wrong at the kernel boundary. The errors cross a pipe, so causes are text.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the kernel, or the host around it, refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// bpf(2) or netlink said EPERM.
    #[error("the kernel does not permit {action}: {cause}")]
    NotPermitted {
        /// What was tried.
        action: String,
        /// The kernel's words.
        cause: String,
    },
    /// The verifier rejected a program.
    #[error("the kernel's verifier rejects program `{program}`: {summary}")]
    Rejected {
        /// The program.
        program: String,
        /// Last meaningful line of the log.
        summary: String,
        /// The whole log.
        log: String,
    },
    /// This kernel has no such program type, map type, link or feature.
    #[error("this kernel cannot {action}: {cause}")]
    Unsupported {
        /// What it cannot do.
        action: String,
        /// The kernel's words, or the version that first can.
        cause: String,
    },
    /// aya refuses the object.
    #[error("the object cannot be loaded: {cause}")]
    Object {
        /// aya's words.
        cause: String,
    },
    /// Something else holds the hook.
    #[error("cannot attach `{point}`: {cause}")]
    Busy {
        /// The attach point.
        point: String,
        /// What holds it.
        cause: String,
    },
    /// The attach point's target is not there.
    #[error("attach point `{point}`: {what} does not exist")]
    NoTarget {
        /// The attach point.
        point: String,
        /// Interface, namespace, tracepoint, symbol …
        what: String,
    },
    /// Attaching failed for another reason.
    #[error("cannot attach `{point}`: {cause}")]
    Attach {
        /// The attach point.
        point: String,
        /// The kernel's words.
        cause: String,
    },
    /// A mount that is needed is missing and cannot be made.
    #[error("{what} is not mounted at {path}: {cause}", path = path.display())]
    Mount {
        /// bpffs, tracefs …
        what: String,
        /// Where it was looked for.
        path: PathBuf,
        /// Why it could not be mounted.
        cause: String,
    },
    /// The directories for pins could not be made.
    #[error("cannot make {path}: {cause}", path = path.display())]
    NoPins {
        /// The directory.
        path: PathBuf,
        /// The kernel's words.
        cause: String,
    },
    /// A pin could not be made, opened or removed.
    #[error("cannot {action} {path}: {cause}", path = path.display())]
    Pin {
        /// `pin`, `open`, `remove` …
        action: String,
        /// The pin.
        path: PathBuf,
        /// The kernel's words.
        cause: String,
    },
    /// A map could not be read.
    #[error("cannot read map {path}: {cause}", path = path.display())]
    Map {
        /// The map's pin.
        path: PathBuf,
        /// The kernel's words.
        cause: String,
    },
    /// The worker ended without an answer: a panic, or a signal.
    #[error("the kernel worker ended without an answer ({how}): {output}")]
    WorkerDied {
        /// Exit status or signal.
        how: String,
        /// The end of what it wrote to its standard error.
        output: String,
    },
    /// The worker could not be started or talked to.
    #[error("the kernel worker could not be run: {cause}")]
    Worker {
        /// The system's words.
        cause: String,
    },
}

impl KernelError {
    /// Whether the kernel is at fault, rather than the host's set-up: exit code 4, not 1.
    pub const fn kernel_cannot(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::Unsupported { .. } | Self::Object { .. })
    }

    /// Whether it came before anything was made, so that there is nothing to take away.
    pub const fn is_before_pins(&self) -> bool {
        matches!(self, Self::Mount { .. } | Self::NoPins { .. })
    }

    /// One hint.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotPermitted { .. } => {
                "loading needs root, or CAP_BPF with CAP_NET_ADMIN or CAP_PERFMON by program type; \
                 a kernel in lockdown, or an LSM, can refuse it even to root"
            }
            Self::Rejected { .. } => "`--verifier-log` prints the verifier's whole log",
            Self::Unsupported { .. } | Self::Object { .. } => {
                "`bpf-loader check IMAGE` lists what the image needs and what this kernel has"
            }
            Self::Busy { .. } => {
                "`bpf-loader list` shows what is ours; `bpftool net` and `bpftool link` show all"
            }
            Self::Mount { what, .. } if what == "bpffs" => {
                "run as root with the default `--pin-dir`, or mount a bpffs (`mount -t bpf`) above \
                 the one that is given"
            }
            Self::Mount { .. } => "mount it, or run as root so that it can be mounted",
            Self::Pin { .. } | Self::NoPins { .. } => {
                "pins need root, or a directory of one's own on a bpffs (`--pin-dir`)"
            }
            Self::WorkerDied { .. } => {
                "please report this, with the image's digest; `bpf-loader list` shows what is there"
            }
            Self::NoTarget { .. }
            | Self::Attach { .. }
            | Self::Map { .. }
            | Self::Worker { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
