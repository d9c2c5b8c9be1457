//! An OCI image layout: a directory with `oci-layout`, `index.json` and `blobs/sha256` (image-spec,
//! "OCI Image Layout"). It is the repository that needs no registry.
//!
//! Referrers are kept as oras keeps them: untagged entries of `index.json` whose manifests have a
//! `subject`. File operations are short and local, so none of this is async.

mod blobs;
mod index;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bpf_image_spec::label::OCI_REF_NAME;
use bpf_image_spec::oci::{Annotations, Descriptor, Document, MANIFEST_MAX};
use bpf_image_spec::{Digest, RegistryReference, media_type};

use crate::repository::{
    Fetched, RepositoryError, check_tag, entries, fallback_tag, referrer_descriptor,
};

/// Most bytes of manifests that are read to find referrers: an index of many large ones must not
/// keep a node busy.
const SCAN_MAX: u64 = 64 * 1024 * 1024;

/// An image layout in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    dir: PathBuf,
}

impl Layout {
    /// The layout at `dir`, which must be one.
    pub fn open(dir: &Path) -> Result<Self, RepositoryError> {
        // Policies name layouts by path, so a link must not give one a second name.
        let dir = dir.canonicalize().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => RepositoryError::NotALayout { dir: dir.to_owned() },
            _ => RepositoryError::Disk { action: "open", path: dir.to_owned(), source },
        })?;
        let marker = blobs::read(&dir.join("oci-layout"), 4096)?;
        let version = marker.as_deref().and_then(layout_version);
        if !version.is_some_and(|version| version.starts_with("1.")) {
            return Err(RepositoryError::NotALayout { dir });
        }
        blobs::check_dir(&dir.join("blobs"))?;
        blobs::check_dir(&dir.join("blobs/sha256"))?;
        Ok(Self { dir })
    }

    /// The layout at `dir`, made if there is nothing yet.
    pub fn create(dir: &Path) -> Result<Self, RepositoryError> {
        let made = |path: &Path| {
            std::fs::create_dir_all(path).map_err(RepositoryError::disk("create", path))
        };
        made(dir)?;
        let marker = dir.join("oci-layout");
        if marker.symlink_metadata().is_err() {
            let mut files = dir.read_dir().map_err(RepositoryError::disk("read", dir))?;
            // Our own traces are fine: another process is at this very point, or was stopped here.
            let ours = |name: &str| name.starts_with(".tmp-") || name == "blobs";
            if files.any(|file| file.is_ok_and(|f| !f.file_name().to_str().is_some_and(ours))) {
                // Unless that other process has just finished.
                return Self::open(dir)
                    .map_err(|_| RepositoryError::NotEmpty { dir: dir.to_owned() });
            }
            made(&dir.join("blobs/sha256"))?;
            blobs::write(&marker, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        let layout = Self::open(dir)?;
        made(&layout.dir.join("blobs/sha256"))?;
        index::touch(&layout.dir)?;
        Ok(layout)
    }

    /// Takes away a layout that lists nothing but `ours`: what a copy that failed has left. If
    /// others have put something there meanwhile, it stays.
    pub(crate) fn discard(&self, ours: &HashSet<Digest>) -> Result<(), RepositoryError> {
        let _lock = index::lock(&self.dir)?;
        if self.entries()?.iter().all(|entry| ours.contains(&entry.digest)) {
            std::fs::remove_dir_all(&self.dir)
                .map_err(RepositoryError::disk("remove", &self.dir))?;
        }
        Ok(())
    }

    /// `oci:` and the directory's absolute path without links.
    pub fn scope(&self) -> String {
        format!("oci:{}", self.dir.display())
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// By digest, by tag, or the one image there is.
    pub(crate) fn resolve(
        &self,
        tag: Option<&str>,
        digest: Option<Digest>,
    ) -> Result<Fetched, RepositoryError> {
        let entries = self.entries()?;
        let entry = match (digest, tag) {
            (Some(digest), _) => {
                let fetched = self.manifest(digest, MANIFEST_MAX)?;
                let named = entries.iter().filter(|e| e.digest == digest);
                return Ok(fetched.with_origin(named.rev().find_map(index::origin)));
            }
            (None, Some(tag)) => index::find(&entries, tag, &self.scope())?.ok_or_else(|| {
                RepositoryError::NoTag { place: self.scope(), tag: tag.to_owned(), local: true }
            })?,
            (None, None) => self.only_image(&entries)?,
        };
        self.fetch(entry)
    }

    /// What `tag` names.
    pub(crate) fn tagged(&self, tag: &str) -> Result<Option<Fetched>, RepositoryError> {
        let entries = self.entries()?;
        index::find(&entries, tag, &self.scope())?.map(|entry| self.fetch(entry)).transpose()
    }

    fn fetch(&self, entry: &Descriptor) -> Result<Fetched, RepositoryError> {
        let fetched = self.manifest(entry.digest, MANIFEST_MAX)?;
        Ok(fetched.with_origin(index::origin(entry)))
    }

    /// The manifest or index with `digest`.
    pub(crate) fn manifest(&self, digest: Digest, max: usize) -> Result<Fetched, RepositoryError> {
        let max = max.min(MANIFEST_MAX);
        let bytes = self.read(digest, max as u64)?;
        if bytes.len() > max {
            let (place, max) = (self.scope(), max as u64);
            return Err(RepositoryError::TooLarge { what: "manifest", place, max });
        }
        Fetched::new(bytes, media_type::OCI_MANIFEST).checked(digest, &self.scope())
    }

    /// The content of `descriptor`, its size and digest checked.
    pub(crate) fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, RepositoryError> {
        let Descriptor { digest, size: expected, .. } = *descriptor;
        let bytes = self.read(digest, expected)?;
        let (place, found) = (self.scope(), bytes.len() as u64);
        if found > expected {
            return Err(RepositoryError::TooLong { place, digest, expected });
        }
        if found < expected {
            return Err(RepositoryError::Truncated { place, digest, expected, found });
        }
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(RepositoryError::WrongDigest { place, expected: digest, found });
        }
        Ok(bytes)
    }

    fn read(&self, digest: Digest, max: u64) -> Result<Vec<u8>, RepositoryError> {
        blobs::read(&blobs::path(&self.dir, digest), max)?
            .ok_or_else(|| RepositoryError::NoContent { place: self.scope(), digest, local: true })
    }

    /// Manifests with `subject`, and what a `sha256-…` tag copied from a registry lists.
    pub(crate) fn referrers(
        &self,
        subject: Digest,
        limit: usize,
    ) -> Result<Vec<Descriptor>, RepositoryError> {
        let entries = self.entries()?;
        let mut found = Vec::new();
        let mut budget = SCAN_MAX;
        for entry in &entries {
            if found.len() >= limit || entry.size > budget {
                break;
            }
            if entry.size > MANIFEST_MAX as u64 {
                continue;
            }
            budget -= entry.size;
            // An unreadable neighbour is not this image's fault; it is reported when asked for.
            let Ok(bytes) = self.blob(entry) else { continue };
            let Ok(Document::Manifest(manifest)) = Document::from_json(&bytes) else { continue };
            if manifest.subject.as_ref().is_some_and(|s| s.digest == subject) {
                found.push(referrer_descriptor(&bytes, *manifest));
            }
        }
        let fallback = fallback_tag(subject);
        if let Some(entry) = entries.iter().find(|e| index::name(e) == Some(&fallback)) {
            let bytes = self.manifest(entry.digest, MANIFEST_MAX)?.into_bytes();
            let listed = entries::read(&bytes, limit).unwrap_or_default();
            found.extend(listed);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// All tags as they are written, each once.
    pub(crate) fn tags(&self) -> Result<Vec<String>, RepositoryError> {
        let entries = self.entries()?;
        let mut tags: Vec<_> = entries.iter().filter_map(index::name).map(str::to_owned).collect();
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    }

    /// Stores a blob unless it is there unharmed.
    pub(crate) fn put_blob(
        &self,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RepositoryError> {
        let descriptor = Descriptor::of(media_type, bytes);
        blobs::put(&self.dir, descriptor.digest, bytes)?;
        Ok(descriptor)
    }

    /// Stores a manifest or index and lists it.
    pub(crate) fn put_manifest(
        &self,
        media_type: &str,
        bytes: &[u8],
        tag: Option<&str>,
        origin: Option<&RegistryReference>,
    ) -> Result<Digest, RepositoryError> {
        tag.map_or(Ok(()), check_tag)?;
        let mut entry = Descriptor::of(media_type, bytes);
        let document = Document::from_json(bytes).map_err(|source| RepositoryError::Document {
            place: self.scope(),
            digest: entry.digest,
            source,
        })?;
        let children = match document {
            Document::Manifest(manifest) => {
                entry.artifact_type = manifest.artifact_type;
                Vec::new()
            }
            Document::Index(index) => {
                entry.artifact_type = index.artifact_type;
                index.manifests.iter().map(|child| child.digest).collect()
            }
        };
        let named = tag.map(|tag| (OCI_REF_NAME.to_owned(), tag.to_owned()));
        let from = origin.map(|origin| (index::IMAGE_NAME.to_owned(), origin.to_string()));
        entry.annotations = named.into_iter().chain(from).collect::<Annotations>();
        blobs::put(&self.dir, entry.digest, bytes)?;
        index::put(&self.dir, &self.scope(), &entry, tag, &children)?;
        Ok(entry.digest)
    }

    /// Stores a manifest that has a subject and lists it, untagged.
    pub(crate) fn put_referrer(
        &self,
        bytes: &[u8],
        descriptor: &Descriptor,
    ) -> Result<(), RepositoryError> {
        blobs::put(&self.dir, descriptor.digest, bytes)?;
        index::put(&self.dir, &self.scope(), descriptor, None, &[])
    }

    fn entries(&self) -> Result<Vec<Descriptor>, RepositoryError> {
        index::read(&self.dir, &self.scope())
    }

    /// The one image of the layout, signatures and other referrers not counted.
    fn only_image<'a>(&self, entries: &'a [Descriptor]) -> Result<&'a Descriptor, RepositoryError> {
        // `sha256-…`: where cosign keeps signatures, and the stand-in for the referrers API.
        let tagged = entries
            .iter()
            .filter(|e| index::short_name(e).is_some_and(|tag| !tag.starts_with("sha256-")));
        let mut images: Vec<_> = tagged.collect();
        if images.is_empty() {
            images = self.untagged_roots(entries);
        }
        let Some(first) = images.first() else {
            return Err(RepositoryError::NoImage { place: self.scope() });
        };
        if images.iter().all(|image| image.digest == first.digest) {
            return Ok(first);
        }
        let label =
            |e: &&Descriptor| index::name(e).map_or_else(|| e.digest.to_string(), str::to_owned);
        let names = images.iter().take(20).map(label).collect();
        Err(RepositoryError::SeveralImages { place: self.scope(), names })
    }

    /// Untagged entries that are neither referrers nor, as in layouts by oras, children of a
    /// listed index.
    fn untagged_roots<'a>(&self, entries: &'a [Descriptor]) -> Vec<&'a Descriptor> {
        let mut roots = Vec::new();
        let mut children = Vec::new();
        let mut budget = SCAN_MAX;
        for entry in entries.iter().filter(|e| index::name(e).is_none()) {
            if entry.size > budget {
                break;
            }
            budget -= entry.size;
            match self.blob(entry).ok().as_deref().map(Document::from_json) {
                Some(Ok(Document::Manifest(manifest))) if manifest.subject.is_some() => {}
                Some(Ok(Document::Index(index))) => {
                    children.extend(index.manifests.iter().map(|child| child.digest));
                    roots.push(entry);
                }
                // Broken ones count too: the caller is to learn that the image is broken.
                _ => roots.push(entry),
            }
        }
        roots.retain(|root| !children.contains(&root.digest));
        roots
    }
}

fn layout_version(marker: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Marker {
        #[serde(rename = "imageLayoutVersion")]
        version: String,
    }
    serde_json::from_slice(marker).ok().map(|marker: Marker| marker.version)
}
