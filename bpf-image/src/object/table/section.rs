//! Section names with the program type that each stands for: libbpf's list, as data.

use bpf_image_spec::config::KernelVersion;
#[allow(
    clippy::enum_glob_use,
    reason = "a table of fifty names, with nothing else in the module"
)]
use bpf_image_spec::config::ProgramType::{self, *};

/// What one section name means.
#[derive(Debug, Clone, Copy)]
pub(in crate::object) struct Definition {
    /// The name, with no `?` before it.
    pub(in crate::object) name: &'static str,
    /// Type of the programs in it.
    pub(in crate::object) program_type: ProgramType,
    /// Whether `NAME/ANYTHING` means the same, with a target.
    pub(in crate::object) extras: bool,
    /// Whether the program may sleep.
    pub(in crate::object) sleepable: bool,
    /// First kernel that loads such a program.
    pub(in crate::object) since: KernelVersion,
}

const fn exact(
    name: &'static str,
    program_type: ProgramType,
    major: u16,
    minor: u16,
) -> Definition {
    let since = KernelVersion::new(major, minor);
    Definition { name, program_type, extras: false, sleepable: false, since }
}

const fn with_target(
    name: &'static str,
    program_type: ProgramType,
    major: u16,
    minor: u16,
) -> Definition {
    Definition { extras: true, ..exact(name, program_type, major, minor) }
}

const fn sleepable(definition: Definition) -> Definition {
    Definition { sleepable: true, ..definition }
}

