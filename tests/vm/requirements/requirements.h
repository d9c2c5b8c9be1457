/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every case begins with. There is no vmlinux.h: a case names the few things it needs itself,
 * so that what an object asks of a kernel is what is written in it.
 */
#ifndef REQUIREMENTS_H
#define REQUIREMENTS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* BPF_PROG of libbpf's bpf_tracing.h needs a target architecture; the context is an array anyway. */
#define ARGUMENT(ctx, at) (((__u64 *)(ctx))[at])

/* A map that is only there. */
#define MAP(name_, type_, key_, value_, entries_)                                                  \
	struct {                                                                                   \
		__uint(type, type_);                                                               \
		__uint(key_size, key_);                                                            \
		__uint(value_size, value_);                                                        \
		__uint(max_entries, entries_);                                                     \
	} name_ SEC(".maps")

/* A map with types, for those that demand BTF. */
#define TYPED_MAP(name_, type_, key_, value_, entries_)                                            \
	struct {                                                                                   \
		__uint(type, type_);                                                               \
		__type(key, key_);                                                                 \
		__type(value, value_);                                                             \
		__uint(max_entries, entries_);                                                     \
	} name_ SEC(".maps")

/* Storage beside a socket, an inode, a task or a cgroup. */
#define STORAGE(name_, type_)                                                                      \
	struct {                                                                                   \
		__uint(type, type_);                                                               \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__type(key, int);                                                                  \
		__type(value, __u64);                                                              \
	} name_ SEC(".maps")

/* A program that does nothing. */
#define PROGRAM(section_, answer_)                                                                 \
	SEC(section_) int program(void *ctx)                                                       \
	{                                                                                          \
		return answer_;                                                                    \
	}

/* A program that makes one call. */
#define CALL(section_, call_)                                                                      \
	SEC(section_) int program(void *ctx)                                                       \
	{                                                                                          \
		call_;                                                                             \
		return 0;                                                                          \
	}

/* One instruction, written as bytes: the compiler need not know it. */
#define INSTRUCTION(opcode, registers, offset, immediate)                                          \
	".byte " #opcode ", " #registers "\n.2byte " #offset "\n.4byte " #immediate "\n"

char LICENSE[] SEC("license") = "GPL";

#endif
