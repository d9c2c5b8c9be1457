//! Config v1 (SPEC.md, "Config"): what an object is, as its image declares it.
//!
//! [`Config::object`] holds facts of the bytes; a loader finds them again and refuses an image
//! whose declaration differs. [`Config::requires`] is derived from tables that get better with
//! time, so it is advice and never compared.

mod difference;
mod external;
mod global;
mod map;
mod program;
mod relocation;
mod requires;

pub use difference::{Difference, differences};
pub use external::{ExternKind, ExternSpec};
pub use global::{Encoding, GlobalSpec};
pub use map::{InnerMapSpec, MapSpec, MapType, MapTypeError, Pinning};
pub use program::{ProgramSpec, ProgramType};
pub use relocation::{CoreKind, CoreRelocation};
pub use requires::{KernelVersion, KernelVersionError, Lookup, LookupKind, Reason, Requires};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The schema version this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Names that a config may list as critical and that this version honours: none so far.
const UNDERSTOOD: [&str; 0] = [];

/// Largest config blob that a reader accepts, in bytes.
pub const CONFIG_MAX: usize = 1024 * 1024;

/// The config of an image, version 1.
///
/// Unknown fields are ignored when read, so later versions may add some. A field that an older
/// reader must not ignore is named in [`Config::critical`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Always 1.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// Extensions that a reader has to understand; an unknown one means: refuse the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// What the object is: facts of its bytes.
    pub object: ObjectSpec,
    /// What the object is thought to need of a kernel: advice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<Requires>,
}

/// What one BPF ELF object is. The same bytes give the same value on every machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectSpec {
    /// SHA-256 of the ELF file.
    pub digest: Digest,
    /// Size of the ELF file in bytes.
    pub size: u64,
    /// Byte order of the instructions.
    pub endianness: Endianness,
    /// Content of the `license` section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Programs, in the order of their names.
    pub programs: Vec<ProgramSpec>,
    /// Maps that the object defines, in the order of their names; sections of globals left out.
    pub maps: Vec<MapSpec>,
    /// Global variables, in the order of their names.
    #[serde(default)]
    pub globals: Vec<GlobalSpec>,
    /// What the kernel or its configuration has to give, in the order of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub externs: Option<Vec<ExternSpec>>,
    /// Type information in the object.
    #[serde(default)]
    pub btf: BtfSpec,
}

/// Type information that an object carries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BtfSpec {
    /// Whether there is a `.BTF` section.
    #[serde(default)]
    pub present: bool,
    /// CO-RE relocations: with any, loading needs the BTF of the running kernel.
    #[serde(default)]
    pub core_relocations: u32,
    /// The distinct ones among them, sorted. A writer may leave them out where they are many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relocations: Option<Vec<CoreRelocation>>,
}

/// Byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Endianness {
    /// Least significant byte first (amd64, arm64 …).
    Little,
    /// Most significant byte first (s390x).
    Big,
}

/// A config that this version must not act upon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Larger than [`CONFIG_MAX`].
    #[error("config has {size} bytes, more than the {CONFIG_MAX} accepted")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// Not JSON of the schema's shape.
    #[error("config is not bpf-image config v1 JSON")]
    Json(#[source] serde_json::Error),
    /// Another schema version.
    #[error("config has schemaVersion {0}; this version reads {SCHEMA_VERSION}")]
    SchemaVersion(u32),
    /// An extension that must be understood and is not.
    #[error("config lists `{0}` as critical, which this version does not know")]
    Critical(String),
}

impl Config {
    /// Reads and checks config bytes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ConfigError> {
        /// Read first, so that a version 2 of another shape is refused by its number.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Versioned {
            schema_version: u32,
            #[serde(default)]
            critical: Vec<String>,
        }
        if bytes.len() > CONFIG_MAX {
            return Err(ConfigError::TooLarge { size: bytes.len() });
        }
        let head: Versioned = serde_json::from_slice(bytes).map_err(ConfigError::Json)?;
        if head.schema_version != SCHEMA_VERSION {
            return Err(ConfigError::SchemaVersion(head.schema_version));
        }
        if let Some(name) = head.critical.iter().find(|name| !UNDERSTOOD.contains(&name.as_str())) {
            return Err(ConfigError::Critical(name.clone()));
        }
        serde_json::from_slice(bytes).map_err(ConfigError::Json)
    }

    /// The bytes of the config blob: compact JSON, fields in the order of the schema.
    pub fn to_json(&self) -> Vec<u8> {
        crate::oci::json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minimal() -> serde_json::Value {
        serde_json::json!({
            "schemaVersion": 1,
            "object": {
                "digest": Digest::of(b"").to_string(), "size": 0, "endianness": "little",
                "programs": [], "maps": []
            }
        })
    }

    fn read(value: &serde_json::Value) -> Result<Config, ConfigError> {
        Config::from_json(value.to_string().as_bytes())
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let mut value = minimal();
        value["later"] = serde_json::json!({"x": 1});
        value["object"]["later"] = 1.into();
        assert!(read(&value).is_ok());
    }

    #[test]
    fn unknown_critical_name_is_refused() {
        let mut value = minimal();
        value["critical"] = serde_json::json!(["object.later"]);
        assert!(matches!(read(&value), Err(ConfigError::Critical(_))));
    }

    #[test]
    fn other_schema_version_is_refused_by_number() {
        let value = serde_json::json!({"schemaVersion": 2, "objects": []});
        assert!(matches!(read(&value), Err(ConfigError::SchemaVersion(2))));
    }

    #[test]
    fn duplicate_field_is_refused() {
        let text = minimal().to_string().replacen('{', r#"{"schemaVersion":1,"#, 1);
        assert!(matches!(Config::from_json(text.as_bytes()), Err(ConfigError::Json(_))));
    }

    #[test]
    fn oversized_config_is_refused_unread() {
        let bytes = vec![b' '; CONFIG_MAX + 1];
        assert!(matches!(Config::from_json(&bytes), Err(ConfigError::TooLarge { .. })));
    }
}
