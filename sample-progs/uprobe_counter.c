// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts calls of a function in a user-space binary. Which one, the attach point says. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} calls SEC(".maps");

/* No argument is read, so struct pt_regs and its architecture stay out of this object. */
SEC("uprobe")
int uprobe_counter(void *ctx)
{
	__u32 slot = 0;
	__u64 *count = bpf_map_lookup_elem(&calls, &slot);

	if (count)
		*count += 1;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
