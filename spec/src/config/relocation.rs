//! CO-RE relocations: what an object asks of the running kernel's types.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One question to the kernel's BTF. Those that ask the same are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoreRelocation {
    /// The type by the object's BTF, with its keyword: `struct task_struct`, `pid_t`. What follows
    /// three underscores is a flavour, which the kernel's name lacks.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The field: `mm.start_code`, `comm[0]`; the enumerator of an enum; absent where the question
    /// is about the type. Anonymous members on the way are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is asked.
    pub kind: CoreKind,
}

impl CoreRelocation {
    /// The type's name in the kernel: without keyword and flavour.
    pub fn kernel_name(&self) -> &str {
        let keywords = ["struct ", "union ", "enum "];
        let name = keywords.iter().find_map(|keyword| self.type_name.strip_prefix(keyword));
        let name = name.unwrap_or(&self.type_name);
        // As libbpf's `bpf_core_essential_name_len`: text on both sides, and only three.
        let flavour = name.rmatch_indices("___").find(|(at, _)| {
            *at > 0
                && !name[..*at].ends_with('_')
                && !name[at + 3..].is_empty()
                && !name[at + 3..].starts_with('_')
        });
        flavour.map_or(name, |(at, _)| &name[..at])
    }
}

impl fmt::Display for CoreRelocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.type_name)?;
        if let Some(field) = &self.field {
            write!(f, ".{field}")?;
        }
        write!(f, " ({})", self.kind)
    }
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident = $number:literal / $label:literal),+ $(,)?) => {
        /// The kernel's `enum bpf_core_relo_kind` (uapi/linux/bpf.h), by libbpf's names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum CoreKind {
            $($(#[doc = $doc])* #[serde(rename = $label)] $variant,)+
        }

        impl CoreKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The kernel's number.
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)+ }
            }

            /// libbpf's name.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// The kind with the kernel's number.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// Offset of a field in bytes
    FieldOffset = 0 / "byte_off",
    /// Size of a field in bytes
    FieldSize = 1 / "byte_sz",
    /// Whether the field exists
    FieldExists = 2 / "field_exists",
    /// Whether the field is signed
    FieldSigned = 3 / "signed",
    /// Left shift to take a bit field out
    FieldLeftShift = 4 / "lshift_u64",
    /// Right shift to take a bit field out
    FieldRightShift = 5 / "rshift_u64",
    /// Type id in the object
    TypeIdLocal = 6 / "local_type_id",
    /// Type id in the kernel
    TypeIdTarget = 7 / "target_type_id",
    /// Whether the type exists
    TypeExists = 8 / "type_exists",
    /// Size of the type
    TypeSize = 9 / "type_size",
    /// Whether the enumerator exists
    EnumExists = 10 / "enumval_exists",
    /// Value of the enumerator
    EnumValue = 11 / "enumval_value",
    /// Whether the type has the same shape
    TypeMatches = 12 / "type_matches",
}

impl CoreKind {
    /// Whether the kernel may answer no: the program asks in order to choose.
    pub const fn is_optional(self) -> bool {
        matches!(
            self,
            Self::FieldExists
                | Self::TypeIdLocal
                | Self::TypeExists
                | Self::EnumExists
                | Self::TypeMatches
        )
    }
}

impl fmt::Display for CoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_round_trip() {
        for kind in CoreKind::ALL {
            assert_eq!(CoreKind::from_number(kind.number()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.label().into()));
        }
        assert_eq!(CoreKind::from_number(13), None);
    }

    #[test]
    fn flavours_are_not_part_of_the_kernels_name() {
        for (name, kernel) in [
            ("struct task_struct", "task_struct"),
            ("struct task_struct___old", "task_struct"),
            ("pid_t", "pid_t"),
            ("unsigned long", "unsigned long"),
            ("struct ___x", "___x"),
            ("struct a____b", "a____b"),
            ("struct a___", "a___"),
            ("enum a___b___c", "a___b"),
        ] {
            let kind = CoreKind::TypeExists;
            let relocation = CoreRelocation { type_name: name.to_owned(), field: None, kind };
            assert_eq!(relocation.kernel_name(), kernel);
        }
    }
}
