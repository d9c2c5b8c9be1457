// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// What takes the place of old.c: one change of every kind.
struct flow {
	__u32 packets;
	__u32 source;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} kept SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
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
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

const volatile __u16 port = 443;
const volatile __u32 limit = 10;

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	__u32 key = port + limit;
	__u64 *seen = bpf_map_lookup_elem(&kept, &key);
	struct flow *flow = bpf_map_lookup_elem(&reordered, &key);
	__u64 *event;

	if (seen && flow)
		__sync_fetch_and_add(seen, flow->packets);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		*event = bpf_ktime_get_ns();
		bpf_ringbuf_submit(event, 0);
	}
	seen = bpf_map_lookup_elem(&grown, &key);
	return seen ? XDP_DROP : XDP_PASS;
}

SEC("tp/sched/sched_wakeup")
int on_switch(void *ctx)
{
	return 0;
}

SEC("tcx/ingress")
int counter(struct __sk_buff *skb)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
