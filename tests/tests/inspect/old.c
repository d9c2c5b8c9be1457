// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// The object that runs today; new.c takes its place.
struct flow {
	__u32 source;
	__u32 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} kept SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} grown SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct flow);
} reordered SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} dropped SEC(".maps");

const volatile __u16 port = 80;
const volatile __u16 limit = 10;
const volatile __u8 obsolete = 1;

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	__u32 key = port + limit + obsolete;
	__u64 *seen = bpf_map_lookup_elem(&kept, &key);
	struct flow *flow = bpf_map_lookup_elem(&reordered, &key);

	if (seen && flow)
		__sync_fetch_and_add(seen, flow->packets);
	seen = bpf_map_lookup_elem(&grown, &key);
	return seen ? XDP_DROP : XDP_PASS;
}

SEC("tp/sched/sched_switch")
int on_switch(void *ctx)
{
	__u32 key = 0;
	__u64 *seen = bpf_map_lookup_elem(&dropped, &key);

	if (seen)
		__sync_fetch_and_add(seen, 1);
	return 0;
}

SEC("raw_tp/sched_switch")
int gone(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
