// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What goes beyond programs, maps and globals: externs, relocations, inner maps; never loaded.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <stdbool.h>

char LICENSE[] SEC("license") = "GPL";

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_BPF_JIT __kconfig __weak;
extern int bpf_a_kernel_function(int) __ksym;
extern int bpf_a_younger_function(int) __ksym __weak;
extern const void a_kernel_variable __ksym;

struct deep;
typedef int (*callback_t)(const char *name, struct deep *deep);

struct deep {
	unsigned long flags : 3;
	const char *const *names;
	int (*table[4])[8];
	callback_t callback;
	union {
		__u32 word;
		struct {
			__u16 low, high;
		};
	};
};

struct mm_struct {
	unsigned long start_code;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
	union {
		struct mm_struct *mm;
		long other;
	};
	char comm[16];
} __attribute__((preserve_access_index));

struct task_struct___old {
	int tgid;
} __attribute__((preserve_access_index));

enum attach_kind { ATTACH_FIRST, ATTACH_LAST = 5 };

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_LRU_HASH);
		__uint(max_entries, 7);
		__uint(map_flags, BPF_F_NO_COMMON_LRU);
		__type(key, __u64);
		__type(value, struct deep);
	});
} holds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 100);
	__uint(map_extra, 5);
	__uint(numa_node, 1);
	__type(value, __u32);
} bloom SEC(".maps");

struct {
	__uint(type, 4711);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} younger SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int (struct xdp_md *));
} jumps SEC(".maps");

struct deep kept;
__u64 word;

static __noinline int deeper(struct xdp_md *ctx)
{
	__u64 values[4] = { ctx->data, 1, 2, ctx->data_end };

	return bpf_map_push_elem(&bloom, values, 0);
}

SEC("xdp.frags") int jumping(struct xdp_md *ctx)
{
	__u32 key = ctx->rx_queue_index;

	if (bpf_map_lookup_elem(&holds, &key))
		bpf_tail_call(ctx, &jumps, 0);
	return deeper(ctx) + __sync_val_compare_and_swap(&word, 1, 2);
}

SEC("tp_btf/sched_switch") int asking(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct___old *old = (void *)task;
	unsigned long start = 0;

	if (bpf_core_field_exists(old->tgid))
		start += BPF_CORE_READ(old, tgid);
	start += BPF_CORE_READ(task, mm, start_code) + BPF_CORE_READ(task, comm[3]);
	start += bpf_core_type_exists(struct task_struct___old);
	start += bpf_core_enum_value(enum attach_kind, ATTACH_LAST);
	if (LINUX_KERNEL_VERSION > 0x60000 && CONFIG_BPF_JIT && bpf_a_younger_function)
		start += bpf_a_younger_function(1);
	return start + bpf_a_kernel_function(2) + (long)&a_kernel_variable + kept.word;
}

/* Only so that the map of another type is not dropped. */
SEC("socket") int filter(struct __sk_buff *skb)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&younger, &key) != 0;
}
