//! An image as `inspect`, `diff` and `lint` see it: manifest and config first, the object on demand.

use bpf_image_spec::oci::{Descriptor, Document, ImageIndex, MANIFEST_MAX, Manifest};
use bpf_image_spec::{Digest, Platform, Reference};

use super::response::{Disagreement, ImageDetails, Labels, Layer, Legacy, PlatformEntry};
use crate::diff;
use crate::image::{self, Declared, ImageError, ImageManifest};
use crate::object::Object;
use crate::registry::Access;
use crate::repository::{Fetched, Repository};
use crate::verbs::VerbError;

/// Platforms of one index whose configs are compared; nobody builds for more.
const COMPARED_MAX: usize = 16;

/// Opens images of one reference.
pub(in crate::verbs) struct Viewer<'a> {
    reference: &'a Reference,
    repository: Repository,
}

/// One manifest of an image, with what it says.
pub(in crate::verbs) struct View {
    pub(in crate::verbs) details: ImageDetails,
    pub(in crate::verbs) declared: Declared,
    image: ImageManifest,
}

impl<'a> Viewer<'a> {
    pub(in crate::verbs) fn new(
        reference: &'a Reference,
        access: &Access,
    ) -> Result<Self, VerbError> {
        let repository = Repository::open(reference, access)?;
        Ok(Self { reference, repository })
    }

    /// The manifest for `platform`; without one, this machine's, else the first there is.
    pub(in crate::verbs) async fn view(
        &self,
        platform: Option<&Platform>,
    ) -> Result<View, VerbError> {
        let root = self.repository.resolve(self.reference).await?;
        let (index, entry, digest, manifest) = match self.document(&root)? {
            Document::Manifest(manifest) => (None, None, root.digest(), *manifest),
            Document::Index(index) => {
                let entry = self.choose(&index, platform)?.clone();
                let (digest, manifest) = self.manifest(&root, &entry).await?;
                (Some(index), Some(entry), digest, manifest)
            }
        };
        let image = image::classify(&manifest).map_err(|e| self.of_image(e))?;
        let declared = self.declared(&image).await?;
        let mut others = Others::default();
        if let Some(index) = &index {
            others = self.others(&root, index, digest, (&declared, image.layer())).await?;
        }
        let layer = image.layer();
        let details = ImageDetails {
            reference: self.reference.to_string(),
            digest: root.digest(),
            media_type: root.media_type().to_owned(),
            form: declared.form().to_string(),
            manifest: digest,
            platform: entry.as_ref().map(|entry| platform_entry(entry).platform),
            platforms: index.iter().flat_map(|i| &i.manifests).map(platform_entry).collect(),
            same_object: others.same_object,
            disagreements: others.disagreements,
            layer: Layer {
                media_type: layer.media_type.clone(),
                digest: layer.digest,
                size: layer.size,
            },
            annotations: image.annotations().clone(),
            labels: labels(&declared),
        };
        Ok(View { details, declared, image })
    }

    /// Fetches and reads the object.
    pub(in crate::verbs) async fn object(&self, view: &View) -> Result<Object, VerbError> {
        let image = &view.image;
        let layer = self.repository.blob(image.layer(), image.layer_max()).await?;
        let bytes = image::object_bytes(image, layer).map_err(|e| self.of_image(e))?;
        let reference = self.reference.to_string();
        Object::read(bytes).map_err(|source| VerbError::ImageObject { reference, source })
    }

