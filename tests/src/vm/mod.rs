//! Debian's kernels in virtual machines, and what is found out in them.
//!
//! A [`Kernel`] is chosen by its series, fetched by apt and unpacked into the cache; nothing is
//! installed. A [`Machine`] boots one under qemu without acceleration, which works everywhere, runs
//! a script and gives back the lines that it printed. A machine holds busybox and what the caller
//! put in, and no disk.

mod initrd;
mod kernel;
mod line;
mod loader;
mod machine;
pub mod minimum;
mod requirements;

pub use kernel::{Kernel, Series};
pub use line::{Line, Verdict};
pub use loader::load_object;
pub use machine::Machine;

use std::io;
use std::path::PathBuf;

use crate::peers::PeerError;
use crate::run::RunError;

/// Why a virtual machine did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VmError {
    /// The machine's processor is another than that of the kernels.
    #[error("the kernels are those of amd64, and this machine is {found}")]
    Architecture {
        /// What it is.
        found: &'static str,
    },
    /// Not a series of kernels.
    #[error("`{text}` is not a kernel series (MAJOR.MINOR)")]
    Series {
        /// What was given.
        text: String,
    },
    /// The archive has no such kernel, nor a younger one.
    #[error("{suite} has no kernel of the series {series} or of a younger one")]
    NoKernel {
        /// The series.
        series: Series,
        /// Where it was looked for.
        suite: &'static str,
    },
    /// Neither the cache nor the archive gave it.
    #[error("cannot get {what}")]
    Fetch {
        /// What is missing.
        what: String,
        /// Why.
        #[source]
        source: PeerError,
    },
    /// qemu is not installed.
    #[error("qemu-system-x86_64 is not installed; as root: apt-get install qemu-system-x86")]
    NoQemu,
    /// A compiler or a tool failed.
    #[error("cannot make {what}")]
    Make {
        /// What was to be made.
        what: String,
        /// How the tool ended.
        #[source]
        source: RunError,
    },
    /// Files could not be read or written.
    #[error("cannot use {path}")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// qemu failed, or ran past its deadline.
    #[error("the machine with kernel {series} did not end well; it said {output}")]
    Machine {
        /// Its kernel.
        series: Series,
        /// Where the output is kept.
        output: PathBuf,
        /// How qemu ended.
        #[source]
        source: RunError,
    },
    /// The machine went off before the script's end: mostly, the kernel panicked.
    #[error("the machine with kernel {series} went off before the end; it said {output}")]
    Unfinished {
        /// Its kernel.
        series: Series,
        /// Where the output is kept.
        output: PathBuf,
    },
    /// The product's programs, or files of the repository, are not as they should be.
    #[error("{what}")]
    Input {
        /// What is wrong with what.
        what: String,
    },
}

impl VmError {
    /// Whether the machine lacks what it takes, rather than that something went wrong.
    pub fn is_lack(&self) -> bool {
        matches!(self, Self::Architecture { .. } | Self::Fetch { .. } | Self::NoQemu)
    }
}
