//! Global variables of an object, and which of them a node may set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One global variable in `.rodata*`, `.data*` or `.bss*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlobalSpec {
    /// Name of the variable.
    pub name: String,
    /// ELF section that holds it.
    pub section: String,
    /// BTF name of its type, qualifiers left out; absent without BTF.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// How a value is to be read and written; absent where it is not one number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// Size in bytes.
    pub size: u32,
    /// Initial value as hex in the object's byte order; absent where it is longer than 64 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether `--set` may change it (SPEC.md, "Tunables").
    #[serde(default)]
    pub tunable: bool,
}

/// Encoding of a scalar (BTF `INT`, `ENUM`, `ENUM64`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Unsigned integer.
    Unsigned,
    /// Two's complement integer.
    Signed,
    /// `true` or `false` in one byte.
    Bool,
    /// One character.
    Char,
}
