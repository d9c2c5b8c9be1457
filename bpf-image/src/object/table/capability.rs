//! Capabilities that loading takes, by program type, map type and helper.
//!
//! From kernel/bpf/syscall.c (`is_net_admin_prog_type`, `is_perfmon_prog_type`, `map_create`) and
//! `bpf_base_func_proto` of Linux 6.12. Kernels before 5.8 want `CAP_SYS_ADMIN` for all of it.

use std::collections::BTreeSet;

use bpf_image_spec::config::{MapType, ObjectSpec, ProgramType};

const BPF: &str = "CAP_BPF";
const NET_ADMIN: &str = "CAP_NET_ADMIN";
const PERFMON: &str = "CAP_PERFMON";
const SYS_ADMIN: &str = "CAP_SYS_ADMIN";

/// Helpers that read the kernel's memory, for whoever may watch it.
const WATCHING: [&str; 13] = [
    "bpf_get_current_task",
    "bpf_get_current_task_btf",
    "bpf_perf_event_read_value",
    "bpf_probe_read",
    "bpf_probe_read_kernel",
    "bpf_probe_read_kernel_str",
    "bpf_probe_read_str",
    "bpf_probe_read_user",
    "bpf_probe_read_user_str",
    "bpf_snprintf",
    "bpf_snprintf_btf",
    "bpf_task_pt_regs",
    "bpf_trace_printk",
];

/// Everything that loading the whole object takes, sorted; attaching may take more.
pub(in crate::object) fn for_loading(spec: &ObjectSpec) -> BTreeSet<&'static str> {
    let mut all = BTreeSet::from([BPF]);
    for program in &spec.programs {
        match program.program_type.kernel_name() {
            "sched_cls" | "sched_act" | "xdp" | "lwt_in" | "lwt_out" | "lwt_xmit"
            | "lwt_seg6local" | "sk_skb" | "sk_msg" | "flow_dissector" | "cgroup_device"
            | "cgroup_sock" | "cgroup_sock_addr" | "cgroup_sockopt" | "cgroup_sysctl"
            | "sock_ops" | "netfilter" => {
                all.insert(NET_ADMIN);
            }
            "kprobe"
            | "tracepoint"
            | "perf_event"
            | "raw_tracepoint"
            | "raw_tracepoint_writable"
            | "tracing"
            | "lsm"
            | "struct_ops" => {
                all.insert(PERFMON);
            }
            // It may extend a program of any type.
            "ext" => all.extend([NET_ADMIN, PERFMON]),
            _ => {}
        }
        if program.helpers.iter().any(|name| WATCHING.contains(&name.as_str())) {
            all.insert(PERFMON);
        }
        if program.helpers.iter().any(|name| name == "bpf_probe_write_user") {
            all.insert(SYS_ADMIN);
        }
        // Programs are looked up by id, which only the administrator may.
        if program.program_type == ProgramType::Freplace {
            all.insert(SYS_ADMIN);
        }
    }
    let net_admin = |map_type| {
        matches!(
            map_type,
            MapType::SockMap
                | MapType::SockHash
                | MapType::DevMap
                | MapType::DevMapHash
                | MapType::XskMap
        )
    };
    if spec.maps.iter().any(|map| net_admin(map.map_type)) {
        all.insert(NET_ADMIN);
    }
    all
}
