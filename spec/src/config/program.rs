//! Programs of an object and the vocabularies of their types.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One program: a function with a section of libbpf's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgramSpec {
    /// Name of the function.
    pub name: String,
    /// Name of the ELF section.
    pub section: String,
    /// Type, in the section vocabulary.
    #[serde(rename = "type")]
    pub program_type: ProgramType,
    /// What the section's name says after the type: `sched/sched_switch`, `ingress` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach_target: Option<String>,
    /// Whether the program may sleep (`.s` sections).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sleepable: bool,
    /// Instructions (8 bytes each) of the function itself.
    pub instructions: u32,
    /// Helpers that it or its subprograms call, by name (`bpf_map_lookup_elem`), sorted.
    #[serde(default)]
    pub helpers: Vec<String>,
    /// Kernel functions that it or its subprograms call, by name, sorted.
    #[serde(default)]
    pub kfuncs: Vec<String>,
    /// Maps that it or its subprograms use, by name, sorted.
    #[serde(default)]
    pub maps: Vec<String>,
    /// Bytes of stack at least: of the deepest chain of calls, as far as the bytes tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<u32>,
    /// Atomic operations of it and its subprograms, by name (`fetch_add`, `cmpxchg` …), sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atomics: Option<Vec<String>>,
    /// Maps through which it may call other programs, by name, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail_call_maps: Option<Vec<String>>,
    /// Whether it takes packets in several buffers (`xdp.frags` sections).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frags: Option<bool>,
}

impl ProgramSpec {
    /// A program of which nothing is known but its name, section and type.
    pub const fn new(name: String, section: String, program_type: ProgramType) -> Self {
        Self {
            name,
            section,
            program_type,
            attach_target: None,
            sleepable: false,
            instructions: 0,
            helpers: Vec::new(),
            kfuncs: Vec::new(),
            maps: Vec::new(),
            stack: None,
            atomics: None,
            tail_call_maps: None,
            frags: None,
        }
    }
}

