// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One of everything that the reader of objects knows; never loaded.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct flow {
	__u32 address;
	__u16 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct flow);
	__type(value, __u64);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 4);
} jumps SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u8[12]);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [0] = &inner } };

enum level { LOW, HIGH = 7 };

const volatile __u16 port = 8080;
const volatile bool on = true;
const volatile char name[16] = "abc";
const volatile __s32 offset = -5;
const volatile enum level level = HIGH;
static const volatile __u64 limit = 5;
const int constant = 3;
__u64 counter;
__u32 initialised = 7;

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

static __noinline int look(struct flow *flow)
{
	__u64 *value = bpf_map_lookup_elem(&flows, flow);

	return value ? *value : constant;
}

__noinline int through(struct xdp_md *ctx)
{
	struct flow flow = { ctx->ingress_ifindex, 2 };

	return look(&flow) + bpf_get_smp_processor_id();
}

SEC("xdp") int first(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&counter, 1);
	if (on && ctx->ingress_ifindex == port)
		return through(ctx);
	return XDP_PASS + offset + level + limit + initialised + name[ctx->ingress_ifindex & 15];
}

SEC("xdp") int second(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &jumps, 0);
	return XDP_DROP;
}

SEC("tc") int classify(struct __sk_buff *skb)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	int pid = 0;

	bpf_probe_read_kernel(&pid, sizeof(pid), &task->pid);
	return pid;
}

SEC("?kprobe.multi/vfs_*") int many(void *ctx)
{
	return bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, (void *)&constant, 4);
}

static long callback(__u32 index, void *ctx)
{
	return bpf_ktime_get_ns() & 1;
}

SEC("tp/sched/sched_switch") int loops(void *ctx)
{
	bpf_loop(3, callback, 0, 0);
	return 0;
}

extern int bpf_a_kernel_function(int) __ksym;

SEC("fentry.s/do_nanosleep") int sleeps(void *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&outer, &key) != 0 ? bpf_a_kernel_function(1) : 0;
}
