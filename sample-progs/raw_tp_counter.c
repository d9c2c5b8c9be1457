// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts context switches through a raw tracepoint, which needs no tracefs to attach. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} switches SEC(".maps");

SEC("raw_tp/sched_switch")
int raw_tp_counter(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 slot = 0;
	__u64 *count = bpf_map_lookup_elem(&switches, &slot);

	if (count)
		*count += 1;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
