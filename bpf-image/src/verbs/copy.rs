//! `push` and `pull`: an image from one place to another, with its signatures.
//!
//! Everything that refers to the image travels, and what vouches for it arrives before the tag
//! does: whoever sees the tag can verify it. Every byte is hashed on the way.

use std::collections::HashSet;

use bpf_image_spec::oci::{Descriptor, Document, MANIFEST_MAX, Manifest};
use bpf_image_spec::{Digest, Reference, RegistryReference, media_type};

use super::VerbError;
use super::build::tag_to_write;
use crate::registry::Access;
use crate::repository::{Fault, Fetched, Repository, RepositoryError, companion_tag};

/// Largest blob that is copied; images hold objects of at most 64 MiB.
const BLOB_MAX: u64 = 128 * 1024 * 1024;
/// Manifests of an index that are copied; nobody builds for more platforms.
const CHILDREN_MAX: usize = 64;
/// Referrers of one manifest that are copied.
const REFERRERS_MAX: usize = 256;
/// Tags beside an image that cosign keeps signatures, attestations and SBOMs under.
const SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];

/// What to copy and where to.
#[derive(Debug)]
pub struct CopyRequest {
    /// The image.
    pub source: Reference,
    /// Its new name.
    pub target: Reference,
    /// How to reach registries.
    pub access: Access,
}

/// What was copied.
#[derive(Debug)]
pub struct CopyResponse {
    /// The image's new name; a tag of the source's where none was given.
    pub target: Reference,
    /// Digest of the manifest or index, the same in both places.
    pub digest: Digest,
    /// Manifests of signatures, attestations and other referrers that went along.
    pub referrers: usize,
    /// Referrers that were left behind because they cannot be read.
    pub skipped: Vec<String>,
}

/// Copies an image into a registry.
pub async fn push(request: CopyRequest) -> Result<CopyResponse, VerbError> {
    match request.target {
        Reference::Registry(_) => copy(request).await,
        Reference::Layout(_) => Err(VerbError::WrongPlace {
            reference: request.target.to_string(),
            wanted: "in a registry; `pull` writes to layouts",
        }),
    }
}

/// Copies an image into a layout.
pub async fn pull(request: CopyRequest) -> Result<CopyResponse, VerbError> {
    match request.target {
        Reference::Layout(_) => copy(request).await,
        Reference::Registry(_) => Err(VerbError::WrongPlace {
            reference: request.target.to_string(),
            wanted: "a layout (`oci:DIR[:TAG]`); `push` writes to registries",
        }),
    }
}

async fn copy(request: CopyRequest) -> Result<CopyResponse, VerbError> {
    let target = with_tag_of(&request.source, request.target);
    let tag = tag_to_write(&target)?;
    let source = Repository::open(&request.source, &request.access)?;
    let root = source.resolve(&request.source).await?;
    let origin = match &request.source {
        Reference::Registry(reference) => Some(reference.clone()),
        Reference::Layout(_) => root.origin().cloned(),
    };
    let children = children(&request.source, &root)?;
    let is_new = matches!(&target, Reference::Layout(to) if to.dir().symlink_metadata().is_err());
    let target_repository = Repository::create(&target, &request.access)?;
    let mut copier = Copier {
        name: request.source.to_string(),
        source,
        target: target_repository,
        blobs: HashSet::new(),
        listed: HashSet::new(),
        referrers: 0,
        skipped: Vec::new(),
    };
    let copied = copier.all(&root, &children, tag.as_deref(), origin.as_ref()).await;
    if let (Err(_), true, Repository::Layout(layout)) = (&copied, is_new, &copier.target) {
        // The copy's own failure is what the user has to know.
        let _ = layout.discard(&copier.listed);
    }
    copied?;
    Ok(CopyResponse {
        target,
        digest: root.digest(),
        referrers: copier.referrers,
        skipped: copier.skipped,
    })
}

/// `pull r.example/counter:v1 oci:DIR` keeps the name v1.
fn with_tag_of(source: &Reference, target: Reference) -> Reference {
    let from = match source {
        Reference::Registry(reference) => reference.tag(),
        Reference::Layout(reference) => reference.tag(),
    };
    match (from, &target) {
        (Some(tag), Reference::Layout(to)) if to.tag().is_none() && to.digest().is_none() => {
            format!("{target}:{tag}").parse().unwrap_or(target)
        }
        _ => target,
    }
}

/// The manifests of an index, each of which can be signed by itself; none of a manifest.
pub(super) fn children(
    reference: &Reference,
    root: &Fetched,
) -> Result<Vec<Descriptor>, VerbError> {
    let name = reference.to_string();
    let Document::Index(index) = document(&name, root)? else {
        return Ok(Vec::new());
    };
    let is_manifest = |entry: &Descriptor| {
        matches!(entry.media_type.as_str(), media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST)
    };
    if index.manifests.len() > CHILDREN_MAX || !index.manifests.iter().all(is_manifest) {
        return Err(VerbError::OddIndex { reference: name, digest: root.digest() });
    }
    let mut seen = HashSet::new();
    Ok(index.manifests.into_iter().filter(|entry| seen.insert(entry.digest)).collect())
}

