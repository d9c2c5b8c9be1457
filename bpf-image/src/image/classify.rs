//! Which form a manifest has, and which two of its blobs matter (SPEC.md, "Forms").

use std::fmt;

use bpf_image_spec::oci::{Annotations, Descriptor, MANIFEST_MAX, Manifest};
use bpf_image_spec::{config, media_type};

use super::ImageError;
use crate::object::OBJECT_MAX;

/// How an image is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Ours: an OCI artifact whose one layer is the ELF file.
    Artifact,
    /// Ours: a container image with the label `dev.bpfimage.config`.
    Image,
    /// A container image with bpfman's `io.ebpf.*` labels, or with none.
    Bpfman,
    /// Inspektor Gadget's artifact.
    Gadget,
    /// bumblebee's artifact.
    Bumblebee,
    /// Any other manifest with one layer, taken for an ELF file as `oras push` stores it.
    BareElf,
}

/// A manifest that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    form: Form,
    config: Descriptor,
    layer: Descriptor,
    annotations: Annotations,
}

impl ImageManifest {
    /// The form, as far as the manifest tells: every container image is [`Form::Image`] here,
    /// and [`super::Declared::form`] knows better once the config was read.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The config blob.
    pub fn config(&self) -> &Descriptor {
        &self.config
    }

    /// The layer that is, or holds, the ELF file.
    pub fn layer(&self) -> &Descriptor {
        &self.layer
    }

    /// The manifest's annotations.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    /// Bytes of config worth fetching; a longer one is refused by [`super::declared`].
    pub fn config_max(&self) -> u64 {
        let max = match self.form {
            Form::Artifact => config::CONFIG_MAX,
            // Labels and history: as much as a manifest may have.
            _ => MANIFEST_MAX,
        };
        max as u64
    }

    /// Bytes of layer worth fetching; a longer one cannot hold an acceptable object.
    pub fn layer_max(&self) -> u64 {
        let object = OBJECT_MAX as u64;
        match self.form {
            // An archive that does not compress is its content and a little more.
            Form::Image | Form::Bpfman => object + super::layer::ARCHIVE_OVERHEAD,
            _ => object,
        }
    }

    /// Whether [`super::declared`] reads the config, so that it has to be fetched.
    pub fn has_config(&self) -> bool {
        matches!(self.form, Form::Artifact | Form::Image | Form::Bpfman)
    }
}

/// Tells the form of a manifest and checks that it has the layers of that form.
pub fn classify(manifest: &Manifest) -> Result<ImageManifest, ImageError> {
    let form = form(manifest)?;
    let layer = match form {
        Form::Gadget => gadget_layer(&manifest.layers)?,
        _ => match manifest.layers.as_slice() {
            [layer] => layer,
            layers => return Err(ImageError::LayerCount { form, count: layers.len() }),
        },
    };
    let known = match form {
        Form::Artifact => layer.media_type == media_type::OBJECT,
        Form::Image | Form::Bpfman => matches!(
            layer.media_type.as_str(),
            media_type::OCI_LAYER | media_type::OCI_LAYER_GZIP | media_type::DOCKER_LAYER_GZIP
        ),
        Form::Bumblebee => layer.media_type == media_type::BUMBLEBEE_PROGRAM,
        // A gadget's was found by its type; oras gives a plain file the media type of a tar
        // layer, so that only the bytes can tell.
        Form::Gadget | Form::BareElf => true,
    };
    if !known {
        return Err(ImageError::LayerType { form, media_type: layer.media_type.clone() });
    }
    Ok(ImageManifest {
        form,
        config: manifest.config.clone(),
        layer: layer.clone(),
        annotations: manifest.annotations.clone(),
    })
}

fn form(manifest: &Manifest) -> Result<Form, ImageError> {
    let config = manifest.config.media_type.as_str();
    let artifact = manifest.artifact_type.as_deref();
    match (artifact, config) {
        (Some(media_type::ARTIFACT), media_type::CONFIG) => return Ok(Form::Artifact),
        // Half of ours would be read as ours by one client and as something else by another.
        (Some(media_type::ARTIFACT), _) | (_, media_type::CONFIG) => {
            return Err(ImageError::HalfArtifact {
                artifact_type: artifact.unwrap_or("none").to_owned(),
                config: config.to_owned(),
            });
        }
        _ => {}
    }
    for kind in artifact.into_iter().chain([config]) {
        if kind.starts_with("application/vnd.bpfimage.") {
            return Err(ImageError::UnknownVersion { media_type: kind.to_owned() });
        }
    }
    if artifact == Some(media_type::SIGSTORE_BUNDLE)
        || manifest.layers.iter().any(|layer| is_signature(&layer.media_type))
    {
        return Err(ImageError::Signature);
    }
    Ok(match (artifact, config) {
        (Some(media_type::GADGET), _) => Form::Gadget,
        (_, media_type::BUMBLEBEE_CONFIG) => Form::Bumblebee,
        (_, media_type::OCI_IMAGE_CONFIG | media_type::DOCKER_IMAGE_CONFIG) => Form::Image,
        _ => Form::BareElf,
    })
}

