//! Externs of an object: names that the kernel, or the loader in its stead, has to resolve.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One name that the object declares and does not define.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternSpec {
    /// Name: of a kernel function, a kernel variable, or a Kconfig option (`CONFIG_HZ`).
    pub name: String,
    /// Who has to give it.
    pub kind: ExternKind,
    /// Whether the object loads without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub weak: bool,
    /// BTF name of a variable's type; absent for a function and for a variable without a type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
}

/// Kind of an extern.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ExternKind {
    /// A value of the kernel's configuration (`__kconfig`).
    Kconfig,
    /// A kernel function (`__ksym`).
    Function,
    /// A kernel variable (`__ksym`).
    Variable,
}
