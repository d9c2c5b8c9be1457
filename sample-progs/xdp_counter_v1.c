// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts every packet that arrives on an interface. Version 1; see xdp_counter_v2.c. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Name and shape are the contract with user space (user/read_counter.c): v2 keeps both. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

SEC("xdp")
int xdp_counter(struct xdp_md *ctx)
{
	__u32 slot = 0;
	__u64 *count = bpf_map_lookup_elem(&packets, &slot);

	if (count)
		*count += 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
