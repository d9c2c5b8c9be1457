// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} packets_by_port_in SEC(".maps"), packets_by_port_out SEC(".maps");

SEC("xdp")
int count_packets_by_port(struct xdp_md *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&packets_by_port_in, &key) &&
	       bpf_map_lookup_elem(&packets_by_port_out, &key) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
