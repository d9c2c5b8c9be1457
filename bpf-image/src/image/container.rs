//! Container image config (image-spec, "Image Configuration"): the parts that an image of BPF
//! code has and a reader needs.

use serde::{Deserialize, Serialize};

use super::label::{Names, Unique};

/// The config as it is read: labels and platform; the rest is ignored.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ContainerConfig {
    config: Option<Execution>,
}

#[derive(Debug, Deserialize)]
struct Execution {
    #[serde(rename = "Labels")]
    labels: Option<Unique>,
}

impl ContainerConfig {
    /// Reads the config blob's bytes.
    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The labels, in the order of their keys.
    pub(super) fn into_labels(self) -> Names {
        let labels = self.config.and_then(|config| config.labels);
        labels.unwrap_or_default().0
    }
}

/// The config as it is written, fields in the specification's order.
#[derive(Debug, Serialize)]
pub(super) struct NewContainerConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<&'a str>,
    pub(super) architecture: &'a str,
    pub(super) os: &'static str,
    pub(super) config: NewExecution<'a>,
    pub(super) rootfs: RootFs,
}

/// What Docker, podman and bpfman read of the config.
#[derive(Debug, Serialize)]
pub(super) struct NewExecution<'a> {
    #[serde(rename = "Labels")]
    pub(super) labels: &'a Names,
}

/// Digests of the uncompressed layers; containerd mounts nothing without them.
#[derive(Debug, Serialize)]
pub(super) struct RootFs {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) diff_ids: [bpf_image_spec::Digest; 1],
}

impl NewContainerConfig<'_> {
    /// The bytes of the config blob.
    pub(super) fn to_json(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "string keys and derived impls only")]
        serde_json::to_vec(self).expect("a config of strings serialises")
    }
}
