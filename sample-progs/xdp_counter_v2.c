// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts ICMP over IPv4 only. Version 2 of xdp_counter_v1.c: the behaviour changed, the program's
 * name and the map did not, so a reader built for v1 keeps working and the count goes on.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

static __always_inline int is_icmp(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > end)
		return 0;
	return eth->h_proto == bpf_htons(ETH_P_IP) && ip->protocol == IPPROTO_ICMP;
}

SEC("xdp")
int xdp_counter(struct xdp_md *ctx)
{
	__u32 slot = 0;
	__u64 *count;

	if (!is_icmp(ctx))
		return XDP_PASS;
	count = bpf_map_lookup_elem(&packets, &slot);
	if (count)
		*count += 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
