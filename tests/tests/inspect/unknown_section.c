// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("my_section")
int lost(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
