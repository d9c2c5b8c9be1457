// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A decl tag makes the tagged globals tunable and no other.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define __tunable __attribute__((btf_decl_tag("bpfimage:tunable")))

const volatile __u32 untagged = 1;
const volatile __u32 tagged __tunable = 2;
__u32 in_data __tunable = 3;

SEC("xdp/older/spelling") int only(struct xdp_md *ctx)
{
	return untagged + tagged + in_data;
}
