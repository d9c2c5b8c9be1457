//! `build`: objects on this machine → an image in a layout or a registry.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bpf_image_spec::oci::Annotations;
use bpf_image_spec::{Digest, Platform, Reference};

use super::VerbError;
use crate::image::{self, BuildInput, BuildOptions, Format, Image};
use crate::object::{OBJECT_MAX, Object};
use crate::registry::Access;
use crate::repository::Repository;

/// What to build and where to put it.
#[derive(Debug)]
pub struct BuildRequest {
    /// Objects, with a platform each when there are several.
    pub inputs: Vec<(Option<Platform>, PathBuf)>,
    /// The image's name.
    pub reference: Reference,
    /// Whether the image may leave this machine.
    pub push: bool,
    /// The form.
    pub format: Format,
    /// Annotations of the user's.
    pub annotations: Annotations,
    /// Creation time to write, in seconds since 1970 (`SOURCE_DATE_EPOCH`).
    pub epoch: Option<u64>,
    /// How to reach registries.
    pub access: Access,
}

/// The image that was stored.
#[derive(Debug)]
pub struct BuildResponse {
    /// Where it is.
    pub reference: Reference,
    /// Digest of the manifest or index.
    pub digest: Digest,
    /// Digests of an index's manifests, by platform; empty for a single image.
    pub manifests: Vec<(String, Digest)>,
    /// Bytes of all blobs.
    pub size: u64,
}

/// Builds an image and stores it.
pub async fn build(request: BuildRequest) -> Result<BuildResponse, VerbError> {
    let tag = tag_to_write(&request.reference)?;
    if matches!(request.reference, Reference::Registry(_)) && !request.push {
        return Err(VerbError::PushNotAsked { reference: request.reference.to_string() });
    }
    let options = BuildOptions {
        format: request.format,
        annotations: request.annotations,
        created: request.epoch.map(rfc3339).transpose()?,
    };
    let inputs = request
        .inputs
        .into_iter()
        .map(|(platform, path)| {
            let object = read_object(&path)?;
            Ok(BuildInput { object, platform, title: title(&path) })
        })
        .collect::<Result<_, VerbError>>()?;
    let image = image::build(inputs, &options)?;
    let repository = Repository::create(&request.reference, &request.access)?;
    store(&repository, &image, tag.as_deref()).await?;
    Ok(BuildResponse {
        digest: image.root().digest,
        manifests: image
            .manifests()
            .iter()
            .map(|(descriptor, _)| {
                let platform = descriptor.platform.as_ref();
                let name = platform.map(|p| format!("{}/{}", p.os, p.architecture));
                (name.unwrap_or_default(), descriptor.digest)
            })
            .collect(),
        size: image.blobs().iter().map(|(descriptor, _)| descriptor.size).sum(),
        reference: request.reference,
    })
}

/// Stores every part before what lists it, so that a reader never meets half an image.
async fn store(repository: &Repository, image: &Image, tag: Option<&str>) -> Result<(), VerbError> {
    for (descriptor, bytes) in image.blobs() {
        repository.put_blob(&descriptor.media_type, bytes).await?;
    }
    for (descriptor, bytes) in image.manifests() {
        repository.put_manifest(&descriptor.media_type, bytes, None).await?;
    }
    repository.put_manifest(&image.root().media_type, image.root_bytes(), tag).await?;
    Ok(())
}

/// The tag that a reference to write to names.
pub(super) fn tag_to_write(reference: &Reference) -> Result<Option<String>, VerbError> {
    let (tag, digest) = match reference {
        Reference::Registry(r) => (r.tag(), r.digest()),
        Reference::Layout(r) => (r.tag(), r.digest()),
    };
    match digest {
        Some(_) => Err(VerbError::DigestGiven { reference: reference.to_string() }),
        None => Ok(tag.map(str::to_owned)),
    }
}

/// Reads an object file, bounded.
pub(super) fn read_object(path: &Path) -> Result<Object, VerbError> {
    let read = |source| VerbError::Read { path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    // One byte more than is accepted: the reader of objects then says that it is too large.
    let bound = OBJECT_MAX as u64 + 1;
    File::open(path).and_then(|file| file.take(bound).read_to_end(&mut bytes)).map_err(read)?;
    if bytes.is_empty() {
        return Err(read(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty")));
    }
    Object::read(bytes).map_err(|source| VerbError::ObjectFile { path: path.to_path_buf(), source })
}

pub(super) fn title(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Seconds since 1970 as `YYYY-MM-DDThh:mm:ssZ` (RFC 3339).
fn rfc3339(seconds: u64) -> Result<String, VerbError> {
    /// The first second of the year 10000.
    const END: u64 = 253_402_300_800;
    if seconds >= END {
        return Err(VerbError::Epoch { seconds });
    }
    let (days, time) = (seconds / 86400, seconds % 86400);
    // Years start in March here, so that the leap day is the last: days of 400, 100 and 4 years
    // then divide evenly (the proleptic Gregorian calendar's cycle is 146097 days).
    let day = days + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    Ok(format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_date() {
        // `date -u -d @N +%FT%TZ`
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(seconds).ok().as_deref(), Some(text));
        }
        assert!(matches!(rfc3339(u64::MAX), Err(VerbError::Epoch { .. })));
    }

    #[test]
    fn name_to_write_has_no_digest() {
        let hex = "a".repeat(64);
        let by_digest = format!("r.example/a@sha256:{hex}").parse().unwrap();
        assert!(matches!(tag_to_write(&by_digest), Err(VerbError::DigestGiven { .. })));
        let plain = "r.example/a".parse().unwrap();
        assert_eq!(tag_to_write(&plain).unwrap().as_deref(), Some("latest"));
    }
}
