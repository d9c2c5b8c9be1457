// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One ability of the instruction set, of BTF or of the verifier each.

// case: feature_subprogram
static __attribute__((noinline)) int called(int x)
{
	asm volatile("" : "+r"(x));
	return x;
}
PROGRAM("socket", called(1))

// case: feature_global_function
__attribute__((noinline)) int called(int x)
{
	asm volatile("" : "+r"(x));
	return x;
}
PROGRAM("socket", called(1))

// case: feature_jmp32
SEC("socket") int program(void *ctx)
{
	asm volatile("w0 = 1\nif w0 == 1 goto +1\nw0 = 0" ::: "r0");
	return 0;
}

// case: feature_global_data
__u64 counter;
PROGRAM("socket", counter++ & 1)

// case: feature_constant
const volatile __u64 setting = 1;
PROGRAM("socket", setting & 1)

// case: feature_large_program
SEC("socket") int program(void *ctx)
{
	asm volatile(".rept 5000\nr0 = 0\n.endr" ::: "r0");
	return 0;
}

// case: feature_loop
SEC("socket") int program(void *ctx)
{
	asm volatile("r1 = 0\nr1 += 1\nif r1 < 10 goto -2" ::: "r1");
	return 0;
}

// case: feature_core_field
struct task_struct {
	int pid;
} __attribute__((preserve_access_index));
SEC("tp_btf/sched_switch") int program(void *ctx)
{
	struct task_struct *before = (struct task_struct *)ARGUMENT(ctx, 1);
	volatile int pid = before->pid;

	(void)pid;
	return 0;
}

// case: feature_tail_call_beside_calls
MAP(map, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1);
static __attribute__((noinline)) int called(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &map, 0);
	return 0;
}
SEC("tc") int program(struct __sk_buff *skb)
{
	return called(skb);
}

// case: feature_atomic_fetch_add
__u64 counter;
PROGRAM("socket", __sync_fetch_and_add(&counter, 1) & 1)

// case: feature_atomic_or
__u64 counter;
PROGRAM("socket", __sync_fetch_and_or(&counter, 1) & 1)

// case: feature_atomic_exchange
__u64 counter;
PROGRAM("socket", __sync_lock_test_and_set(&counter, 1) & 1)

// case: feature_atomic_compare
__u64 counter;
PROGRAM("socket", __sync_val_compare_and_swap(&counter, 1, 2) & 1)

// case: feature_atomic_add
__u64 counter;
SEC("socket") int program(void *ctx)
{
	__sync_fetch_and_add(&counter, 1);
	return 0;
}

// case: feature_v4_sign_extending_move
SEC("socket") int program(void *ctx)
{
	// r0 = (s8)r0
	asm volatile("r0 = 1\n" INSTRUCTION(0xbf, 0x00, 8, 0) ::: "r0");
	return 0;
}

// case: feature_v4_sign_extending_load
SEC("socket") int program(void *ctx)
{
	// r0 = *(s32 *)(r10 - 8)
	asm volatile("r0 = 1\n*(u64 *)(r10 - 8) = r0\n" INSTRUCTION(0x81, 0xa0, -8, 0) ::: "r0");
	return 0;
}

// case: feature_v4_signed_division
SEC("socket") int program(void *ctx)
{
	// r0 s/= 2
	asm volatile("r0 = 8\n" INSTRUCTION(0x37, 0x00, 1, 2) ::: "r0");
	return 0;
}

// case: feature_v4_byte_swap
SEC("socket") int program(void *ctx)
{
	// r0 = bswap16 r0
	asm volatile("r0 = 8\n" INSTRUCTION(0xd7, 0x00, 0, 16) ::: "r0");
	return 0;
}

// case: feature_v4_long_jump
SEC("socket") int program(void *ctx)
{
	// gotol +1, which something else jumps over
	asm volatile("r1 = 0\nif r1 == 0 goto +1\n" INSTRUCTION(0x06, 0x00, 0, 1) "r0 = 0\n"
		     ::: "r0", "r1");
	return 0;
}

// case: feature_may_goto
SEC("socket") int program(void *ctx)
{
	// may_goto +1
	asm volatile(INSTRUCTION(0xe5, 0x00, 1, 0) "r0 = 0\n" ::: "r0");
	return 0;
}

// case: feature_address_space_cast
struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
} map SEC(".maps");
SEC("syscall") int program(void *ctx)
{
	// r0 = addr_space_cast(r1, 0, 1), beside a mention of the arena
	asm volatile("r1 = %[map] ll\nr1 = 0\n" INSTRUCTION(0xbf, 0x10, 1, 1) ::[map] "i"(&map)
		     : "r0", "r1");
	return 0;
}

// case: feature_load_acquire
SEC("socket") int program(void *ctx)
{
	// r0 = load_acquire((u64 *)(r10 - 8))
	asm volatile("r0 = 1\n*(u64 *)(r10 - 8) = r0\n" INSTRUCTION(0xdb, 0xa0, -8, 0x100)
		     ::: "r0");
	return 0;
}

// case: feature_store_release
SEC("socket") int program(void *ctx)
{
	// store_release((u64 *)(r10 - 8), r0)
	asm volatile("r0 = 1\n*(u64 *)(r10 - 8) = r0\n" INSTRUCTION(0xdb, 0x0a, -8, 0x110)
		     ::: "r0");
	return 0;
}
