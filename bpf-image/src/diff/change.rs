//! One change, and whom it concerns.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// Whom a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Something that is done today stops working, or loses what it has counted.
    Breaking,
    /// Kernels that take the old object may refuse the new one.
    Kernel,
    /// Good to know.
    Other,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A program.
    Program,
    /// A map.
    Map,
    /// A global variable.
    Global,
    /// A helper that programs call.
    Helper,
    /// A kernel function that programs call.
    Kfunc,
    /// What a kernel must have.
    Kernel,
    /// The licence.
    License,
    /// The object as a whole.
    Object,
}

/// One change from the old object to the new.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Whom it concerns.
    pub impact: Impact,
    /// What changed.
    pub kind: Kind,
    /// Name of the program, map, global …; absent where it is the object as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What of it: `value size`, `section` …; `added` and `removed` for the whole of it.
    pub what: String,
    /// As it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// As it will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// What follows from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consequence: Option<String>,
}

/// [`Change::what`] of something that is new, and of something that is gone.
pub(super) const ADDED: &str = "added";
pub(super) const REMOVED: &str = "removed";

impl Change {
    pub(super) fn new(impact: Impact, kind: Kind, name: &str, what: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::of_object(impact, kind, what) }
    }

    pub(super) fn of_object(impact: Impact, kind: Kind, what: &str) -> Self {
        let what = what.to_owned();
        Self { impact, kind, name: None, what, old: None, new: None, consequence: None }
    }

    pub(super) fn between(self, old: impl Into<String>, new: impl Into<String>) -> Self {
        Self { old: Some(old.into()), new: Some(new.into()), ..self }
    }

    pub(super) fn so(self, consequence: &str) -> Self {
        Self { consequence: Some(consequence.to_owned()), ..self }
    }

    /// Whether users of two objects that are meant to be one would notice: the sizes, calls and
    /// instructions of objects compiled for several platforms differ with good reason.
    pub fn is_of_interface(&self) -> bool {
        let whole = self.what == ADDED || self.what == REMOVED;
        match self.kind {
            Kind::License => true,
            Kind::Program | Kind::Map | Kind::Global => whole || self.impact == Impact::Breaking,
            Kind::Helper | Kind::Kfunc | Kind::Kernel | Kind::Object => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Program => "program",
            Self::Map => "map",
            Self::Global => "global",
            Self::Helper => "helper",
            Self::Kfunc => "kernel function",
            Self::Kernel => "kernel",
            Self::License => "license",
            Self::Object => "object",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{} `{name}` ", self.kind)?;
        }
        f.write_str(&self.what)?;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, ": {old} -> {new}"),
            (Some(one), None) | (None, Some(one)) => write!(f, ": {one}"),
            (None, None) => Ok(()),
        }
    }
}
