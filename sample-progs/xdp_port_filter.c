// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Drops IPv4 packets to one TCP or UDP port, which the user sets when the program is loaded. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TUNABLE __attribute__((btf_decl_tag("bpfimage:tunable")))

/* The port to drop, in host byte order; 0 drops nothing. */
const volatile __u16 drop_port TUNABLE = 0;

/* Not tagged: once one global is, the others are the author's and no user may set them. */
const volatile __u32 verdict = XDP_DROP;

/* How many packets were dropped. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} dropped SEC(".maps");

/* TCP and UDP headers both begin with these two. */
struct ports {
	__be16 source;
	__be16 dest;
};

/* The destination port in host byte order, or 0 where there is none to see. */
static __always_inline __u16 destination_port(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct ports *ports;

	if ((void *)(ip + 1) > end)
		return 0;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return 0;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return 0;
	/* A later fragment has payload where the ports would be. */
	if (ip->frag_off & bpf_htons(0x1fff))
		return 0;
	ports = (void *)ip + ip->ihl * 4;
	if ((void *)(ports + 1) > end)
		return 0;
	return bpf_ntohs(ports->dest);
}

SEC("xdp")
int xdp_port_filter(struct xdp_md *ctx)
{
	__u16 port = destination_port(ctx);
	__u32 slot = 0;
	__u64 *count;

	if (port == 0 || port != drop_port)
		return XDP_PASS;
	count = bpf_map_lookup_elem(&dropped, &slot);
	if (count)
		*count += 1;
	return verdict;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
