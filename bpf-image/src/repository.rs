//! A repository: a place that holds images under tags and digests, be it in a registry or in an
//! OCI image layout on disk.
//!
//! What comes out of here was hashed on the way: a [`Fetched`] has no other constructor. Every
//! read is bounded, whatever a header or descriptor claims.

pub(crate) mod entries;
mod error;

use bpf_image_spec::oci::{Descriptor, Document, DocumentError};
use bpf_image_spec::reference::is_tag;
use bpf_image_spec::{Digest, Reference, RegistryReference};
use serde::Deserialize;

pub use error::{Cause, CredentialProblem, Fault, RepositoryError, Violation};

use crate::layout::Layout;
use crate::registry::{Access, RegistryRepository};

/// A place that holds images.
#[derive(Debug)]
#[non_exhaustive]
pub enum Repository {
    /// In a registry.
    Registry(Box<RegistryRepository>),
    /// In a directory.
    Layout(Layout),
}

/// A manifest or index, with the digest of exactly these bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    digest: Digest,
    media_type: String,
    bytes: Vec<u8>,
    origin: Option<RegistryReference>,
}

impl Fetched {
    /// Hashes `bytes`. The media type is the one inside the document, which is what was hashed;
    /// `claimed` is used where the document has none.
    pub(crate) fn new(bytes: Vec<u8>, claimed: &str) -> Self {
        #[derive(Deserialize)]
        struct Shape {
            #[serde(rename = "mediaType")]
            media_type: Option<String>,
        }
        let inside = serde_json::from_slice::<Shape>(&bytes).ok().and_then(|s| s.media_type);
        Self {
            digest: Digest::of(&bytes),
            media_type: inside.unwrap_or_else(|| claimed.to_owned()),
            bytes,
            origin: None,
        }
    }

    /// Refuses other bytes than `expected`.
    pub(crate) fn checked(self, expected: Digest, place: &str) -> Result<Self, RepositoryError> {
        if self.digest == expected {
            Ok(self)
        } else {
            let found = self.digest;
            Err(RepositoryError::WrongDigest { place: place.to_owned(), expected, found })
        }
    }

    /// Notes the registry that a layout says it came from.
    pub(crate) fn with_origin(self, origin: Option<RegistryReference>) -> Self {
        Self { origin, ..self }
    }

    /// Digest of the bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Media type of the document.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The full reference under which a layout keeps this image; signatures are judged against it.
    /// Nobody signed the name itself.
    pub fn origin(&self) -> Option<&RegistryReference> {
        self.origin.as_ref()
    }

    /// The document in the bytes.
    pub fn document(&self) -> Result<Document, DocumentError> {
        Document::from_json(&self.bytes)
    }

    /// A descriptor of the bytes.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type.clone(),
            digest: self.digest,
            size: self.bytes.len() as u64,
            platform: None,
            artifact_type: None,
            annotations: std::collections::BTreeMap::new(),
        }
    }
}

impl Repository {
    /// The repository of `reference`, to read from. A layout must be there; a registry is not
    /// asked yet.
    pub fn open(reference: &Reference, access: &Access) -> Result<Self, RepositoryError> {
        Ok(match reference {
            Reference::Registry(r) => {
                Self::Registry(Box::new(RegistryRepository::open(r, access)?))
            }
            Reference::Layout(r) => Self::Layout(Layout::open(r.dir())?),
        })
    }

    /// The repository of `reference`, to write to. A layout is made where there is none.
    pub fn create(reference: &Reference, access: &Access) -> Result<Self, RepositoryError> {
        Ok(match reference {
            Reference::Registry(r) => {
                Self::Registry(Box::new(RegistryRepository::create(r, access)?))
            }
            Reference::Layout(r) => Self::Layout(Layout::create(r.dir())?),
        })
    }

    /// What policies call this place: `registry/repository`, or `oci:` and an absolute path
    /// without links.
    pub fn scope(&self) -> String {
        match self {
            Self::Registry(registry) => registry.scope().to_owned(),
            Self::Layout(layout) => layout.scope(),
        }
    }

    /// What `reference` names, by its digest if it has one, else by its tag.
    ///
    /// Only the tag and digest of `reference` are used. Where it has both, the digest decides and
    /// the tag is not looked at. This is the one look at a tag: go on with the digest.
    pub async fn resolve(&self, reference: &Reference) -> Result<Fetched, RepositoryError> {
        let (tag, digest) = match reference {
            Reference::Registry(r) => (r.tag(), r.digest()),
            Reference::Layout(r) => (r.tag(), r.digest()),
        };
        match (self, tag, digest) {
            (Self::Registry(registry), _, Some(digest)) => {
                registry.manifest(digest, MANIFEST_MAX).await
            }
            (Self::Registry(registry), tag, None) => {
                registry.resolve_tag(tag.unwrap_or("latest")).await
            }
            (Self::Layout(layout), tag, digest) => layout.resolve(tag, digest),
        }
    }

    /// The manifest or index with `digest`, of at most `max` bytes (and never over 4 MiB).
    pub async fn manifest(&self, digest: Digest, max: usize) -> Result<Fetched, RepositoryError> {
        match self {
            Self::Registry(registry) => registry.manifest(digest, max).await,
            Self::Layout(layout) => layout.manifest(digest, max),
        }
    }

    /// What `tag` names, or `None` when there is no such tag or repository.
    pub async fn tagged(&self, tag: &str) -> Result<Option<Fetched>, RepositoryError> {
        match self {
            Self::Registry(registry) => registry.tagged(tag).await,
            Self::Layout(layout) => layout.tagged(tag),
        }
    }

