//! `inspect`: what an object is, or what an image says that its object is.

use std::path::PathBuf;

use bpf_image_spec::config::{ObjectSpec, Requires};
use bpf_image_spec::oci::{Annotations, Descriptor, Document, ImageIndex, MANIFEST_MAX};
use bpf_image_spec::{Digest, Platform, Reference};
use serde::Serialize;

use super::VerbError;
use super::build::read_object;
use crate::image::{self, Declared, ImageManifest, check_declared};
use crate::object::Object;
use crate::registry::Access;
use crate::repository::{Fetched, Repository};

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An object file.
    File(PathBuf),
    /// An image.
    Image(Reference),
}

/// What to look at, and how closely.
#[derive(Debug)]
pub struct InspectRequest {
    /// File or image.
    pub target: Target,
    /// Which manifest of an index; this machine's platform when `None`, else the first.
    pub platform: Option<Platform>,
    /// Whether to fetch an image's object even if its config says everything.
    pub fetch_object: bool,
    /// How to reach registries.
    pub access: Access,
}

/// What there is to say. Serialises as the output of `inspect -o json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectResponse {
    /// The file that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
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
    pub differences: Vec<String>,
}

/// The image around the object.
#[derive(Debug, Serialize)]
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
    /// The layer that is, or holds, the object.
    pub layer: Descriptor,
    /// The manifest's annotations.
    pub annotations: Annotations,
    /// What the labels say.
    pub labels: Labels,
}

/// A manifest of an index.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlatformEntry {
    /// `linux/amd64` …; `-` where the index names none.
    pub platform: String,
    /// The manifest.
    pub digest: Digest,
}

/// Labels or annotations of the image, read.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Labels {
    /// `io.ebpf.programs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub programs: Option<Annotations>,
    /// `io.ebpf.maps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maps: Option<Annotations>,
    /// `dev.bpfimage.sections`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sections: Option<Annotations>,
}

/// Looks at an object file or an image. Signatures are not looked at: that is `verify`'s.
pub async fn inspect(request: &InspectRequest) -> Result<InspectResponse, VerbError> {
    match &request.target {
        Target::File(path) => {
            let object = read_object(path)?;
            Ok(InspectResponse {
                file: Some(path.clone()),
                image: None,
                requires: Some(object.requires()),
                object: object.spec().clone(),
                from_bytes: true,
                differences: Vec::new(),
            })
        }
        Target::Image(reference) => Viewer::new(request, reference)?.view().await,
    }
}

struct Viewer<'a> {
    request: &'a InspectRequest,
    reference: &'a Reference,
    repository: Repository,
}

impl<'a> Viewer<'a> {
    fn new(request: &'a InspectRequest, reference: &'a Reference) -> Result<Self, VerbError> {
        let repository = Repository::open(reference, &request.access)?;
        Ok(Self { request, reference, repository })
    }

    async fn view(&self) -> Result<InspectResponse, VerbError> {
        let root = self.repository.resolve(self.reference).await?;
        let (entry, platforms, digest, manifest) = match self.document(&root)? {
            Document::Manifest(manifest) => (None, Vec::new(), root.digest(), manifest),
            Document::Index(index) => {
                let entry = self.choose(&index)?.clone();
                let fetched = self.repository.manifest(entry.digest, MANIFEST_MAX).await?;
                let Document::Manifest(manifest) = self.document(&fetched)? else {
                    return Err(VerbError::OddIndex {
                        reference: self.reference.to_string(),
                        digest: root.digest(),
                    });
                };
                let platforms = index.manifests.iter().map(platform_entry).collect();
                (Some(entry), platforms, fetched.digest(), manifest)
            }
        };
        let image = image::classify(&manifest).map_err(|e| self.of_image(e))?;
        let declared = self.declared(&image).await?;
        let details = ImageDetails {
            reference: self.reference.to_string(),
            digest: root.digest(),
            media_type: root.media_type().to_owned(),
            form: declared.form().to_string(),
            manifest: digest,
            platform: entry.as_ref().map(|entry| platform_entry(entry).platform),
            platforms,
            layer: image.layer().clone(),
            annotations: image.annotations().clone(),
            labels: Labels {
                programs: declared.programs().cloned(),
                maps: declared.maps().cloned(),
                sections: declared.sections().cloned(),
            },
        };
        match declared.config() {
            Some(config) if !self.request.fetch_object => Ok(InspectResponse {
                file: None,
                image: Some(details),
                object: config.object.clone(),
                requires: config.requires.clone(),
                from_bytes: false,
                differences: Vec::new(),
            }),
            _ => {
                let object = self.object(&image).await?;
                let differences = check_declared(&declared, &object).err().unwrap_or_default();
                Ok(InspectResponse {
                    file: None,
                    image: Some(details),
                    requires: Some(object.requires()),
                    object: object.spec().clone(),
                    from_bytes: true,
                    differences: differences.iter().map(ToString::to_string).collect(),
                })
            }
        }
    }

    /// Any platform is good enough to look at, unless the user names one.
    fn choose<'i>(&self, index: &'i ImageIndex) -> Result<&'i Descriptor, VerbError> {
        let wanted = self.request.platform.clone().or_else(Platform::host);
        let chosen = wanted.map(|platform| image::select_platform(index, &platform));
        match (chosen, index.manifests.first()) {
            (Some(Ok(entry)), _) => Ok(entry),
            (Some(Err(error)), None) => Err(self.of_image(error)),
            (Some(Err(error)), Some(_)) if self.request.platform.is_some() => {
                Err(self.of_image(error))
            }
            (_, Some(first)) => Ok(first),
            (None, None) => Err(VerbError::OddIndex {
                reference: self.reference.to_string(),
                digest: Digest::of(&index.to_json()),
            }),
        }
    }

    async fn declared(&self, image: &ImageManifest) -> Result<Declared, VerbError> {
        let config = if image.has_config() {
            self.repository.blob(image.config(), image.config_max()).await?
        } else {
            Vec::new()
        };
        image::declared(image, &config).map_err(|e| self.of_image(e))
    }

    async fn object(&self, image: &ImageManifest) -> Result<Object, VerbError> {
        let layer = self.repository.blob(image.layer(), image.layer_max()).await?;
        let bytes = image::object_bytes(image, layer).map_err(|e| self.of_image(e))?;
        let reference = self.reference.to_string();
        Object::read(bytes).map_err(|source| VerbError::ImageObject { reference, source })
    }

    fn document(&self, fetched: &Fetched) -> Result<Document, VerbError> {
        let reference = self.reference.to_string();
        fetched.document().map_err(|source| VerbError::Document { reference, source })
    }

    fn of_image(&self, source: image::ImageError) -> VerbError {
        VerbError::Image { reference: self.reference.to_string(), source }
    }
}

fn platform_entry(entry: &Descriptor) -> PlatformEntry {
    let platform = entry.platform.as_ref().map(|p| format!("{}/{}", p.os, p.architecture));
    PlatformEntry { platform: platform.unwrap_or_else(|| "-".to_owned()), digest: entry.digest }
}
