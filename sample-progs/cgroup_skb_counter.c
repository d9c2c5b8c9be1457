// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts the packets that the processes of a control group send. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

SEC("cgroup_skb/egress")
int cgroup_skb_counter(struct __sk_buff *skb)
{
	__u32 slot = 0;
	__u64 *count = bpf_map_lookup_elem(&packets, &slot);

	if (count)
		*count += 1;
	/* 1 lets the packet pass. */
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
