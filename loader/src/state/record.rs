//! One instance as it was loaded.

use std::fmt;
use std::fs;

use bpf_image_spec::Digest;
use bpf_image_spec::config::ObjectSpec;
use serde::{Deserialize, Serialize};

use crate::kernel::protocol::Installed;

/// The record format that is written; others are refused.
pub const FORMAT: u32 = 1;

/// Identifies an instance in paths: generated from its name, which is data and never a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceId(String);

impl InstanceId {
    /// The id of the instance called `name`: 16 hex digits of its SHA-256, after an `i`.
    pub fn of_name(name: &str) -> Self {
        let hex = Digest::of(name.as_bytes()).hex();
        Self(format!("i{}", hex.get(..16).unwrap_or_default()))
    }

    /// Reads an id as `list` shows it.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix('i')?;
        let is_id =
            hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        is_id.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What was loaded under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Version of this format.
    pub format: u32,
    /// The kernel's boot id: after a reboot nothing of the record is in the kernel.
    pub boot: String,
    /// Identity.
    pub id: InstanceId,
    /// The user's name for it.
    pub name: String,
    /// Counts upgrades.
    pub generation: u32,
    /// How far the load came.
    pub phase: Phase,
    /// Where it came from.
    pub image: ImageRecord,
    /// What the object is.
    pub object: ObjectSpec,
    /// What is in the kernel, or, while pending, may be.
    pub installed: Installed,
}

/// How far a load came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Begun. A record that stays so belongs to a command that was killed.
    Pending,
    /// Loaded and attached.
    Running,
    /// Loaded; its links were removed.
    Detached,
}

/// Where an instance came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRecord {
    /// The reference as it was asked for.
    pub reference: String,
    /// Digest that the reference resolved to, which is what was signed.
    pub digest: Digest,
    /// Digest of the platform's manifest.
    pub manifest: Digest,
    /// Policy scope that let it in.
    pub scope: String,
    /// Who signed.
    pub signers: Vec<SignerRecord>,
}

/// One signer that counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerRecord {
    /// Name in the policy.
    pub name: String,
    /// Id of the key.
    pub key: String,
}

impl Record {
    /// Whether the machine was booted anew since.
    pub fn is_stale(&self) -> bool {
        boot_id().is_some_and(|boot| boot != self.boot)
    }
}

/// The kernel's id of this boot.
pub fn boot_id() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_generated_and_read_back() {
        let id = InstanceId::of_name("../../etc");
        assert_eq!(InstanceId::parse(id.as_str()), Some(id));
        assert_ne!(InstanceId::of_name("a"), InstanceId::of_name("b"));
    }

    #[test]
    fn names_that_look_like_paths_are_no_ids() {
        for text in ["", "i", "../../../etc/passwd", "i000000000000000G", "i0000000000000000/"] {
            assert_eq!(InstanceId::parse(text), None, "{text}");
        }
    }
}
