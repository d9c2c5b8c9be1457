// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One of everything that an object can hold: fuzz targets put other bytes into its sections. */

typedef unsigned int __u32;
typedef unsigned long long __u64;

#define SECTION(name) __attribute__((section(name), used))

struct flow {
	__u32 from, to;
	union {
		__u64 bytes;
		__u32 halves[2];
	};
};

enum verdict { DROP = 1, PASS };
enum wide { WIDE = 0x100000000 };

struct {
	int (*type)[1];
	struct flow *key;
	__u64 *value;
	int (*max_entries)[128];
	int (*pinning)[1];
	int (*map_flags)[1];
} flows SECTION(".maps");

struct inner {
	int (*type)[2];
	__u32 *key;
	__u64 *value;
	int (*max_entries)[4];
};

struct {
	int (*type)[12];
	int (*key_size)[4];
	int (*max_entries)[2];
	struct inner *values[];
} outer SECTION(".maps");

struct {
	int (*type)[3];
	__u32 *key;
	__u32 *value;
	int (*max_entries)[2];
} jumps SECTION(".maps");

const volatile __u32 limit = 7;
const volatile struct flow template_flow = { .from = 1 };
const volatile enum verdict verdict = PASS;
const volatile char label[16] = "label";
const volatile enum wide wide = WIDE;
static volatile const _Bool enabled = 1;
__u64 counter SECTION(".data.hot") = 3;
double unused_float SECTION(".data.float");
volatile __u64 seen;
extern int CONFIG_HZ __attribute__((section(".kconfig"), weak));
extern int kernel_function(void *) __attribute__((section(".ksyms"), weak));

struct task {
	int pid;
	struct task *parent;
} __attribute__((preserve_access_index));

static void *(*lookup)(void *, const void *) = (void *)1;
static __u64 (*now)(void) = (void *)5;
static long (*tail_call)(void *, void *, __u32) = (void *)12;

__attribute__((noinline)) int shared(struct flow *flow)
{
	__u64 *value = lookup(&flows, flow);
	if (value)
		__sync_fetch_and_add(value, now());
	return CONFIG_HZ > 100;
}

SECTION("xdp") int filter(void *context)
{
	struct flow flow = { .from = limit, .to = template_flow.to };
	seen++;
	counter += label[3] + wide;
	tail_call(context, &jumps, 0);
	return enabled ? shared(&flow) : verdict;
}

SECTION("?tc/ingress") int classify(void *context)
{
	__u32 key = 0;
	return lookup(&outer, &key) != 0;
}

SECTION("fentry/do_exit") int on_exit(struct task *task)
{
	struct flow flow = { .from = task->parent->pid };
	return shared(&flow);
}

SECTION("raw_tp.w/x") int calls_kernel(void *context)
{
	return kernel_function(context);
}

char _license[] SECTION("license") = "GPL";
