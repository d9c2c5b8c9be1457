//! Objects → an image in one of the two forms that are ours.
//!
//! The same objects, options and version of this tool give the same bytes on every machine:
//! nothing here asks for the time, the host, or an environment variable.

mod artifact;
mod container;
mod error;

use bpf_image_spec::config::{Config, Endianness, SCHEMA_VERSION};
use bpf_image_spec::oci::{Annotations, Descriptor, ImageIndex, Manifest, OciPlatform};
use bpf_image_spec::{Platform, label, media_type};

pub use container::container_labels;
pub use error::BuildError;

use crate::object::Object;

/// Which of our two forms to build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// OCI artifact whose layer is the ELF file.
    #[default]
    Artifact,
    /// Container image, for bpfman, docker, podman and Kubernetes image volumes.
    Image,
}

/// One object and where it goes.
#[derive(Debug)]
pub struct BuildInput {
    /// The object.
    pub object: Object,
    /// The platform it was compiled for; `None`: the image is no index.
    pub platform: Option<Platform>,
    /// File name that tools give it when they unpack the image.
    pub title: String,
}

/// How to build.
#[derive(Debug, Default)]
pub struct BuildOptions {
    /// The form.
    pub format: Format,
    /// Annotations of the user's, for each manifest and the index; labels too in image form.
    pub annotations: Annotations,
    /// RFC 3339 creation time; none unless the user sets `SOURCE_DATE_EPOCH`.
    pub created: Option<String>,
}

/// An image ready to be stored: every blob and document, addressed by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    blobs: Vec<(Descriptor, Vec<u8>)>,
    manifests: Vec<(Descriptor, Vec<u8>)>,
    root: (Descriptor, Vec<u8>),
}

impl Image {
    /// Configs and layers, to be stored first; none comes twice.
    pub fn blobs(&self) -> &[(Descriptor, Vec<u8>)] {
        &self.blobs
    }

    /// The manifests of an index, to be stored second; empty for a single image.
    pub fn manifests(&self) -> &[(Descriptor, Vec<u8>)] {
        &self.manifests
    }

    /// The manifest or index that a tag is to name, to be stored last.
    pub fn root(&self) -> &Descriptor {
        &self.root.0
    }

    /// The bytes of [`Image::root`].
    pub fn root_bytes(&self) -> &[u8] {
        &self.root.1
    }
}

/// Packs `inputs`: one without a platform gives a manifest, any with one an index.
pub fn build(mut inputs: Vec<BuildInput>, options: &BuildOptions) -> Result<Image, BuildError> {
    check_inputs(&inputs)?;
    check_annotations(&options.annotations)?;
    // The order on the command line says nothing about the image.
    inputs.sort_by(|a, b| a.platform.cmp(&b.platform));
    let mut blobs: Vec<(Descriptor, Vec<u8>)> = Vec::new();
    let mut manifests = Vec::new();
    for input in &inputs {
        let platform = input.platform.clone();
        let packed = match options.format {
            Format::Artifact => artifact::pack(input, options)?,
            Format::Image => container::pack(input, options)?,
        };
        for blob in packed.blobs {
            if blobs.iter().all(|(known, _)| known.digest != blob.0.digest) {
                blobs.push(blob);
            }
        }
        let bytes = packed.manifest.to_json();
        let mut descriptor = Descriptor::of(media_type::OCI_MANIFEST, &bytes);
        descriptor.artifact_type.clone_from(&packed.manifest.artifact_type);
        descriptor.platform = platform.map(|platform| OciPlatform {
            architecture: platform.architecture().to_owned(),
            os: "linux".to_owned(),
            variant: None,
        });
        manifests.push((descriptor, bytes));
    }
    if let [(only, _)] = manifests.as_slice()
        && only.platform.is_none()
        && let Some(root) = manifests.pop()
    {
        return Ok(Image { blobs, manifests, root });
    }
    let index = ImageIndex {
        schema_version: 2,
        media_type: Some(media_type::OCI_INDEX.to_owned()),
        artifact_type: None,
        manifests: manifests.iter().map(|(descriptor, _)| descriptor.clone()).collect(),
        annotations: user_annotations(options),
    };
    let bytes = index.to_json();
    Ok(Image { blobs, manifests, root: (Descriptor::of(media_type::OCI_INDEX, &bytes), bytes) })
}

/// One manifest and its blobs, of either form.
struct Packed {
    blobs: Vec<(Descriptor, Vec<u8>)>,
    manifest: Manifest,
}

fn check_inputs(inputs: &[BuildInput]) -> Result<(), BuildError> {
    if inputs.is_empty() {
        return Err(BuildError::NoObject);
    }
    let mut seen: Vec<&Platform> = Vec::new();
    for input in inputs {
        check_title(&input.title)?;
        let Some(platform) = &input.platform else {
            if inputs.len() > 1 {
                return Err(BuildError::PlatformMissing { title: input.title.clone() });
            }
            continue;
        };
        if seen.contains(&platform) {
            return Err(BuildError::PlatformTwice { platform: platform.clone() });
        }
        seen.push(platform);
        let big = input.object.spec().endianness == Endianness::Big;
        if big != platform.is_big_endian() {
            return Err(BuildError::Endianness {
                title: input.title.clone(),
                platform: platform.clone(),
                found: if big { "big" } else { "little" },
            });
        }
    }
    Ok(())
}

/// A title becomes a file name on other machines and in a tar header of 100 bytes.
fn check_title(title: &str) -> Result<(), BuildError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@');
    if title.is_empty() || title.len() > 100 || title.starts_with('.') || !title.chars().all(plain)
    {
        return Err(BuildError::Title { title: title.to_owned() });
    }
    Ok(())
}

fn check_annotations(annotations: &Annotations) -> Result<(), BuildError> {
    let ours = |key: &str| key.starts_with("dev.bpfimage.") || key.starts_with("io.ebpf.");
    match annotations.keys().find(|key| key.is_empty() || ours(key)) {
        Some(key) => Err(BuildError::ReservedAnnotation { key: key.clone() }),
        None => Ok(()),
    }
}

fn user_annotations(options: &BuildOptions) -> Annotations {
    let mut all = options.annotations.clone();
    if let Some(created) = &options.created {
        all.entry(label::OCI_CREATED.to_owned()).or_insert_with(|| created.clone());
    }
    all
}

/// The user's annotations and those that the object gives.
fn annotations(object: &Object, options: &BuildOptions) -> Annotations {
    let mut all = user_annotations(options);
    all.extend(super::label::labels(object.spec()).map(|(key, value)| (key.to_owned(), value)));
    all
}

/// The config of `object` as JSON of at most `max` bytes. What a writer may leave out is left out
/// where it does not fit (SPEC.md, "Config").
fn config_of(object: &Object, title: &str, max: usize) -> Result<Vec<u8>, BuildError> {
    let mut config = Config {
        schema_version: SCHEMA_VERSION,
        critical: Vec::new(),
        object: object.spec().clone(),
        requires: Some(object.requires()),
    };
    let mut json = config.to_json();
    if json.len() > max {
        config.object.btf.relocations = None;
        json = config.to_json();
    }
    if let Some(requires) = config.requires.as_mut().filter(|_| json.len() > max) {
        requires.lookups.clear();
        json = config.to_json();
    }
    if json.len() > max {
        return Err(BuildError::ConfigTooLarge { title: title.to_owned(), size: json.len(), max });
    }
    Ok(json)
}
