// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * read-counter PINNED_MAP: prints the counter in slot 0 of a pinned per-CPU array, summed over the
 * CPUs. It knows the map's name and shape and nothing of the program that fills it: built once, it
 * reads on while the program under it goes from one version to the next.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static int fail(const char *what, const char *path, int error)
{
	fprintf(stderr, "read-counter: %s %s: %s\n", what, path, strerror(error));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct bpf_map_info info = {};
	__u32 info_len = sizeof(info), slot = 0;
	unsigned long long sum = 0;
	__u64 *values;
	int map, cpus;

	if (argc != 2) {
		fprintf(stderr, "usage: read-counter PINNED_MAP\n");
		return 2;
	}
	map = bpf_obj_get(argv[1]);
	if (map < 0)
		return fail("cannot open", argv[1], errno);
	if (bpf_obj_get_info_by_fd(map, &info, &info_len))
		return fail("not a map:", argv[1], errno);
	/* Another shape would have the lookup write past the buffer. */
	if (info.type != BPF_MAP_TYPE_PERCPU_ARRAY || info.key_size != sizeof(slot) ||
	    info.value_size != sizeof(*values))
		return fail("not a per-CPU array of 64-bit counters:", argv[1], EINVAL);

	cpus = libbpf_num_possible_cpus();
	if (cpus < 1)
		return fail("cannot count the CPUs for", argv[1], -cpus);
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return fail("no memory for", argv[1], ENOMEM);
	if (bpf_map_lookup_elem(map, &slot, values))
		return fail("cannot read", argv[1], errno);
	for (int cpu = 0; cpu < cpus; cpu++)
		sum += values[cpu];
	printf("%llu\n", sum);
	free(values);
	return EXIT_SUCCESS;
}
