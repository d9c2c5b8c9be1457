// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One helper each, in the kind of program that has it and needs the least.

// case: helper_ktime_get_ns
PROGRAM("socket", bpf_ktime_get_ns() & 1)

// case: helper_sk_release
SEC("tc") int program(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), -1, 0);

	if (sk)
		bpf_sk_release(sk);
	return 0;
}

// case: helper_jiffies64
PROGRAM("socket", bpf_jiffies64() & 1)

// case: helper_ktime_get_boot_ns
PROGRAM("socket", bpf_ktime_get_boot_ns() & 1)

// case: helper_ringbuf_query
MAP(map, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
PROGRAM("socket", bpf_ringbuf_query(&map, 0) & 1)

// case: helper_redirect_peer
PROGRAM("tc", bpf_redirect_peer(1, 0))

// case: helper_redirect_neigh
PROGRAM("tc", bpf_redirect_neigh(1, 0, 0, 0))

// case: helper_task_storage_delete
STORAGE(map, BPF_MAP_TYPE_TASK_STORAGE);
CALL("lsm/file_open", bpf_task_storage_delete(&map, bpf_get_current_task_btf()))

// case: helper_get_current_task_btf
CALL("fentry/vfs_read", bpf_get_current_task_btf())

// case: helper_bprm_opts_set
SEC("lsm/bprm_creds_for_exec") int program(void *ctx)
{
	bpf_bprm_opts_set((struct linux_binprm *)ARGUMENT(ctx, 0), 0);
	return 0;
}

// case: helper_ktime_get_coarse_ns
PROGRAM("socket", bpf_ktime_get_coarse_ns() & 1)

// case: helper_sock_from_file
SEC("lsm/file_open") int program(void *ctx)
{
	bpf_sock_from_file((struct file *)ARGUMENT(ctx, 0));
	return 0;
}

// case: helper_check_mtu
SEC("tc") int program(struct __sk_buff *skb)
{
	__u32 mtu = 0;

	return bpf_check_mtu(skb, 0, &mtu, 0, 0) & 1;
}

// case: helper_for_each_map_elem
MAP(map, BPF_MAP_TYPE_ARRAY, 4, 8, 1);
static long each(void *of, void *key, void *value, void *ctx)
{
	return 0;
}
PROGRAM("socket", bpf_for_each_map_elem(&map, each, 0, 0) & 1)

// case: helper_snprintf
SEC("kprobe") int program(void *ctx)
{
	static const char format[] = "x";
	char text[8] = {};

	return bpf_snprintf(text, sizeof(text), format, 0, 0) & 1;
}

// case: helper_sys_close
PROGRAM("syscall", bpf_sys_close(-1) & 1)

// case: helper_btf_find_by_name_kind
SEC("syscall") int program(void *ctx)
{
	char name[] = "int";

	return bpf_btf_find_by_name_kind(name, sizeof(name), 1, 0) & 1;
}

// case: helper_timer_cancel
struct value {
	struct bpf_timer timer;
};
TYPED_MAP(map, BPF_MAP_TYPE_ARRAY, __u32, struct value, 1);
SEC("tc") int program(void *ctx)
{
	__u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&map, &key);

	return value ? bpf_timer_cancel(&value->timer) & 1 : 0;
}

// case: helper_get_func_ip
PROGRAM("kprobe", bpf_get_func_ip(ctx) & 1)

// case: helper_get_attach_cookie
PROGRAM("kprobe", bpf_get_attach_cookie(ctx) & 1)

// case: helper_task_pt_regs
CALL("fentry/vfs_read", bpf_task_pt_regs(bpf_get_current_task_btf()))

// case: helper_get_branch_snapshot
SEC("kprobe") int program(void *ctx)
{
	char entries[24];

	return bpf_get_branch_snapshot(entries, sizeof(entries), 0) & 1;
}

// case: helper_trace_vprintk
SEC("kprobe") int program(void *ctx)
{
	static const char format[] = "x";

	return bpf_trace_vprintk(format, sizeof(format), 0, 0) & 1;
}

