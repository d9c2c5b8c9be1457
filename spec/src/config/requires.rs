//! What an object is thought to need of a kernel: advice, stamped with the tables' version.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kernel requirements derived by tables. A lower bound: Kconfig and backports are for the
/// loader to find out on the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Requires {
    /// Version of the tables that gave this.
    pub tables: String,
    /// Oldest kernel that has everything in [`Requires::reasons`].
    pub kernel: KernelVersion,
    /// Each requirement that is younger than the oldest kernel the tables cover, the youngest
    /// first.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// Whether loading needs the running kernel's BTF (`/sys/kernel/btf/vmlinux`).
    #[serde(default)]
    pub kernel_btf: bool,
    /// What loading will look for in the running kernel's BTF. A writer may leave it out where it
    /// is long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<Lookup>,
    /// Capabilities that loading takes, attaching left out: `CAP_BPF` …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
}

impl Requires {
    /// Each requirement of one program, the youngest first.
    pub fn reasons_of<'a>(&'a self, program: &'a str) -> impl Iterator<Item = &'a Reason> {
        let of = move |reason: &&Reason| {
            reason.programs.is_empty() || reason.programs.iter().any(|name| name == program)
        };
        self.reasons.iter().filter(of)
    }

    /// The oldest kernel that may load one program; `None` if any that the tables cover may.
    pub fn kernel_of(&self, program: &str) -> Option<KernelVersion> {
        self.reasons_of(program).map(|reason| reason.kernel).max()
    }
}

/// One name that loading looks for in the running kernel's BTF.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lookup {
    /// What it is.
    pub kind: LookupKind,
    /// Name in the kernel.
    pub name: String,
    /// Whether the object loads without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Programs that need it; empty: the object, whatever is loaded of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
}

/// What a name in the kernel's BTF stands for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LookupKind {
    /// A function that programs may call.
    Kfunc,
    /// A variable.
    Variable,
    /// A structure, union, enum or typedef that CO-RE relocations ask about.
    Type,
    /// A function that a program attaches to.
    Function,
    /// A tracepoint that a program attaches to.
    Tracepoint,
}

/// One requirement and the kernel that first met it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// Kernel version that first has it.
    pub kernel: KernelVersion,
    /// What: ``helper `bpf_ringbuf_reserve` ``, ``map type `ringbuf` `` …
    pub feature: String,
    /// Programs that need it; empty: the object, whatever is loaded of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
}

/// A kernel version as `MAJOR.MINOR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KernelVersion {
    /// 5 of 5.10.
    pub major: u16,
    /// 10 of 5.10.
    pub minor: u16,
}

/// A string that does not start with `MAJOR.MINOR`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kernel version (MAJOR.MINOR)")]
pub struct KernelVersionError(String);

impl KernelVersion {
    /// `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Reads the release that uname(2) gives, such as `6.12.41+deb13-cloud-amd64`.
    pub fn from_release(release: &str) -> Result<Self, KernelVersionError> {
        let bad = || KernelVersionError(release.to_owned());
        let (major, rest) = release.split_once('.').ok_or_else(bad)?;
        let minor = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        Ok(Self {
            major: major.parse().map_err(|_| bad())?,
            minor: minor.parse().map_err(|_| bad())?,
        })
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for KernelVersion {
    type Err = KernelVersionError;

    fn from_str(text: &str) -> Result<Self, KernelVersionError> {
        let version = Self::from_release(text)?;
        // Nothing may follow: `5.10.3` in a config would promise a precision that is not kept.
        if version.to_string() == text {
            Ok(version)
        } else {
            Err(KernelVersionError(text.to_owned()))
        }
    }
}

impl From<KernelVersion> for String {
    fn from(version: KernelVersion) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for KernelVersion {
    type Error = KernelVersionError;

    fn try_from(text: String) -> Result<Self, KernelVersionError> {
        text.parse()
    }
}

impl JsonSchema for KernelVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "KernelVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]+\\.[0-9]+$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_has_its_own_kernel() {
        let reason = |minor, feature: &str, programs: &[&str]| Reason {
            kernel: KernelVersion::new(5, minor),
            feature: feature.to_owned(),
            programs: programs.iter().map(ToString::to_string).collect(),
        };
        let requires = Requires {
            tables: "1".to_owned(),
            kernel: KernelVersion::new(5, 18),
            reasons: vec![reason(18, "new", &["a"]), reason(8, "old", &["a", "b"])],
            kernel_btf: false,
            lookups: vec![],
            capabilities: vec![],
        };
        assert_eq!(requires.kernel_of("a"), Some(KernelVersion::new(5, 18)));
        assert_eq!(requires.kernel_of("b"), Some(KernelVersion::new(5, 8)));
        assert_eq!(requires.kernel_of("c"), None);
        assert_eq!(requires.reasons_of("a").count(), 2);
    }

    #[test]
    fn versions_order_by_number() {
        assert!(KernelVersion::new(5, 9) < KernelVersion::new(5, 10));
    }

    #[test]
    fn reads_releases() {
        let debian = KernelVersion::from_release("6.12.41+deb13-cloud-amd64");
        assert_eq!(debian, Ok(KernelVersion::new(6, 12)));
        assert_eq!(KernelVersion::from_release("7.2-rc1"), Ok(KernelVersion::new(7, 2)));
        assert!(KernelVersion::from_release("linux").is_err());
        assert!("5.10.3".parse::<KernelVersion>().is_err());
    }
}