    /// The content of `descriptor`, whose size and digest are checked. A descriptor over `max`
    /// bytes is refused before anything is read.
    pub async fn blob(
        &self,
        descriptor: &Descriptor,
        max: u64,
    ) -> Result<Vec<u8>, RepositoryError> {
        if descriptor.size > max {
            let Descriptor { digest, size, .. } = *descriptor;
            return Err(RepositoryError::OverLimit { digest, size, max });
        }
        match self {
            Self::Registry(registry) => registry.blob(descriptor).await,
            Self::Layout(layout) => layout.blob(descriptor),
        }
    }

    /// What refers to `subject`, unfiltered, at most `limit` of it: the referrers API, or the
    /// `sha256-…` tag that stands in for it. None found is an empty list.
    ///
    /// The descriptors are a registry's word for it: believe only what their manifests say.
    pub async fn referrers(
        &self,
        subject: Digest,
        limit: usize,
    ) -> Result<Vec<Descriptor>, RepositoryError> {
        match self {
            Self::Registry(registry) => registry.referrers(subject, limit).await,
            Self::Layout(layout) => layout.referrers(subject, limit),
        }
    }

    /// All tags; at most 10,000.
    pub async fn tags(&self) -> Result<Vec<String>, RepositoryError> {
        match self {
            Self::Registry(registry) => registry.tags().await,
            Self::Layout(layout) => layout.tags(),
        }
    }

    /// Stores a blob unless it is there.
    pub async fn put_blob(
        &self,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RepositoryError> {
        match self {
            Self::Registry(registry) => registry.put_blob(media_type, bytes).await,
            Self::Layout(layout) => layout.put_blob(media_type, bytes),
        }
    }

    /// Stores a manifest or index, under `tag` if given. What it lists must be there already.
    ///
    /// In a layout, an untagged document is listed until an index that contains it is stored.
    pub async fn put_manifest(
        &self,
        media_type: &str,
        bytes: &[u8],
        tag: Option<&str>,
    ) -> Result<Digest, RepositoryError> {
        match self {
            Self::Registry(registry) => registry.put_manifest(media_type, bytes, tag).await,
            Self::Layout(layout) => layout.put_manifest(media_type, bytes, tag, None),
        }
    }

    /// [`put_manifest`](Self::put_manifest) of a copy: a layout notes where the image is from, and
    /// [`Fetched::origin`] tells it again.
    pub async fn put_copy(
        &self,
        media_type: &str,
        bytes: &[u8],
        tag: Option<&str>,
        origin: &RegistryReference,
    ) -> Result<Digest, RepositoryError> {
        match self {
            Self::Registry(registry) => registry.put_manifest(media_type, bytes, tag).await,
            Self::Layout(layout) => layout.put_manifest(media_type, bytes, tag, Some(origin)),
        }
    }

    /// Stores a manifest that has a `subject`, so that [`referrers`](Self::referrers) of the
    /// subject lists it, here and in other tools.
    pub async fn put_referrer(&self, manifest: &[u8]) -> Result<Digest, RepositoryError> {
        let (subject, descriptor) = referrer(manifest)?;
        match self {
            Self::Registry(registry) => {
                registry.put_referrer(manifest, subject, &descriptor).await?;
            }
            Self::Layout(layout) => layout.put_referrer(manifest, &descriptor)?,
        }
        Ok(descriptor.digest)
    }
}

/// Largest manifest or index.
const MANIFEST_MAX: usize = bpf_image_spec::oci::MANIFEST_MAX;

/// The subject of a manifest, and the descriptor to list the manifest with.
///
/// Distribution-spec, "Pushing Manifests with Subject": the artifact type is the manifest's, else
/// its config's media type; the annotations are copied.
fn referrer(manifest: &[u8]) -> Result<(Digest, Descriptor), RepositoryError> {
    let no_subject = || RepositoryError::NoSubject { digest: Digest::of(manifest) };
    let Ok(Document::Manifest(document)) = Document::from_json(manifest) else {
        return Err(no_subject());
    };
    let subject = document.subject.as_ref().ok_or_else(no_subject)?.digest;
    Ok((subject, referrer_descriptor(manifest, *document)))
}

/// How the manifest `document`, written as `bytes`, is listed among referrers.
pub(crate) fn referrer_descriptor(
    bytes: &[u8],
    document: bpf_image_spec::oci::Manifest,
) -> Descriptor {
    let media_type = document.media_type.as_deref();
    Descriptor {
        artifact_type: Some(document.artifact_type.unwrap_or(document.config.media_type)),
        annotations: document.annotations,
        ..Descriptor::of(media_type.unwrap_or(bpf_image_spec::media_type::OCI_MANIFEST), bytes)
    }
}

/// The tag that stands in for the referrers API (distribution-spec, "Referrers Tag Schema").
pub(crate) fn fallback_tag(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// The tag that cosign keeps signatures (`sig`) and the like of `subject` under.
pub(crate) fn companion_tag(subject: Digest, suffix: &str) -> String {
    format!("{}.{suffix}", fallback_tag(subject))
}

/// Refuses what is no tag: it would become part of a URL or index.
pub(crate) fn check_tag(tag: &str) -> Result<(), RepositoryError> {
    if is_tag(tag) {
        Ok(())
    } else {
        Err(RepositoryError::BadTag { tag: tag.escape_debug().take(128).collect() })
    }
}
