//! One finding: code, severity, what is wrong, the way out.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A kernel or loader will refuse the object, or part of it.
    Error,
    /// It works on some machines, or surprises on all.
    Warning,
    /// Good to know; no gate asks for it.
    Note,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $label:literal),+ $(,)?) => {
        /// What kind of finding it is. The labels stay; new ones may come.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
        )]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])* #[serde(rename = $label)] $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The label, such as `no-license`.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }
        }
    };
}

codes! {
    /// A section that is on nobody's list.
    UnknownSection = "unknown-section",
    /// Helpers that the kernel keeps for GPL programs, under another licence.
    GplOnly = "gpl-only",
    /// No `license` section.
    NoLicense = "no-license",
    /// A map that has to have a size and has none.
    UnboundedMap = "unbounded-map",
    /// One object for several platforms that can serve one only.
    WrongPlatform = "wrong-platform",
    /// Maps in the form that libbpf 1.0 gave up.
    LegacyMaps = "legacy-maps",
    /// No BTF.
    NoBtf = "no-btf",
    /// DWARF, which no kernel reads.
    Dwarf = "dwarf",
    /// Tied to an architecture that nobody named.
    NoPlatform = "no-platform",
    /// Two names that are one after the kernel has cut them.
    SameName = "same-name",
    /// A name that the kernel cuts.
    LongName = "long-name",
    /// Nothing that could be loaded.
    NoPrograms = "no-programs",
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind it is.
    pub code: Code,
    /// What it is about: ``program `count` ``, ``map `flows` ``; absent: the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Finding {
    pub(super) fn new(severity: Severity, code: Code, message: String, fix: &str) -> Self {
        Self { severity, code, subject: None, message, fix: fix.to_owned() }
    }

    pub(super) fn about(self, kind: &str, name: &str) -> Self {
        Self { subject: Some(format!("{kind} `{name}`")), ..self }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
