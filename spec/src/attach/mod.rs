//! Attach points (SPEC.md, "Attach points"): one text form for command lines, files and records.
//!
//! `PROGRAM=KIND:TARGET[,key=value…]`, for example `count=xdp:eth0,netns=blue,mode=generic`.
//! In names and paths `%`, `,`, `:` and control characters are percent-encoded, in the program's name
//! `=` and `/` as well.

mod error;
mod parse;
mod print;

pub use error::AttachPointError;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::ProgramSpec;

/// A program and where it is to be attached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AttachPoint {
    /// Name of the program in the object.
    pub program: String,
    /// Where.
    pub target: AttachTarget,
}

/// Where a program is to be attached. The kinds are those that this version can attach.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttachTarget {
    /// `xdp:INTERFACE[,netns=…][,mode=auto|native|generic]`: one program an interface.
    Xdp {
        /// Name of the network interface.
        interface: String,
        /// Network namespace of the interface; absent: the caller's.
        netns: Option<NetNs>,
        /// Driver or generic XDP.
        mode: XdpMode,
    },
    /// `tcx:INTERFACE,direction=ingress|egress[,netns=…]` (Linux 6.6): a link, many an interface.
    Tcx {
        /// Name of the network interface.
        interface: String,
        /// Network namespace of the interface; absent: the caller's.
        netns: Option<NetNs>,
        /// Incoming or outgoing packets; absent: as the section says.
        direction: Option<Direction>,
    },
    /// `tc:INTERFACE,direction=ingress|egress[,netns=…][,priority=N]`: a clsact filter.
    Tc {
        /// Name of the network interface.
        interface: String,
        /// Network namespace of the interface; absent: the caller's.
        netns: Option<NetNs>,
        /// Incoming or outgoing packets; absent: as the section says.
        direction: Option<Direction>,
        /// Filter priority, 1 (first) to 65535; 50 where none is given.
        priority: u16,
    },
    /// `tracepoint:CATEGORY/NAME`, as under `/sys/kernel/tracing/events`.
    Tracepoint {
        /// Directory under `events`.
        category: String,
        /// Directory under that.
        name: String,
    },
    /// `raw_tp:NAME`: the same point, with the kernel's own arguments.
    RawTracepoint {
        /// Name without category.
        name: String,
    },
    /// `uprobe:PATH:SYMBOL[+OFFSET]` or `uprobe:PATH:OFFSET`, `uretprobe:…`, `[,pid=PID]`.
    Uprobe {
        /// On return of the function rather than on entry.
        on_return: bool,
        /// Executable or shared library, absolute.
        path: PathBuf,
        /// Function; absent: `offset` counts from the start of the file.
        symbol: Option<String>,
        /// Bytes after the symbol, or into the file.
        offset: u64,
        /// Only this process; absent: every process.
        pid: Option<u32>,
    },
    /// `cgroup_skb:PATH[,direction=ingress|egress]`: packets of a cgroup v2.
    CgroupSkb {
        /// Directory of the cgroup, absolute.
        path: PathBuf,
        /// Incoming or outgoing packets; absent: as the section says.
        direction: Option<Direction>,
    },
}

/// A network namespace, as `netns=` names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NetNs {
    /// By `ip netns` name: a file in `/run/netns`.
    Name(String),
    /// By a path to its file (it holds a slash).
    Path(PathBuf),
    /// That of a process (digits only).
    Pid(u32),
}

/// How XDP runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum XdpMode {
    /// The driver's where it has one, otherwise generic: the kernel chooses.
    #[default]
    Auto,
    /// In the driver, or not at all.
    Native,
    /// In the network stack, on any interface.
    Generic,
}

/// Which way packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the machine.
    Ingress,
    /// Out of the machine.
    Egress,
}

/// Priority of a clsact filter where none is given; bpfman's default as well.
pub const TC_PRIORITY: u16 = 50;

impl AttachPoint {
    /// The attach point that the program's section names in full, if it does: programs such as
    /// `tracepoint/sched/sched_switch` attach with no flag, `xdp` names no interface.
    pub fn of_section(program: &ProgramSpec) -> Option<Self> {
        parse::of_section(program).map(|target| Self { program: program.name.clone(), target })
    }
}

impl AttachTarget {
    /// The kind as the text form writes it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Xdp { .. } => "xdp",
            Self::Tcx { .. } => "tcx",
            Self::Tc { .. } => "tc",
            Self::Tracepoint { .. } => "tracepoint",
            Self::RawTracepoint { .. } => "raw_tp",
            Self::Uprobe { on_return: false, .. } => "uprobe",
            Self::Uprobe { on_return: true, .. } => "uretprobe",
            Self::CgroupSkb { .. } => "cgroup_skb",
        }
    }

    /// The network namespace that was asked for; absent where the kind has none or none was.
    pub const fn netns(&self) -> Option<&NetNs> {
        match self {
            Self::Xdp { netns, .. } | Self::Tcx { netns, .. } | Self::Tc { netns, .. } => {
                netns.as_ref()
            }
            _ => None,
        }
    }
}

/// Kinds of the text form, for messages.
const KINDS: [&str; 8] =
    ["xdp", "tcx", "tc", "tracepoint", "raw_tp", "uprobe", "uretprobe", "cgroup_skb"];

#[cfg(test)]
mod tests;
