//! Why an image cannot be built.

use bpf_image_spec::Platform;

/// Input that makes no image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Nothing to pack.
    #[error("no object was given")]
    NoObject,
    /// Several objects, one of them without a platform.
    #[error("`{title}` has no platform; several objects need one each")]
    PlatformMissing {
        /// The object's file name.
        title: String,
    },
    /// Two objects for one platform.
    #[error("platform {platform} is given twice")]
    PlatformTwice {
        /// The platform.
        platform: Platform,
    },
    /// An object of the other byte order.
    #[error("`{title}` is {found}-endian, which {platform} cannot run")]
    Endianness {
        /// The object's file name.
        title: String,
        /// The platform it was given for.
        platform: Platform,
        /// Byte order of the object.
        found: &'static str,
    },
    /// A file name that other tools could not write.
    #[error(
        "`{title}` cannot be the file name in an image (at most 100 letters, digits, `.`, `_`, `-`, not starting with `.`)"
    )]
    Title {
        /// The file name.
        title: String,
    },
    /// An annotation that the builder writes itself.
    #[error("annotation `{key}` is written by the build and cannot be set")]
    ReservedAnnotation {
        /// Its key.
        key: String,
    },
    /// A config that no reader would accept.
    #[error("the config of `{title}` has {size} bytes, more than the {max} that a reader accepts")]
    ConfigTooLarge {
        /// The object's file name.
        title: String,
        /// Its size.
        size: usize,
        /// The bound.
        max: usize,
    },
}

impl BuildError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::PlatformMissing { .. } => {
                Some("write each object as --platform linux/amd64=FILE")
            }
            Self::Endianness { found: "little", .. } => {
                Some("compile for a big-endian machine with clang -target bpfeb")
            }
            Self::Endianness { .. } => {
                Some("compile for a little-endian machine with clang -target bpfel")
            }
            Self::Title { .. } => Some("rename the file"),
            Self::ConfigTooLarge { .. } => {
                Some("the artifact form (--format artifact) has room for more")
            }
            _ => None,
        }
    }
}
