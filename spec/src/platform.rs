//! Platforms (SPEC.md, "Platforms"): `linux/ARCH` in Go's names, as OCI has it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A `linux/ARCH` platform an object is meant for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Platform {
    architecture: String,
}

/// A string that is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// Something other than `linux/`.
    #[error("platform `{0}` is not `linux/ARCH`; BPF objects run on Linux only")]
    NotLinux(String),
    /// An architecture that is not one of Go's names.
    #[error("platform `{0}` names an unknown architecture; known: {known}", known = ARCHITECTURES.map(|(name, _)| name).join(", "))]
    UnknownArchitecture(String),
}

/// Go's names of the architectures that have a BPF JIT, and whether they are big-endian.
const ARCHITECTURES: [(&str, bool); 9] = [
    ("386", false),
    ("amd64", false),
    ("arm", false),
    ("arm64", false),
    ("loong64", false),
    ("mips64le", false),
    ("ppc64le", false),
    ("riscv64", false),
    ("s390x", true),
];

impl Platform {
    /// The platform of the machine this runs on, if BPF images know it.
    pub fn host() -> Option<Self> {
        let architecture = match std::env::consts::ARCH {
            "x86" => "386",
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "loongarch64" => "loong64",
            other => other,
        };
        Self::from_architecture(architecture).ok()
    }

    /// `linux/` and the given architecture in Go's naming.
    pub fn from_architecture(architecture: &str) -> Result<Self, PlatformError> {
        format!("linux/{architecture}").parse()
    }

    /// The architecture in Go's naming, such as `amd64`.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// Whether objects for this platform are big-endian.
    pub fn is_big_endian(&self) -> bool {
        ARCHITECTURES.iter().any(|(name, big)| *name == self.architecture && *big)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.architecture)
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let architecture =
            text.strip_prefix("linux/").ok_or_else(|| PlatformError::NotLinux(text.to_owned()))?;
        // arm64 has one variant that matters to nobody here; Go's tools print it all the same.
        let architecture = architecture.strip_suffix("/v8").unwrap_or(architecture);
        if ARCHITECTURES.iter().any(|(name, _)| *name == architecture) {
            Ok(Self { architecture: architecture.to_owned() })
        } else {
            Err(PlatformError::UnknownArchitecture(text.to_owned()))
        }
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}

impl TryFrom<String> for Platform {
    type Error = PlatformError;

    fn try_from(text: String) -> Result<Self, PlatformError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_names() {
        let arm = "linux/arm64/v8".parse::<Platform>();
        assert_eq!(arm.as_ref().map(Platform::to_string), Ok("linux/arm64".to_owned()));
        assert!("linux/s390x".parse::<Platform>().is_ok_and(|p| p.is_big_endian()));
    }

    #[test]
    fn refuses_what_cannot_run_bpf() {
        assert!("windows/amd64".parse::<Platform>().is_err());
        assert!("linux/x86_64".parse::<Platform>().is_err());
        assert!("amd64".parse::<Platform>().is_err());
    }
}
