//! Maps of an object and the names of their types.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One map that the object defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapSpec {
    /// Name of the map's symbol.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub map_type: MapType,
    /// Size of a key in bytes.
    pub key_size: u32,
    /// Size of a value in bytes.
    pub value_size: u32,
    /// Entries at most; 0 means: as many as the loading machine has CPUs (perf arrays), or none.
    pub max_entries: u32,
    /// `BPF_F_*` flags of map creation.
    #[serde(default)]
    pub flags: u32,
    /// Whether libbpf would pin the map.
    #[serde(default)]
    pub pinning: Pinning,
    /// BTF name of the key's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// BTF name of the value's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<String>,
}

/// Pinning that the object asks for (`LIBBPF_PIN_*`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pinning {
    /// None.
    #[default]
    None,
    /// Under the map's name; here: per instance.
    ByName,
}

macro_rules! map_types {
    ($($variant:ident = $number:literal / $label:literal),+ $(,)?) => {
        /// The kernel's `enum bpf_map_type` (uapi/linux/bpf.h), by the names of `io.ebpf.maps`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the kernel's names, documented by the kernel")]
        pub enum MapType {
            $(#[serde(rename = $label)] $variant,)+
        }

        impl MapType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The kernel's number.
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)+ }
            }

            /// The name in `io.ebpf.maps`.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// The type with the kernel's number, if this version knows it.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

map_types! {
    Unspecified = 0 / "unspec",
    Hash = 1 / "hash",
    Array = 2 / "array",
    ProgArray = 3 / "prog_array",
    PerfEventArray = 4 / "perf_event_array",
    PerCpuHash = 5 / "per_cpu_hash",
    PerCpuArray = 6 / "per_cpu_array",
    StackTrace = 7 / "stack_trace",
    CgroupArray = 8 / "cgroup_array",
    LruHash = 9 / "lru_hash",
    LruPerCpuHash = 10 / "lru_per_cpu_hash",
    LpmTrie = 11 / "lpm_trie",
    ArrayOfMaps = 12 / "array_of_maps",
    HashOfMaps = 13 / "hash_of_maps",
    DevMap = 14 / "devmap",
    SockMap = 15 / "sockmap",
    CpuMap = 16 / "cpumap",
    XskMap = 17 / "xskmap",
    SockHash = 18 / "sockhash",
    CgroupStorage = 19 / "cgroup_storage",
    ReuseportSockArray = 20 / "reuseport_sockarray",
    PerCpuCgroupStorage = 21 / "per_cpu_cgroup_storage",
    Queue = 22 / "queue",
    Stack = 23 / "stack",
    SkStorage = 24 / "sk_storage",
    DevMapHash = 25 / "devmap_hash",
    StructOps = 26 / "struct_ops",
    RingBuf = 27 / "ringbuf",
    InodeStorage = 28 / "inode_storage",
    TaskStorage = 29 / "task_storage",
    BloomFilter = 30 / "bloom_filter",
    UserRingBuf = 31 / "user_ringbuf",
    CgrpStorage = 32 / "cgrp_storage",
    Arena = 33 / "arena",
    InsnArray = 34 / "insn_array",
}

impl MapType {
    /// Whether each CPU has a value of its own.
    pub const fn is_per_cpu(self) -> bool {
        matches!(
            self,
            Self::PerCpuHash | Self::PerCpuArray | Self::LruPerCpuHash | Self::PerCpuCgroupStorage
        )
    }
}

impl fmt::Display for MapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip() {
        for map_type in MapType::ALL {
            assert_eq!(MapType::from_number(map_type.number()), Some(*map_type));
        }
        assert_eq!(MapType::from_number(9999), None);
    }
}
