// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One program type each. Where the type and its target are settled by the name, the name is stable.

// case: section_socket
PROGRAM("socket", 0)

// case: section_sk_reuseport
PROGRAM("sk_reuseport", 1)

// case: section_sk_reuseport_migrate
PROGRAM("sk_reuseport/migrate", 1)

// case: section_kprobe
PROGRAM("kprobe", 0)

// case: section_uprobe
PROGRAM("uprobe", 0)

// case: section_uprobe_sleepable
PROGRAM("uprobe.s", 0)

// case: section_kprobe_multi attach
PROGRAM("kprobe.multi/vfs_read", 0)

// case: section_kprobe_session attach
PROGRAM("kprobe.session/vfs_read", 0)

// case: section_uprobe_multi attach
PROGRAM("uprobe.multi//proc/self/exe:main", 0)

// case: section_tc
PROGRAM("tc", 0)

// case: section_tcx attach
PROGRAM("tcx/ingress", 0)

// case: section_netkit attach
PROGRAM("netkit/primary", 0)

// case: section_action
PROGRAM("action", 0)

// case: section_tracepoint
PROGRAM("tracepoint/sched/sched_switch", 0)

// case: section_raw_tracepoint
PROGRAM("raw_tracepoint/sched_switch", 0)

// case: section_raw_tracepoint_writable
PROGRAM("raw_tracepoint.w/bpf_test_finish", 0)

// case: section_tp_btf
PROGRAM("tp_btf/sched_switch", 0)

// case: section_fentry
PROGRAM("fentry/vfs_read", 0)

// case: section_fexit
PROGRAM("fexit/vfs_read", 0)

// case: section_fmod_ret
PROGRAM("fmod_ret/security_file_open", 0)

// case: section_fentry_sleepable
PROGRAM("fentry.s/bpf_fentry_test1", 0)

// case: section_lsm
PROGRAM("lsm/file_open", 0)

// case: section_lsm_sleepable
PROGRAM("lsm.s/bprm_committed_creds", 0)

// case: section_lsm_cgroup
PROGRAM("lsm_cgroup/socket_bind", 1)

// case: section_iter
PROGRAM("iter/task", 0)

// case: section_iter_sleepable
PROGRAM("iter.s/task", 0)

// case: section_syscall
PROGRAM("syscall", 0)

// case: section_xdp
PROGRAM("xdp", XDP_PASS)

// case: section_xdp_frags
PROGRAM("xdp.frags", XDP_PASS)

// case: section_xdp_devmap
PROGRAM("xdp/devmap", XDP_PASS)

// case: section_xdp_cpumap
PROGRAM("xdp/cpumap", XDP_PASS)

// case: section_perf_event
PROGRAM("perf_event", 0)

// case: section_lwt_in
PROGRAM("lwt_in", 0)

// case: section_lwt_seg6local
PROGRAM("lwt_seg6local", 0)

// case: section_sockops
PROGRAM("sockops", 1)

// case: section_sk_skb
PROGRAM("sk_skb/stream_verdict", 1)

// case: section_sk_skb_verdict attach
MAP(map, BPF_MAP_TYPE_SOCKMAP, 4, 4, 1);
PROGRAM("sk_skb/verdict", 1)

// case: section_sk_msg
PROGRAM("sk_msg", 1)

// case: section_flow_dissector
PROGRAM("flow_dissector", 0)

// case: section_cgroup_skb
PROGRAM("cgroup_skb/egress", 1)

// case: section_cgroup_sock_create
PROGRAM("cgroup/sock_create", 1)

// case: section_cgroup_sock_release
PROGRAM("cgroup/sock_release", 1)

// case: section_cgroup_post_bind4
PROGRAM("cgroup/post_bind4", 1)

// case: section_cgroup_connect4
PROGRAM("cgroup/connect4", 1)

// case: section_cgroup_connect_unix
PROGRAM("cgroup/connect_unix", 1)

// case: section_cgroup_sendmsg_unix
PROGRAM("cgroup/sendmsg_unix", 1)

// case: section_cgroup_recvmsg_unix
PROGRAM("cgroup/recvmsg_unix", 1)

// case: section_cgroup_getpeername_unix
PROGRAM("cgroup/getpeername_unix", 1)

// case: section_cgroup_getsockname_unix
PROGRAM("cgroup/getsockname_unix", 1)

// case: section_cgroup_getpeername4
PROGRAM("cgroup/getpeername4", 1)

// case: section_cgroup_sysctl
PROGRAM("cgroup/sysctl", 1)

// case: section_cgroup_getsockopt
PROGRAM("cgroup/getsockopt", 1)

// case: section_cgroup_dev
PROGRAM("cgroup/dev", 1)

// case: section_sk_lookup
PROGRAM("sk_lookup", 1)

// case: section_netfilter
PROGRAM("netfilter", 1)
