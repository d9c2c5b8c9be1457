//! `index.json` of a layout: which entry a tag means, and changes to it under a lock.
//!
//! Tags are `org.opencontainers.image.ref.name`. oras writes short ones, skopeo and podman
//! whatever the user gave, so a full reference is matched by its tag as well.

use std::fs::File;
use std::path::Path;

use bpf_image_spec::label::OCI_REF_NAME as REF_NAME;
use bpf_image_spec::oci::{Descriptor, MANIFEST_MAX};
use bpf_image_spec::{Digest, RegistryReference};
use serde_json::Value;

use super::blobs;
use crate::repository::{RepositoryError, entries};

/// Annotation of the full reference an entry came from; containerd imports under this name.
pub(super) const IMAGE_NAME: &str = "io.containerd.image.name";

/// Most entries that are looked at.
const ENTRIES_MAX: usize = 10_000;

/// The entries of a layout's `index.json`, in their order.
pub(super) fn read(dir: &Path, place: &str) -> Result<Vec<Descriptor>, RepositoryError> {
    match bytes(dir, place)? {
        Some(bytes) => entries::read(&bytes, ENTRIES_MAX)
            .map_err(|source| RepositoryError::LayoutIndex { place: place.to_owned(), source }),
        None => Ok(Vec::new()),
    }
}

fn bytes(dir: &Path, place: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
    let bytes = blobs::read(&dir.join("index.json"), MANIFEST_MAX as u64)?;
    if bytes.as_ref().is_some_and(|b| b.len() > MANIFEST_MAX) {
        return Err(too_large(place));
    }
    Ok(bytes)
}

fn too_large(place: &str) -> RepositoryError {
    let max = MANIFEST_MAX as u64;
    RepositoryError::TooLarge { what: "index.json", place: place.to_owned(), max }
}

/// The tag of an entry as written.
pub(super) fn name(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(REF_NAME).map(String::as_str).filter(|name| !name.is_empty())
}

/// The tag of an entry without the repository that may stand before it.
pub(super) fn short_name(entry: &Descriptor) -> Option<&str> {
    let name = name(entry)?;
    let last = name.rsplit('/').next().unwrap_or(name);
    Some(last.rsplit_once(':').map_or(last, |(_, tag)| tag))
}

/// The registry that an entry says it came from.
pub(super) fn origin(entry: &Descriptor) -> Option<RegistryReference> {
    [IMAGE_NAME, REF_NAME].iter().find_map(|key| entry.annotations.get(*key)?.parse().ok())
}

/// The entry of `tag`: the one so named, else the one whose full reference has it.
pub(super) fn find<'a>(
    entries: &'a [Descriptor],
    tag: &str,
    place: &str,
) -> Result<Option<&'a Descriptor>, RepositoryError> {
    // Of several equal names the last one counts, being the newest.
    if let Some(exact) = entries.iter().rev().find(|e| name(e) == Some(tag)) {
        return Ok(Some(exact));
    }
    let mut by_suffix = entries.iter().rev().filter(|e| short_name(e) == Some(tag));
    let Some(found) = by_suffix.next() else { return Ok(None) };
    if by_suffix.all(|other| other.digest == found.digest) {
        return Ok(Some(found));
    }
    let named = entries.iter().filter(|e| short_name(e) == Some(tag)).filter_map(name);
    Err(RepositoryError::SeveralImages {
        place: place.to_owned(),
        names: named.map(str::to_owned).collect(),
    })
}

/// Lists `entry`, under `tag` if given, which moves there from where it was.
///
/// Untagged entries in `absorbed`, the children of an index, leave the list: they are reached
/// through it, and skopeo takes a layout with one entry without asking for a tag.
pub(super) fn put(
    dir: &Path,
    place: &str,
    entry: &Descriptor,
    tag: Option<&str>,
    absorbed: &[Digest],
) -> Result<(), RepositoryError> {
    let bad = |source| RepositoryError::LayoutIndex { place: place.to_owned(), source };
    let _lock = lock(dir)?;
    let mut index = match bytes(dir, place)? {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(bad)?,
        None => entries::empty(),
    };
    let list = entries::entries_of(&mut index).map_err(bad)?;
    edit(list, entry, tag, absorbed).map_err(bad)?;
    let bytes = serde_json::to_vec(&index).map_err(bad)?;
    if bytes.len() > MANIFEST_MAX {
        return Err(too_large(place));
    }
    blobs::write(&dir.join("index.json"), &bytes)
}

fn edit(
    list: &mut Vec<Value>,
    entry: &Descriptor,
    tag: Option<&str>,
    absorbed: &[Digest],
) -> Result<(), serde_json::Error> {
    let digest = entry.digest.to_string();
    let absorbed: Vec<_> = absorbed.iter().map(Digest::to_string).collect();
    let is = |e: &Value, digest: &str| e["digest"].as_str() == Some(digest);
    let name = |e: &Value| e["annotations"][REF_NAME].as_str().map(str::to_owned);
    if let Some(tag) = tag {
        for other in list.iter_mut().filter(|e| name(e).as_deref() == Some(tag)) {
            let annotations = other.get_mut("annotations").and_then(Value::as_object_mut);
            if let Some(annotations) = annotations {
                // The name of the whole goes with the tag, which is part of it.
                annotations.remove(REF_NAME);
                annotations.remove(IMAGE_NAME);
            }
        }
    }
    list.retain(|e| {
        let unnamed = name(e).is_none();
        !(unnamed && (is(e, &digest) || absorbed.iter().any(|child| is(e, child))))
    });
    // An untagged put adds nothing to an image that is there under a tag.
    if tag.is_some() || !list.iter().any(|e| is(e, &digest)) {
        list.push(serde_json::to_value(entry)?);
    }
    Ok(())
}

/// Writes an empty `index.json` where there is none.
pub(super) fn touch(dir: &Path) -> Result<(), RepositoryError> {
    let path = dir.join("index.json");
    let _lock = lock(dir)?;
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    blobs::write(&path, entries::empty().to_string().as_bytes())
}

/// Holds other writers off until it is dropped.
///
/// The lock is on `oci-layout`, since `index.json` is replaced by each change.
pub(super) fn lock(dir: &Path) -> Result<File, RepositoryError> {
    let path = dir.join("oci-layout");
    let file = File::open(&path).map_err(RepositoryError::disk("lock", &path))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|e| RepositoryError::disk("lock", &path)(e.into()))?;
    Ok(file)
}