    /// Any platform is good enough to look at, unless the user names one.
    fn choose<'i>(
        &self,
        index: &'i ImageIndex,
        asked: Option<&Platform>,
    ) -> Result<&'i Descriptor, VerbError> {
        let wanted = asked.cloned().or_else(Platform::host);
        let chosen = wanted.map(|platform| image::select_platform(index, &platform));
        match (chosen, index.manifests.first()) {
            (Some(Ok(entry)), _) => Ok(entry),
            (Some(Err(error)), None) => Err(self.of_image(error)),
            (Some(Err(error)), Some(_)) if asked.is_some() => Err(self.of_image(error)),
            (_, Some(first)) => Ok(first),
            (None, None) => Err(VerbError::OddIndex {
                reference: self.reference.to_string(),
                digest: Digest::of(&index.to_json()),
            }),
        }
    }

    async fn manifest(
        &self,
        root: &Fetched,
        entry: &Descriptor,
    ) -> Result<(Digest, Manifest), VerbError> {
        let fetched = self.repository.manifest(entry.digest, MANIFEST_MAX).await?;
        match self.document(&fetched)? {
            Document::Manifest(manifest) => Ok((fetched.digest(), *manifest)),
            Document::Index(_) => Err(VerbError::OddIndex {
                reference: self.reference.to_string(),
                digest: root.digest(),
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

    /// Compares what is declared for the other platforms with what is for the one shown. Only
    /// configs tell enough; an image whose other manifests cannot be read can still be looked at.
    async fn others(
        &self,
        root: &Fetched,
        index: &ImageIndex,
        shown: Digest,
        (declared, layer): (&Declared, &Descriptor),
    ) -> Result<Others, VerbError> {
        let mut all = Others::default();
        let entries = index.manifests.iter().filter(|entry| entry.digest != shown);
        for entry in entries.take(COMPARED_MAX) {
            let platform = platform_entry(entry).platform;
            let (_, manifest) = self.manifest(root, entry).await?;
            let mut say = |what: String| {
                let platform = platform.clone();
                all.disagreements.push(Disagreement { platform, what });
            };
            let other = match image::classify(&manifest) {
                Ok(image) if image.layer().digest == layer.digest => {
                    all.same_object.push(platform);
                    continue;
                }
                Ok(image) => self.declared(&image).await,
                Err(error) => Err(self.of_image(error)),
            };
            let other = match other {
                Ok(other) => other,
                // What a registry did is a failure; what an image says is something to say.
                Err(VerbError::Image { source, .. }) => {
                    say(format!("cannot be used: {source}"));
                    continue;
                }
                Err(error) => return Err(error),
            };
            match (declared.config(), other.config()) {
                (Some(ours), Some(theirs)) => {
                    let changes = diff::spec_changes(&ours.object, &theirs.object);
                    changes.iter().filter(|c| c.is_of_interface()).for_each(|c| say(c.to_string()));
                }
                (None, None) if labels_of(declared) == labels_of(&other) => {}
                (None, None) => say("its labels differ".to_owned()),
                _ => say("is declared in another form".to_owned()),
            }
        }
        // The same entry may stand for several platforms without being another manifest.
        let same = index.manifests.iter().filter(|entry| entry.digest == shown).skip(1);
        all.same_object.extend(same.map(|entry| platform_entry(entry).platform));
        Ok(all)
    }

    fn document(&self, fetched: &Fetched) -> Result<Document, VerbError> {
        let reference = self.reference.to_string();
        fetched.document().map_err(|source| VerbError::Document { reference, source })
    }

    fn of_image(&self, source: ImageError) -> VerbError {
        VerbError::Image { reference: self.reference.to_string(), source }
    }
}

/// What the manifests of an index beside the one shown say.
#[derive(Default)]
struct Others {
    same_object: Vec<String>,
    disagreements: Vec<Disagreement>,
}

fn labels_of(declared: &Declared) -> impl PartialEq + '_ {
    (declared.programs(), declared.maps(), declared.sections(), declared.legacy())
}

fn labels(declared: &Declared) -> Labels {
    Labels {
        programs: declared.programs().cloned(),
        maps: declared.maps().cloned(),
        sections: declared.sections().cloned(),
        legacy: declared.legacy().map(|legacy| Legacy {
            program: legacy.program.clone(),
            program_type: legacy.program_type.clone(),
            filename: legacy.filename.clone(),
        }),
    }
}

fn platform_entry(entry: &Descriptor) -> PlatformEntry {
    let platform = entry.platform.as_ref().map(|p| format!("{}/{}", p.os, p.architecture));
    PlatformEntry { platform: platform.unwrap_or_else(|| "-".to_owned()), digest: entry.digest }
}