fn is_signature(media_type: &str) -> bool {
    matches!(media_type, media_type::SIMPLE_SIGNING | media_type::SIGSTORE_BUNDLE)
}

/// A gadget has at most one layer of a type (program, wasm, btfgen); the program is ours to read.
fn gadget_layer(layers: &[Descriptor]) -> Result<&Descriptor, ImageError> {
    let mut programs = layers.iter().filter(|l| l.media_type == media_type::GADGET_PROGRAM);
    match (programs.next(), programs.count()) {
        (Some(layer), 0) => Ok(layer),
        (first, more) => Err(ImageError::LayerCount {
            form: Form::Gadget,
            count: usize::from(first.is_some()) + more,
        }),
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Artifact => "artifact",
            Self::Image => "image",
            Self::Bpfman => "bpfman",
            Self::Gadget => "gadget",
            Self::Bumblebee => "bumblebee",
            Self::BareElf => "bare-elf",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(artifact: Option<&str>, config: &str, layers: &[&str]) -> Manifest {
        Manifest {
            schema_version: 2,
            media_type: Some(media_type::OCI_MANIFEST.to_owned()),
            artifact_type: artifact.map(str::to_owned),
            config: Descriptor::of(config, b"{}"),
            layers: layers.iter().map(|l| Descriptor::of(l, l.as_bytes())).collect(),
            subject: None,
            annotations: Annotations::new(),
        }
    }

    fn form_of(artifact: Option<&str>, config: &str, layers: &[&str]) -> Result<Form, ImageError> {
        classify(&manifest(artifact, config, layers)).map(|image| image.form())
    }

    #[test]
    fn forms_of_the_field_are_told_apart() {
        use media_type as m;
        let cases: [(Option<&str>, &str, &[&str], Form); 7] = [
            (Some(m::ARTIFACT), m::CONFIG, &[m::OBJECT], Form::Artifact),
            (None, m::OCI_IMAGE_CONFIG, &[m::OCI_LAYER_GZIP], Form::Image),
            (None, m::DOCKER_IMAGE_CONFIG, &[m::DOCKER_LAYER_GZIP], Form::Image),
            (
                Some(m::GADGET),
                "application/vnd.gadget.config.v1+yaml",
                &["application/vnd.gadget.wasm.program.v1+binary", m::GADGET_PROGRAM],
                Form::Gadget,
            ),
            (None, m::BUMBLEBEE_CONFIG, &[m::BUMBLEBEE_PROGRAM], Form::Bumblebee),
            (Some("application/x"), m::OCI_EMPTY, &[m::OCI_LAYER], Form::BareElf),
            (None, "application/vnd.unknown.config.v1+json", &["a/b"], Form::BareElf),
        ];
        for (artifact, config, layers, form) in cases {
            assert_eq!(form_of(artifact, config, layers).ok(), Some(form), "{artifact:?} {config}");
        }
    }

    #[test]
    fn second_layer_that_another_client_might_take_is_refused() {
        use media_type as m;
        for (artifact, config, layer) in [
            (Some(m::ARTIFACT), m::CONFIG, m::OBJECT),
            (None, m::OCI_IMAGE_CONFIG, m::OCI_LAYER_GZIP),
            (Some(m::GADGET), m::OCI_EMPTY, m::GADGET_PROGRAM),
            (None, m::OCI_EMPTY, "application/octet-stream"),
        ] {
            for layers in [&[][..], &[layer, layer][..]] {
                let read = form_of(artifact, config, layers);
                assert!(matches!(read, Err(ImageError::LayerCount { .. })), "{config} {layers:?}");
            }
        }
    }

    #[test]
    fn half_an_artifact_and_later_versions_are_refused() {
        use media_type as m;
        let half = form_of(Some(m::ARTIFACT), m::OCI_EMPTY, &[m::OBJECT]);
        assert!(matches!(half, Err(ImageError::HalfArtifact { .. })));
        let half = form_of(None, m::CONFIG, &[m::OBJECT]);
        assert!(matches!(half, Err(ImageError::HalfArtifact { .. })));
        let next = "application/vnd.bpfimage.artifact.v2";
        let next = form_of(Some(next), m::OCI_EMPTY, &[m::OBJECT]);
        assert!(matches!(next, Err(ImageError::UnknownVersion { .. })));
        let layer = form_of(Some(m::ARTIFACT), m::CONFIG, &[m::OCI_LAYER]);
        assert!(matches!(layer, Err(ImageError::LayerType { .. })));
    }

    #[test]
    fn signature_is_not_taken_for_an_image() {
        use media_type as m;
        let legacy = form_of(None, m::OCI_IMAGE_CONFIG, &[m::SIMPLE_SIGNING]);
        assert!(matches!(legacy, Err(ImageError::Signature)));
        let bundle = form_of(Some(m::SIGSTORE_BUNDLE), m::OCI_EMPTY, &[m::SIGSTORE_BUNDLE]);
        assert!(matches!(bundle, Err(ImageError::Signature)));
    }
}
