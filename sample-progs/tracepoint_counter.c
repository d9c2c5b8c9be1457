// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts execve calls that succeeded. The section names its target, so it attaches with no flag.
 * sched_process_exec is in every kernel with tracepoints, and a test can cause one at will.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} execs SEC(".maps");

SEC("tracepoint/sched/sched_process_exec")
int tracepoint_counter(void *ctx)
{
	__u32 slot = 0;
	__u64 *count = bpf_map_lookup_elem(&execs, &slot);

	if (count)
		*count += 1;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