/// Names of libbpf's `section_defs`, and the kernel that each needs (uapi/linux/bpf.h over time).
pub(in crate::object) const DEFINITIONS: &[Definition] = &[
    exact("socket", SocketFilter, 3, 19),
    exact("sk_reuseport/migrate", SkReuseport, 5, 14),
    exact("sk_reuseport", SkReuseport, 4, 19),
    with_target("kprobe", Kprobe, 4, 1),
    with_target("uprobe", Uprobe, 4, 1),
    sleepable(with_target("uprobe.s", Uprobe, 6, 0)),
    with_target("kretprobe", Kretprobe, 4, 1),
    with_target("uretprobe", Uretprobe, 4, 1),
    sleepable(with_target("uretprobe.s", Uretprobe, 6, 0)),
    with_target("kprobe.multi", Kprobe, 5, 18),
    with_target("kretprobe.multi", Kretprobe, 5, 18),
    with_target("kprobe.session", Kprobe, 6, 10),
    with_target("uprobe.multi", Uprobe, 6, 6),
    with_target("uretprobe.multi", Uretprobe, 6, 6),
    with_target("uprobe.session", Uprobe, 6, 13),
    sleepable(with_target("uprobe.multi.s", Uprobe, 6, 6)),
    sleepable(with_target("uretprobe.multi.s", Uretprobe, 6, 6)),
    sleepable(with_target("uprobe.session.s", Uprobe, 6, 13)),
    with_target("ksyscall", Kprobe, 4, 1),
    with_target("kretsyscall", Kretprobe, 4, 1),
    with_target("usdt", Usdt, 4, 1),
    sleepable(with_target("usdt.s", Usdt, 6, 0)),
    exact("tc/ingress", Tc, 4, 1),
    exact("tc/egress", Tc, 4, 1),
    exact("tcx/ingress", Tcx, 6, 6),
    exact("tcx/egress", Tcx, 6, 6),
    exact("tc", Tc, 4, 1),
    exact("classifier", Tc, 4, 1),
    exact("action", Action, 4, 1),
    exact("netkit/primary", Netkit, 6, 7),
    exact("netkit/peer", Netkit, 6, 7),
    with_target("tracepoint", Tracepoint, 4, 7),
    with_target("tp", Tracepoint, 4, 7),
    with_target("raw_tracepoint", RawTracepoint, 4, 17),
    with_target("raw_tp", RawTracepoint, 4, 17),
    with_target("raw_tracepoint.w", RawTracepointWritable, 5, 2),
    with_target("raw_tp.w", RawTracepointWritable, 5, 2),
    with_target("tp_btf", BtfTracepoint, 5, 5),
    // In bpftool 7.8; no header tells when the kernel took them, so the youngest one stands here.
    sleepable(with_target("raw_tracepoint.s", RawTracepoint, 7, 3)),
    sleepable(with_target("raw_tp.s", RawTracepoint, 7, 3)),
    sleepable(with_target("tp_btf.s", BtfTracepoint, 7, 3)),
    with_target("fentry", Fentry, 5, 5),
    with_target("fmod_ret", FmodRet, 5, 7),
    with_target("fexit", Fexit, 5, 5),
    sleepable(with_target("fentry.s", Fentry, 5, 10)),
    sleepable(with_target("fmod_ret.s", FmodRet, 5, 10)),
    sleepable(with_target("fexit.s", Fexit, 5, 10)),
    with_target("fsession", Fsession, 7, 0),
    sleepable(with_target("fsession.s", Fsession, 7, 0)),
    with_target("fentry.multi", Fentry, 7, 2),
    sleepable(with_target("fentry.multi.s", Fentry, 7, 2)),
    with_target("fexit.multi", Fexit, 7, 2),
    sleepable(with_target("fexit.multi.s", Fexit, 7, 2)),
    with_target("fsession.multi", Fsession, 7, 2),
    sleepable(with_target("fsession.multi.s", Fsession, 7, 2)),
    with_target("freplace", Freplace, 5, 6),
    with_target("lsm", Lsm, 5, 7),
    sleepable(with_target("lsm.s", Lsm, 5, 10)),
    with_target("lsm_cgroup", LsmCgroup, 6, 0),
    with_target("iter", Iter, 5, 8),
    sleepable(with_target("iter.s", Iter, 5, 18)),
    sleepable(exact("syscall", Syscall, 5, 14)),
    exact("xdp.frags/devmap", Xdp, 5, 18),
    exact("xdp/devmap", Xdp, 5, 8),
    exact("xdp.frags/cpumap", Xdp, 5, 18),
    exact("xdp/cpumap", Xdp, 5, 9),
    exact("xdp.frags", Xdp, 5, 18),
    exact("xdp", Xdp, 4, 8),
    exact("perf_event", PerfEvent, 4, 9),
    exact("lwt_in", LwtIn, 4, 10),
    exact("lwt_out", LwtOut, 4, 10),
    exact("lwt_xmit", LwtXmit, 4, 10),
    exact("lwt_seg6local", LwtSeg6local, 4, 18),
    exact("sockops", SockOps, 4, 13),
    exact("sk_skb/stream_parser", SkSkb, 4, 14),
    exact("sk_skb/stream_verdict", SkSkb, 4, 14),
    exact("sk_skb/verdict", SkSkb, 5, 13),
    exact("sk_skb", SkSkb, 4, 14),
    exact("sk_msg", SkMsg, 4, 17),
    exact("lirc_mode2", LircMode2, 4, 18),
    exact("flow_dissector", FlowDissector, 4, 20),
    exact("cgroup_skb/ingress", CgroupSkb, 4, 10),
    exact("cgroup_skb/egress", CgroupSkb, 4, 10),
    exact("cgroup/skb", CgroupSkb, 4, 10),
    exact("cgroup/sock_create", CgroupSock, 4, 10),
    exact("cgroup/sock_release", CgroupSock, 5, 9),
    exact("cgroup/sock", CgroupSock, 4, 10),
    exact("cgroup/post_bind4", CgroupSock, 4, 17),
    exact("cgroup/post_bind6", CgroupSock, 4, 17),
    exact("cgroup/bind4", CgroupSockAddr, 4, 17),
    exact("cgroup/bind6", CgroupSockAddr, 4, 17),
    exact("cgroup/connect4", CgroupSockAddr, 4, 17),
    exact("cgroup/connect6", CgroupSockAddr, 4, 17),
    exact("cgroup/connect_unix", CgroupSockAddr, 6, 7),
    exact("cgroup/sendmsg4", CgroupSockAddr, 4, 18),
    exact("cgroup/sendmsg6", CgroupSockAddr, 4, 18),
    exact("cgroup/sendmsg_unix", CgroupSockAddr, 6, 7),
    exact("cgroup/recvmsg4", CgroupSockAddr, 5, 2),
    exact("cgroup/recvmsg6", CgroupSockAddr, 5, 2),
    exact("cgroup/recvmsg_unix", CgroupSockAddr, 6, 7),
    exact("cgroup/getpeername4", CgroupSockAddr, 5, 8),
    exact("cgroup/getpeername6", CgroupSockAddr, 5, 8),
    exact("cgroup/getpeername_unix", CgroupSockAddr, 6, 7),
    exact("cgroup/getsockname4", CgroupSockAddr, 5, 8),
    exact("cgroup/getsockname6", CgroupSockAddr, 5, 8),
    exact("cgroup/getsockname_unix", CgroupSockAddr, 6, 7),
    exact("cgroup/sysctl", CgroupSysctl, 5, 2),
    exact("cgroup/getsockopt", CgroupSockopt, 5, 3),
    exact("cgroup/setsockopt", CgroupSockopt, 5, 3),
    exact("cgroup/dev", CgroupDevice, 4, 15),
    with_target("struct_ops", StructOps, 5, 6),
    sleepable(with_target("struct_ops.s", StructOps, 6, 3)),
    exact("sk_lookup", SkLookup, 5, 9),
    exact("netfilter", Netfilter, 6, 4),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::table::generated::{ATTACH_TYPES, PROGRAM_TYPES};

    fn header(table: &[(&str, u16, u16)], name: &str) -> KernelVersion {
        let found = table.iter().find(|(known, ..)| *known == name);
        let (_, major, minor) = found.unwrap_or_else(|| panic!("{name} is in no header"));
        KernelVersion::new(*major, *minor)
    }

    #[test]
    fn no_section_is_older_than_its_program_type() {
        for definition in DEFINITIONS {
            let kernel_name = definition.program_type.kernel_name();
            let since = header(PROGRAM_TYPES, kernel_name);
            assert!(definition.since >= since, "{}: {since}", definition.name);
        }
    }

    #[test]
    fn sections_are_as_old_as_their_attach_types() {
        for (section, attach_type) in [
            ("kprobe.multi", "trace_kprobe_multi"),
            ("kprobe.session", "trace_kprobe_session"),
            ("uprobe.multi", "trace_uprobe_multi"),
            ("uprobe.session", "trace_uprobe_session"),
            ("tcx/ingress", "tcx_ingress"),
            ("netkit/peer", "netkit_peer"),
            ("fentry", "trace_fentry"),
            ("fsession", "trace_fsession"),
            ("fentry.multi", "trace_fentry_multi"),
            ("fsession.multi", "trace_fsession_multi"),
            ("fmod_ret", "modify_return"),
            ("iter", "trace_iter"),
            ("lsm_cgroup", "lsm_cgroup"),
            ("sk_reuseport/migrate", "sk_reuseport_select_or_migrate"),
            ("sk_skb/verdict", "sk_skb_verdict"),
            ("xdp/devmap", "xdp_devmap"),
            ("xdp/cpumap", "xdp_cpumap"),
            ("cgroup/sock_release", "cgroup_inet_sock_release"),
            ("cgroup/bind4", "cgroup_inet4_bind"),
            ("cgroup/post_bind6", "cgroup_inet6_post_bind"),
            ("cgroup/connect_unix", "cgroup_unix_connect"),
            ("cgroup/sendmsg4", "cgroup_udp4_sendmsg"),
            ("cgroup/recvmsg4", "cgroup_udp4_recvmsg"),
            ("cgroup/getpeername4", "cgroup_inet4_getpeername"),
            ("cgroup/getsockopt", "cgroup_getsockopt"),
            ("cgroup/sysctl", "cgroup_sysctl"),
            ("sk_lookup", "sk_lookup"),
            ("netfilter", "netfilter"),
            ("flow_dissector", "flow_dissector"),
            ("sk_msg", "sk_msg_verdict"),
            ("lirc_mode2", "lirc_mode2"),
        ] {
            let definition = DEFINITIONS.iter().find(|d| d.name == section).expect("listed");
            assert_eq!(definition.since, header(ATTACH_TYPES, attach_type), "{section}");
        }
    }
}