// case: helper_kallsyms_lookup_name
SEC("syscall") int program(void *ctx)
{
	char name[] = "vfs_read";
	__u64 address = 0;

	return bpf_kallsyms_lookup_name(name, sizeof(name), 0, &address) & 1;
}

// case: helper_find_vma
struct vm_area_struct;
static long found(struct task_struct *task, struct vm_area_struct *vma, void *ctx)
{
	return 0;
}
CALL("fentry/vfs_read", bpf_find_vma(bpf_get_current_task_btf(), 0, found, 0, 0))

// case: helper_loop
static long once(__u64 at, void *ctx)
{
	return 0;
}
PROGRAM("socket", bpf_loop(1, once, 0, 0) & 1)

// case: helper_strncmp
SEC("socket") int program(void *ctx)
{
	static const char text[] = "x";
	char own[2] = "y";

	return bpf_strncmp(own, sizeof(own), text) & 1;
}

// case: helper_get_func_arg_cnt
CALL("fentry/vfs_read", bpf_get_func_arg_cnt(ctx))

// case: helper_get_retval
PROGRAM("cgroup/getsockopt", bpf_get_retval() & 1)

// case: helper_set_retval
PROGRAM("cgroup/dev", bpf_set_retval(0) & 1)

// case: helper_xdp_get_buff_len
PROGRAM("xdp", bpf_xdp_get_buff_len(ctx) & 1)

// case: helper_xdp_load_bytes
SEC("xdp") int program(struct xdp_md *xdp)
{
	char bytes[4];

	return bpf_xdp_load_bytes(xdp, 0, bytes, sizeof(bytes)) & 1;
}

// case: helper_skb_set_tstamp
PROGRAM("tc", bpf_skb_set_tstamp(ctx, 0, 0) & 1)

// case: helper_copy_from_user_task
SEC("lsm.s/file_open") int program(void *ctx)
{
	char byte;

	bpf_copy_from_user_task(&byte, 1, 0, bpf_get_current_task_btf(), 0);
	return 0;
}

// case: helper_map_lookup_percpu_elem
MAP(map, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1);
SEC("socket") int program(void *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_percpu_elem(&map, &key, 0) == 0;
}

// case: helper_dynptr_from_mem
__u64 memory;
SEC("socket") int program(void *ctx)
{
	struct bpf_dynptr pointer;

	return bpf_dynptr_from_mem(&memory, sizeof(memory), 0, &pointer) & 1;
}

// case: helper_ringbuf_reserve_dynptr
MAP(map, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
SEC("socket") int program(void *ctx)
{
	struct bpf_dynptr pointer;

	bpf_ringbuf_reserve_dynptr(&map, 8, 0, &pointer);
	bpf_ringbuf_discard_dynptr(&pointer, 0);
	return 0;
}

// case: helper_skc_to_mptcp_sock
SEC("tc") int program(struct __sk_buff *skb)
{
	return skb->sk ? bpf_skc_to_mptcp_sock(skb->sk) == 0 : 0;
}

// case: helper_tcp_raw_check_syncookie_ipv4
#include <linux/ip.h>
#include <linux/tcp.h>
SEC("xdp") int program(struct xdp_md *xdp)
{
	struct iphdr *ip = (void *)(long)xdp->data;
	struct tcphdr *tcp = (void *)(ip + 1);

	if ((void *)(tcp + 1) > (void *)(long)xdp->data_end)
		return XDP_PASS;
	return bpf_tcp_raw_check_syncookie_ipv4(ip, tcp) ? XDP_DROP : XDP_PASS;
}

// case: helper_ktime_get_tai_ns
PROGRAM("socket", bpf_ktime_get_tai_ns() & 1)

// case: helper_user_ringbuf_drain
MAP(map, BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096);
static long sample(struct bpf_dynptr *pointer, void *ctx)
{
	return 0;
}
PROGRAM("socket", bpf_user_ringbuf_drain(&map, sample, 0, 0) & 1)

// case: helper_cgrp_storage_delete
STORAGE(map, BPF_MAP_TYPE_CGRP_STORAGE);
SEC("tp_btf/cgroup_mkdir") int program(void *ctx)
{
	bpf_cgrp_storage_delete(&map, (struct cgroup *)ARGUMENT(ctx, 0));
	return 0;
}
