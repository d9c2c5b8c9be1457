//! Maps of an object and the names of their types.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    /// `map_extra`: hash functions of a bloom filter, address of an arena …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<u64>,
    /// NUMA node that the object asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numa_node: Option<u32>,
    /// Shape of the maps that a map of maps holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<InnerMapSpec>,
}

impl MapSpec {
    /// A map of which nothing is known but its name and type.
    pub const fn new(name: String, map_type: MapType) -> Self {
        Self {
            name,
            map_type,
            key_size: 0,
            value_size: 0,
            max_entries: 0,
            flags: 0,
            pinning: Pinning::None,
            key_type: None,
            value_type: None,
            extra: None,
            numa_node: None,
            inner: None,
        }
    }
}

/// Shape of the maps inside a map of maps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InnerMapSpec {
    /// Type.
    #[serde(rename = "type")]
    pub map_type: MapType,
    /// Size of a key in bytes.
    pub key_size: u32,
    /// Size of a value in bytes.
    pub value_size: u32,
    /// Entries at most.
    pub max_entries: u32,
    /// `BPF_F_*` flags of map creation.
    #[serde(default)]
    pub flags: u32,
    /// BTF name of the key's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// BTF name of the value's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<String>,
    /// `map_extra`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<u64>,
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
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the kernel's names, documented by the kernel")]
        pub enum MapType {
            $($variant,)+
            /// A type younger than this version, by the kernel's number; see [`MapType::of`].
            Unknown(u32),
        }

        impl MapType {
            /// Every type that has a name.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The kernel's number.
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)+ Self::Unknown(number) => number }
            }

            /// The name in `io.ebpf.maps`; `None` for a type that this version does not know.
            pub const fn known_label(self) -> Option<&'static str> {
                match self { $(Self::$variant => Some($label),)+ Self::Unknown(_) => None }
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
    ResizableHash = 35 / "rhash",
}

/// Before the number of a type that its writer had no name for.
const NUMBERED: &str = "type_";

/// A text that is no map type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a map type")]
pub struct MapTypeError(String);

impl MapType {
    /// The type with the kernel's number, known or not.
    pub const fn of(number: u32) -> Self {
        match Self::from_number(number) {
            Some(known) => known,
            None => Self::Unknown(number),
        }
    }

    /// The name in `io.ebpf.maps`: `type_N` where this version has none for number N.
    pub fn label(self) -> Cow<'static, str> {
        match self.known_label() {
            Some(label) => Cow::Borrowed(label),
            None => Cow::Owned(format!("{NUMBERED}{}", self.number())),
        }
    }

    /// Whether `label` means this type, by its name or by its number.
    pub fn matches_label(self, label: &str) -> bool {
        label.parse() == Ok(self)
    }

    /// Whether values are maps.
    pub const fn holds_maps(self) -> bool {
        matches!(self, Self::ArrayOfMaps | Self::HashOfMaps)
    }

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
        f.pad(&self.label())
    }
}

impl FromStr for MapType {
    type Err = MapTypeError;

    fn from_str(text: &str) -> Result<Self, MapTypeError> {
        let named = Self::ALL.iter().find(|known| known.known_label() == Some(text)).copied();
        // A writer without the name and a reader with it mean the same type.
        let numbered = || {
            let number = text.strip_prefix(NUMBERED)?.parse::<u32>().ok()?;
            (format!("{NUMBERED}{number}") == text).then(|| Self::of(number))
        };
        named.or_else(numbered).ok_or_else(|| MapTypeError(text.to_owned()))
    }
}

impl Serialize for MapType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.label())
    }
}

impl<'de> Deserialize<'de> for MapType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for MapType {
    fn schema_name() -> Cow<'static, str> {
        "MapType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<_> = Self::ALL.iter().filter_map(|known| known.known_label()).collect();
        schemars::json_schema!({
            "description": "The kernel's map type by name, or by number where the writer knew no name",
            "anyOf": [
                { "enum": names },
                { "type": "string", "pattern": "^type_(0|[1-9][0-9]*)$" }
            ]
        })
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

    #[test]
    fn type_without_a_name_keeps_its_number() {
        let json = serde_json::to_string(&MapType::of(9999)).expect("serialises");
        assert_eq!(json, r#""type_9999""#);
        assert_eq!(serde_json::from_str::<MapType>(&json).ok(), Some(MapType::Unknown(9999)));
        assert_eq!("type_27".parse(), Ok(MapType::RingBuf), "known by now");
        assert!(MapType::RingBuf.matches_label("ringbuf"));
        for bad in ["", "type_", "type_+1", "type_01", "type_4294967296", "Ringbuf"] {
            assert!(bad.parse::<MapType>().is_err(), "{bad}");
        }
    }
}