macro_rules! program_types {
    ($($(#[doc = $doc:literal])* $variant:ident = $label:literal / $kernel:literal),+ $(,)?) => {
        /// A program's type in the section vocabulary, which `io.ebpf.programs` is written in.
        ///
        /// It is finer than the kernel's `enum bpf_prog_type` (uapi/linux/bpf.h): `fentry` and
        /// `fexit` are both `tracing` there. [`ProgramType::kernel_name`] gives the kernel's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum ProgramType {
            $($(#[doc = $doc])* #[serde(rename = $label)] $variant,)+
        }

        impl ProgramType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in the section vocabulary.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// The kernel's name as bpftool prints it, such as `sched_cls`.
            pub const fn kernel_name(self) -> &'static str {
                match self { $(Self::$variant => $kernel,)+ }
            }
        }
    };
}

program_types! {
    /// `SEC("xdp")`
    Xdp = "xdp" / "xdp",
    /// `SEC("tc")`, `SEC("classifier")`
    Tc = "tc" / "sched_cls",
    /// `SEC("tcx/…")`
    Tcx = "tcx" / "sched_cls",
    /// `SEC("netkit/…")`
    Netkit = "netkit" / "sched_cls",
    /// `SEC("action")`
    Action = "action" / "sched_act",
    /// `SEC("tp/…")`, `SEC("tracepoint/…")`
    Tracepoint = "tracepoint" / "tracepoint",
    /// `SEC("raw_tp/…")`
    RawTracepoint = "raw_tracepoint" / "raw_tracepoint",
    /// `SEC("raw_tp.w/…")`
    RawTracepointWritable = "raw_tracepoint_writable" / "raw_tracepoint_writable",
    /// `SEC("tp_btf/…")`
    BtfTracepoint = "tp_btf" / "tracing",
    /// `SEC("kprobe/…")`, `SEC("ksyscall/…")`
    Kprobe = "kprobe" / "kprobe",
    /// `SEC("kretprobe/…")`, `SEC("kretsyscall/…")`
    Kretprobe = "kretprobe" / "kprobe",
    /// `SEC("uprobe/…")`
    Uprobe = "uprobe" / "kprobe",
    /// `SEC("uretprobe/…")`
    Uretprobe = "uretprobe" / "kprobe",
    /// `SEC("usdt/…")`
    Usdt = "usdt" / "kprobe",
    /// `SEC("fentry/…")`
    Fentry = "fentry" / "tracing",
    /// `SEC("fexit/…")`
    Fexit = "fexit" / "tracing",
    /// `SEC("fsession/…")`: entry and exit in one program
    Fsession = "fsession" / "tracing",
    /// `SEC("fmod_ret/…")`
    FmodRet = "fmod_ret" / "tracing",
    /// `SEC("iter/…")`
    Iter = "iter" / "tracing",
    /// `SEC("freplace/…")`
    Freplace = "freplace" / "ext",
    /// `SEC("lsm/…")`
    Lsm = "lsm" / "lsm",
    /// `SEC("lsm_cgroup/…")`
    LsmCgroup = "lsm_cgroup" / "lsm",
    /// `SEC("perf_event")`
    PerfEvent = "perf_event" / "perf_event",
    /// `SEC("socket")`
    SocketFilter = "socket_filter" / "socket_filter",
    /// `SEC("sk_skb/…")`
    SkSkb = "sk_skb" / "sk_skb",
    /// `SEC("sk_msg")`
    SkMsg = "sk_msg" / "sk_msg",
    /// `SEC("sk_lookup")`
    SkLookup = "sk_lookup" / "sk_lookup",
    /// `SEC("sk_reuseport")`
    SkReuseport = "sk_reuseport" / "sk_reuseport",
    /// `SEC("sockops")`
    SockOps = "sock_ops" / "sock_ops",
    /// `SEC("cgroup_skb/…")`, `SEC("cgroup/skb")`
    CgroupSkb = "cgroup_skb" / "cgroup_skb",
    /// `SEC("cgroup/sock_create")` and its kin
    CgroupSock = "cgroup_sock" / "cgroup_sock",
    /// `SEC("cgroup/connect4")` and its kin
    CgroupSockAddr = "cgroup_sock_addr" / "cgroup_sock_addr",
    /// `SEC("cgroup/getsockopt")`, `SEC("cgroup/setsockopt")`
    CgroupSockopt = "cgroup_sockopt" / "cgroup_sockopt",
    /// `SEC("cgroup/sysctl")`
    CgroupSysctl = "cgroup_sysctl" / "cgroup_sysctl",
    /// `SEC("cgroup/dev")`
    CgroupDevice = "cgroup_device" / "cgroup_device",
    /// `SEC("flow_dissector")`
    FlowDissector = "flow_dissector" / "flow_dissector",
    /// `SEC("lwt_in")`
    LwtIn = "lwt_in" / "lwt_in",
    /// `SEC("lwt_out")`
    LwtOut = "lwt_out" / "lwt_out",
    /// `SEC("lwt_xmit")`
    LwtXmit = "lwt_xmit" / "lwt_xmit",
    /// `SEC("lwt_seg6local")`
    LwtSeg6local = "lwt_seg6local" / "lwt_seg6local",
    /// `SEC("lirc_mode2")`
    LircMode2 = "lirc_mode2" / "lirc_mode2",
    /// `SEC("netfilter")`
    Netfilter = "netfilter" / "netfilter",
    /// `SEC("struct_ops/…")`
    StructOps = "struct_ops" / "struct_ops",
    /// `SEC("syscall")`
    Syscall = "syscall" / "syscall",
    /// A section that is not on libbpf's list: nothing can load it without being told a type.
    Unspecified = "unspec" / "unspec",
}

impl ProgramType {
    /// Reads either vocabulary in circulation: the section names above, or the kernel's names
    /// that some bpfman images carry (`probe`, `tracing` …), which stand for several types.
    pub fn matches_label(self, label: &str) -> bool {
        let is_probe = self.kernel_name() == "kprobe";
        label == self.label()
            || label == self.kernel_name()
            || (label == "probe" && is_probe)
            || (label == "tcx" && self == Self::Tc)
            || (label == "tc" && self == Self::Tcx)
            || (label == "classifier" && self.kernel_name() == "sched_cls")
    }
}

impl fmt::Display for ProgramType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_distinct_and_serialise_as_themselves() {
        let mut labels: Vec<_> = ProgramType::ALL.iter().map(|t| t.label()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), ProgramType::ALL.len());
        for program_type in ProgramType::ALL {
            let json = serde_json::to_value(program_type);
            assert_eq!(json.ok(), Some(program_type.label().into()));
        }
    }

    #[test]
    fn both_vocabularies_match() {
        assert!(ProgramType::Fentry.matches_label("tracing"));
        assert!(ProgramType::Uretprobe.matches_label("probe"));
        assert!(ProgramType::Tc.matches_label("tcx"));
        assert!(!ProgramType::Xdp.matches_label("tc"));
    }
}
