// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

__u64 last;

// Reads a register of the traced code, at an offset that one architecture has.
SEC("kprobe/vfs_read")
int read_argument(struct pt_regs *ctx)
{
	last = PT_REGS_PARM1(ctx);
	return 0;
}

// Gets registers and leaves them alone: the same on every architecture.
SEC("kprobe/vfs_write")
int only_count(struct pt_regs *ctx)
{
	last++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