fn document(reference: &str, fetched: &Fetched) -> Result<Document, VerbError> {
    fetched
        .document()
        .map_err(|source| VerbError::Document { reference: reference.to_owned(), source })
}

struct Copier {
    name: String,
    source: Repository,
    target: Repository,
    blobs: HashSet<Digest>,
    /// Manifests that were stored, or were about to be.
    listed: HashSet<Digest>,
    referrers: usize,
    skipped: Vec<String>,
}

impl Copier {
    async fn all(
        &mut self,
        root: &Fetched,
        children: &[Descriptor],
        tag: Option<&str>,
        origin: Option<&RegistryReference>,
    ) -> Result<(), VerbError> {
        match document(&self.name, root)? {
            Document::Manifest(manifest) => self.blobs(&manifest).await?,
            Document::Index(_) => {
                for child in children {
                    self.child(child).await?;
                }
            }
        }
        for subject in children.iter().map(|child| child.digest).chain([root.digest()]) {
            self.referrers(subject).await?;
        }
        self.root(root, tag, origin).await
    }

    async fn blobs(&mut self, manifest: &Manifest) -> Result<(), VerbError> {
        for descriptor in manifest.layers.iter().chain([&manifest.config]) {
            if self.blobs.insert(descriptor.digest) {
                let bytes = self.source.blob(descriptor, BLOB_MAX).await?;
                self.target.put_blob(&descriptor.media_type, &bytes).await?;
            }
        }
        Ok(())
    }

    async fn child(&mut self, child: &Descriptor) -> Result<(), VerbError> {
        let fetched = self.source.manifest(child.digest, MANIFEST_MAX).await?;
        let Document::Manifest(manifest) = document(&self.name, &fetched)? else {
            let digest = child.digest;
            return Err(VerbError::OddIndex { reference: self.name.clone(), digest });
        };
        self.blobs(&manifest).await?;
        self.listed.insert(fetched.digest());
        self.target.put_manifest(fetched.media_type(), fetched.bytes(), None).await?;
        Ok(())
    }

    async fn root(
        &mut self,
        root: &Fetched,
        tag: Option<&str>,
        origin: Option<&RegistryReference>,
    ) -> Result<(), VerbError> {
        self.listed.insert(root.digest());
        match origin {
            Some(origin) => {
                self.target.put_copy(root.media_type(), root.bytes(), tag, origin).await?
            }
            None => self.target.put_manifest(root.media_type(), root.bytes(), tag).await?,
        };
        Ok(())
    }

    /// What refers to `subject`, by tag and by `subject` field.
    async fn referrers(&mut self, subject: Digest) -> Result<(), VerbError> {
        for suffix in SUFFIXES {
            let tag = companion_tag(subject, suffix);
            if let Some(fetched) = self.source.tagged(&tag).await? {
                let copied = self.referrer(&fetched, Some(&tag)).await;
                self.count(&tag, copied)?;
            }
        }
        for listed in self.source.referrers(subject, REFERRERS_MAX).await? {
            let copied = match self.source.manifest(listed.digest, MANIFEST_MAX).await {
                Ok(fetched) => self.referrer(&fetched, None).await,
                Err(error) => Err(error.into()),
            };
            self.count(&listed.digest.to_string(), copied)?;
        }
        Ok(())
    }

    async fn referrer(&mut self, fetched: &Fetched, tag: Option<&str>) -> Result<(), VerbError> {
        let Document::Manifest(manifest) = document(&self.name, fetched)? else {
            let digest = fetched.digest();
            return Err(VerbError::OddIndex { reference: self.name.clone(), digest });
        };
        self.blobs(&manifest).await?;
        self.listed.insert(fetched.digest());
        match tag {
            Some(_) => self.target.put_manifest(fetched.media_type(), fetched.bytes(), tag).await?,
            None => self.target.put_referrer(fetched.bytes()).await?,
        };
        Ok(())
    }

    /// Anybody may add a referrer, so one that cannot be read must not hold the image back.
    fn count(&mut self, name: &str, copied: Result<(), VerbError>) -> Result<(), VerbError> {
        match copied {
            Ok(()) => self.referrers += 1,
            Err(VerbError::Repository(error)) if !is_of_image(&error) => return Err(error.into()),
            Err(error) => self.skipped.push(format!("{name}: {error}")),
        }
        Ok(())
    }
}

/// Whether the bytes are at fault, rather than the way to them.
pub(super) fn is_of_image(error: &RepositoryError) -> bool {
    error.fault() == Fault::Image || matches!(error, RepositoryError::NoContent { .. })
}
