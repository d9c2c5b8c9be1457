//! Why an image cannot be read: the image is at fault in every case.

use bpf_image_spec::config::ConfigError;
use bpf_image_spec::platform::Platform;

use super::{Form, LabelError, LayerError};

/// An image that is not what its form demands.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Not the one layer (or the one program layer of a gadget) that the form has.
    #[error("{form} image has {count} object layers; it must have exactly one")]
    LayerCount {
        /// The form it seems to have.
        form: Form,
        /// How many there are.
        count: usize,
    },
    /// A layer of a type that the form does not have.
    #[error("{form} image has a layer of type `{media_type}`, which cannot be read")]
    LayerType {
        /// The form it seems to have.
        form: Form,
        /// The layer's media type.
        media_type: String,
    },
    /// Artifact type and config type of two different forms.
    #[error("artifact type `{artifact_type}` does not go with config type `{config}`")]
    HalfArtifact {
        /// The manifest's artifact type.
        artifact_type: String,
        /// The config's media type.
        config: String,
    },
    /// One of our media types, from a later version of the specification.
    #[error("`{media_type}` is a bpf-image type that this version does not know")]
    UnknownVersion {
        /// The media type.
        media_type: String,
    },
    /// A signature's manifest.
    #[error("this is the manifest of a signature, not of an image")]
    Signature,
    /// A config blob beyond the bound.
    #[error("config blob has {size} bytes, more than the {max} accepted")]
    ConfigTooLarge {
        /// Its size.
        size: usize,
        /// The bound.
        max: u64,
    },
    /// Config bytes that are not config v1.
    #[error("the image's config cannot be used")]
    Config(#[source] ConfigError),
    /// Config bytes of a container image that are not container image config JSON.
    #[error("config blob is not container image config JSON")]
    ContainerConfig(#[source] serde_json::Error),
    /// A label or annotation that cannot be read.
    #[error("label `{key}` cannot be used")]
    Label {
        /// Its key.
        key: &'static str,
        /// Why.
        #[source]
        source: LabelError,
    },
    /// The image says two things of the same object.
    #[error("the image contradicts itself: `{key}` says {first}, its config says {second}")]
    Contradiction {
        /// The label or annotation.
        key: &'static str,
        /// What it says.
        first: String,
        /// What the config says.
        second: String,
    },
    /// A layer that does not hold one ELF file.
    #[error("the image's layer cannot be used")]
    Layer(#[source] LayerError),
    /// An index without a manifest for the platform.
    #[error("the image has nothing for {wanted}; it has {available}")]
    NoPlatform {
        /// The platform asked for.
        wanted: Platform,
        /// The platforms there are, for a person to read.
        available: String,
    },
    /// An index whose entry for the platform is no image manifest.
    #[error("the index's entry for {wanted} is of type `{media_type}`, not an image manifest")]
    NotAManifest {
        /// The platform asked for.
        wanted: Platform,
        /// The entry's media type.
        media_type: String,
    },
}

/// The hint about an image that no reader may make sense of.
pub const BUILD_ANEW: &str = "the publisher has to build the image anew; do not load it";

impl ImageError {
    /// What the user can do, in one line.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            // Each program says how to choose another.
            Self::NoPlatform { .. } => None,
            Self::UnknownVersion { .. }
            | Self::Config(ConfigError::Critical(_) | ConfigError::SchemaVersion(_)) => {
                Some("the image is made for later versions of this program: update it")
            }
            Self::Signature => Some("name the image itself, without `.sig`"),
            _ => Some(BUILD_ANEW),
        }
    }
}
