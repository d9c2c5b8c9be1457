// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts the packets of one direction of an interface, from TCX or from a clsact filter. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

/* The plain name says neither the direction nor the way: the attach point does. */
SEC("tc")
int tc_counter(struct __sk_buff *skb)
{
	__u32 slot = 0;
	__u64 *count = bpf_map_lookup_elem(&packets, &slot);

	if (count)
		*count += 1;
	/* "Ask the next one" to clsact and to TCX alike (there it is called TCX_NEXT). */
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
