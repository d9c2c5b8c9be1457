// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One map each; the program beside it asks for nothing.

// case: map_hash
MAP(map, BPF_MAP_TYPE_HASH, 4, 8, 1);
PROGRAM("socket", 0)

// case: map_prog_array
MAP(map, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1);
PROGRAM("socket", 0)

// case: map_perf_event_array
MAP(map, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 1);
PROGRAM("socket", 0)

// case: map_percpu_hash
MAP(map, BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 1);
PROGRAM("socket", 0)

// case: map_stack_trace
MAP(map, BPF_MAP_TYPE_STACK_TRACE, 4, 80, 1);
PROGRAM("socket", 0)

// case: map_cgroup_array
MAP(map, BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 1);
PROGRAM("socket", 0)

// case: map_lru_hash
MAP(map, BPF_MAP_TYPE_LRU_HASH, 4, 8, 1);
PROGRAM("socket", 0)

// case: map_lpm_trie
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, 8);
	__uint(value_size, 8);
	__uint(max_entries, 1);
} map SEC(".maps");
PROGRAM("socket", 0)

// case: map_array_of_maps
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(max_entries, 1);
		__type(key, __u32);
		__type(value, __u64);
	});
} map SEC(".maps");
PROGRAM("socket", 0)

// case: map_devmap
MAP(map, BPF_MAP_TYPE_DEVMAP, 4, 4, 1);
PROGRAM("socket", 0)

// case: map_sockmap
MAP(map, BPF_MAP_TYPE_SOCKMAP, 4, 4, 1);
PROGRAM("socket", 0)

// case: map_cpumap
MAP(map, BPF_MAP_TYPE_CPUMAP, 4, 4, 1);
PROGRAM("socket", 0)

// case: map_xskmap
MAP(map, BPF_MAP_TYPE_XSKMAP, 4, 4, 1);
PROGRAM("socket", 0)

// case: map_sockhash
MAP(map, BPF_MAP_TYPE_SOCKHASH, 4, 4, 1);
PROGRAM("socket", 0)

// case: map_cgroup_storage
MAP(map, BPF_MAP_TYPE_CGROUP_STORAGE, 16, 8, 0);
PROGRAM("socket", 0)

// case: map_reuseport_sockarray
MAP(map, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 8, 1);
PROGRAM("socket", 0)

// case: map_queue
MAP(map, BPF_MAP_TYPE_QUEUE, 0, 8, 1);
PROGRAM("socket", 0)

// case: map_stack
MAP(map, BPF_MAP_TYPE_STACK, 0, 8, 1);
PROGRAM("socket", 0)

// case: map_sk_storage
STORAGE(map, BPF_MAP_TYPE_SK_STORAGE);
PROGRAM("socket", 0)

// case: map_devmap_hash
MAP(map, BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 1);
PROGRAM("socket", 0)

// case: map_ringbuf
MAP(map, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
PROGRAM("socket", 0)

// case: map_inode_storage
STORAGE(map, BPF_MAP_TYPE_INODE_STORAGE);
PROGRAM("socket", 0)

// case: map_task_storage
STORAGE(map, BPF_MAP_TYPE_TASK_STORAGE);
PROGRAM("socket", 0)

// case: map_bloom_filter
MAP(map, BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 16);
PROGRAM("socket", 0)

// case: map_user_ringbuf
MAP(map, BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096);
PROGRAM("socket", 0)

// case: map_cgrp_storage
STORAGE(map, BPF_MAP_TYPE_CGRP_STORAGE);
PROGRAM("socket", 0)

// case: map_arena
struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
} map SEC(".maps");
PROGRAM("socket", 0)

// case: map_insn_array
// BPF_MAP_TYPE_INSN_ARRAY is younger than the headers.
MAP(map, 34, 4, 16, 1);
PROGRAM("socket", 0)
