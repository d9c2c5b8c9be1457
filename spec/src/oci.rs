//! The OCI documents that images are made of (image-spec 1.1: descriptor, manifest, index).
//!
//! Own types rather than a crate's because here a digest is always SHA-256 and a size never
//! negative: what parses can be fetched and hashed. Unknown fields are ignored; documents are
//! copied as bytes, so nothing is lost.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::media_type;

/// Largest manifest or index that is read (distribution-spec: 4 MiB is what registries take).
pub const MANIFEST_MAX: usize = 4 * 1024 * 1024;

/// Annotations, in the order of their keys.
pub type Annotations = BTreeMap<String, String>;

/// Content by type, digest and size (image-spec, "Content Descriptors").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Type of the content.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Size of the content in bytes.
    pub size: u64,
    /// Platform of an index entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<OciPlatform>,
    /// Artifact type of an index entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Annotations of this descriptor.
    #[serde(default, deserialize_with = "distinct", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
}

/// Platform of an index entry, as written; it may be one that BPF does not run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OciPlatform {
    /// Go's name of the architecture.
    pub architecture: String,
    /// Go's name of the operating system.
    pub os: String,
    /// Variant of the architecture, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// Image manifest (image-spec, "Image Manifest").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// Media type of this document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Type of the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Config blob.
    pub config: Descriptor,
    /// Layer blobs.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations of the image.
    #[serde(default, deserialize_with = "distinct", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
}

/// Image index (image-spec, "Image Index").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageIndex {
    /// Always 2.
    pub schema_version: u32,
    /// Media type of this document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Type of the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Manifests by platform.
    pub manifests: Vec<Descriptor>,
    /// Annotations of the index.
    #[serde(default, deserialize_with = "distinct", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
}

/// Either document that a reference may resolve to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// One image.
    Manifest(Box<Manifest>),
    /// Images by platform.
    Index(ImageIndex),
}

/// Bytes that are neither manifest nor index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Larger than [`MANIFEST_MAX`].
    #[error("manifest has {size} bytes, more than the {MANIFEST_MAX} accepted")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// Not JSON of the shape.
    #[error("manifest is not OCI manifest or index JSON")]
    Json(#[source] serde_json::Error),
    /// Another schema version than 2.
    #[error("manifest has schemaVersion {0}; OCI has 2")]
    SchemaVersion(u32),
    /// It says of itself that it is something else.
    #[error("manifest has media type `{0}`, which is neither manifest nor index")]
    MediaType(String),
    /// Both `layers` and `manifests`, which one client would read so and another otherwise
    /// (CVE-2021-41190).
    #[error("manifest has both `layers` and `manifests`")]
    Ambiguous,
}

impl Document {
    /// Reads a manifest or an index.
    pub fn from_json(bytes: &[u8]) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            schema_version: u32,
            media_type: Option<String>,
            layers: Option<serde::de::IgnoredAny>,
            manifests: Option<serde::de::IgnoredAny>,
        }
        if bytes.len() > MANIFEST_MAX {
            return Err(DocumentError::TooLarge { size: bytes.len() });
        }
        let shape: Shape = serde_json::from_slice(bytes).map_err(DocumentError::Json)?;
        if shape.schema_version != 2 {
            return Err(DocumentError::SchemaVersion(shape.schema_version));
        }
        if shape.layers.is_some() && shape.manifests.is_some() {
            return Err(DocumentError::Ambiguous);
        }
        let index = match shape.media_type.as_deref() {
            Some(media_type::OCI_INDEX | media_type::DOCKER_LIST) => true,
            Some(media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST) => false,
            Some(other) => return Err(DocumentError::MediaType(other.to_owned())),
            None => shape.manifests.is_some(),
        };
        if index {
            serde_json::from_slice(bytes).map(Self::Index).map_err(DocumentError::Json)
        } else {
            serde_json::from_slice(bytes)
                .map(|manifest| Self::Manifest(Box::new(manifest)))
                .map_err(DocumentError::Json)
        }
    }
}

impl Manifest {
    /// The bytes to store: compact JSON in the order of the fields.
    pub fn to_json(&self) -> Vec<u8> {
        json(self)
    }
}

impl ImageIndex {
    /// The bytes to store: compact JSON in the order of the fields.
    pub fn to_json(&self) -> Vec<u8> {
        json(self)
    }
}

impl Descriptor {
    /// Describes `content`, without platform or annotations.
    pub fn of(media_type: &str, content: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(content),
            size: content.len() as u64,
            platform: None,
            artifact_type: None,
            annotations: Annotations::new(),
        }
    }
}

/// Refuses a key that comes twice, as derived structs do for their fields; a plain map would keep
/// the last value where another reader keeps the first.
fn distinct<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Annotations, D::Error> {
    struct Strings;

    impl<'de> Visitor<'de> for Strings {
        type Value = Annotations;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of strings")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
            let mut annotations = Annotations::new();
            while let Some((key, value)) = map.next_entry::<String, String>()? {
                if annotations.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("annotation `{key}` comes twice")));
                }
                annotations.insert(key, value);
            }
            Ok(annotations)
        }
    }

    deserializer.deserialize_map(Strings)
}

/// Compact JSON of one of this crate's documents.
pub(crate) fn json(document: &impl Serialize) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "string keys and derived impls only: nothing can fail")]
    serde_json::to_vec(document).expect("a document of this crate serialises")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_manifest() -> Manifest {
        Manifest {
            schema_version: 2,
            media_type: Some(media_type::OCI_MANIFEST.to_owned()),
            artifact_type: None,
            config: Descriptor::of(media_type::OCI_EMPTY, b"{}"),
            layers: vec![],
            subject: None,
            annotations: Annotations::new(),
        }
    }

    #[test]
    fn manifest_round_trips() {
        let manifest = empty_manifest();
        let read = Document::from_json(&manifest.to_json());
        assert!(matches!(read, Ok(Document::Manifest(m)) if *m == manifest));
    }

    #[test]
    fn index_is_told_by_its_content_where_it_does_not_say() {
        let read = Document::from_json(br#"{"schemaVersion":2,"manifests":[]}"#);
        assert!(matches!(read, Ok(Document::Index(_))));
    }

    #[test]
    fn document_that_two_clients_read_differently_is_refused() {
        let both = br#"{"schemaVersion":2,"manifests":[],"layers":[]}"#;
        assert!(matches!(Document::from_json(both), Err(DocumentError::Ambiguous)));
    }

    #[test]
    fn duplicate_keys_are_refused() {
        for twice in [
            r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":[],"annotations":{"a":"x","\u0061":"y"}}"#,
        ] {
            let read = Document::from_json(twice.as_bytes());
            assert!(matches!(read, Err(DocumentError::Json(_))), "{twice}");
        }
    }

    #[test]
    fn foreign_or_huge_documents_are_refused() {
        let foreign = br#"{"schemaVersion":2,"mediaType":"text/plain","manifests":[]}"#;
        assert!(matches!(Document::from_json(foreign), Err(DocumentError::MediaType(_))));
        let huge = vec![b' '; MANIFEST_MAX + 1];
        assert!(matches!(Document::from_json(&huge), Err(DocumentError::TooLarge { .. })));
        let sha512 =
            br#"{"schemaVersion":2,"manifests":[{"mediaType":"a","size":1,"digest":"sha512:00"}]}"#;
        assert!(matches!(Document::from_json(sha512), Err(DocumentError::Json(_))));
    }
}
