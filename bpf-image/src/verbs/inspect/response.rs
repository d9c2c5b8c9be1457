//! What `inspect` answers: the shape of `inspect -o json|yaml`, whose schema is
//! `spec/schema/inspect-v1.json`.

use std::collections::BTreeMap;

use bpf_image_spec::Digest;
use bpf_image_spec::config::{Difference, ObjectSpec, Requires};
use schemars::JsonSchema;
use serde::Serialize;

use super::listing::Listing;

/// What there is to say of one file or image.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InspectResponse {
    /// The file that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The image that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageDetails>,
    /// Programs, maps, globals: of the bytes where they were read, else as the config has them.
    pub object: ObjectSpec,
    /// What a kernel must have, by the tables of this version or, without bytes, of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires: Option<Requires>,
    /// Whether `object` was read from the bytes.
    pub from_bytes: bool,
    /// Where the image declares something else than the bytes hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Mismatch>,
    /// Instructions, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disassembly: Vec<Listing>,
    /// BTF types in C, where they were asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, String>,
}

/// The image around the object.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageDetails {
    /// Its name.
    pub reference: String,
    /// Digest that the name stands for: of an index, where there is one.
    pub digest: Digest,
    /// Media type of that.
    pub media_type: String,
    /// Form of the manifest.
    pub form: String,
    /// Digest of the manifest.
    pub manifest: Digest,
    /// Manifests of an index, by platform.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<PlatformEntry>,
    /// The platform whose manifest was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Other platforms of the index that have the very same object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub same_object: Vec<String>,
    /// Where the objects of the platforms are not the same program: what the others have
    /// differently from the platform shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disagreements: Vec<Disagreement>,
    /// The layer that is, or holds, the object.
    pub layer: Layer,
    /// The manifest's annotations.
    pub annotations: BTreeMap<String, String>,
    /// What the labels say.
    pub labels: Labels,
}

/// A manifest of an index.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformEntry {
    /// `linux/amd64` …; `-` where the index names none.
    pub platform: String,
    /// The manifest.
    pub digest: Digest,
}

/// One thing that the object of another platform has differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disagreement {
    /// The other platform.
    pub platform: String,
    /// What differs, seen from the platform shown.
    pub what: String,
}

/// The layer that is, or holds, the object.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// Its media type.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Labels or annotations of the image, read.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Labels {
    /// `io.ebpf.programs`: name → type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub programs: Option<BTreeMap<String, String>>,
    /// `io.ebpf.maps`: name → type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maps: Option<BTreeMap<String, String>>,
    /// `dev.bpfimage.sections`: name → ELF section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sections: Option<BTreeMap<String, String>>,
    /// bpfman's first labels, which name one program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legacy: Option<Legacy>,
}

/// bpfman's first labels.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Legacy {
    /// The program.
    pub program: String,
    /// Its type, in either vocabulary.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub program_type: Option<String>,
    /// The object's file name in the layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// One place where the image declares something else than the bytes hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mismatch {
    /// Path into the object, such as `programs[xdp_count].section`.
    pub path: String,
    /// What is declared; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// What the bytes hold; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl From<Difference> for Mismatch {
    fn from(of: Difference) -> Self {
        Self { path: of.path, declared: of.declared, found: of.found }
    }
}
