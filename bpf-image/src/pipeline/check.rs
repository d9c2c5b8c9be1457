//! Fetched → checked: the bytes are a BPF object, and the one that the image declares.

use bpf_image_spec::config::Difference;

use super::FetchedImage;
use crate::image::check_declared;
use crate::object::{Object, ObjectError};

/// An object that is what its image says it is.
#[derive(Debug)]
pub struct CheckedObject {
    fetched: FetchedImage,
    object: Object,
}

/// Why an object is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The bytes are no BPF object.
    #[error("the image's object cannot be read")]
    Object(#[from] ObjectError),
    /// They are another one than declared.
    #[error("the image declares what its object is not: {}", list(.differences))]
    Differs {
        /// Each place.
        differences: Vec<Difference>,
    },
}

/// Differences that are printed in the message; the rest are counted.
const SHOWN: usize = 3;

fn list(differences: &[Difference]) -> String {
    let mut text =
        differences.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if differences.len() > SHOWN {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(text, "; and {} more", differences.len() - SHOWN);
    }
    text
}

impl CheckedObject {
    /// Where it came from and who signed it.
    pub fn fetched(&self) -> &FetchedImage {
        &self.fetched
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.object
    }
}

/// Reads the object and compares it with the declaration.
pub fn check(mut fetched: FetchedImage) -> Result<CheckedObject, CheckError> {
    let object = Object::read(fetched.take_object())?;
    check_declared(fetched.declared(), &object)
        .map_err(|differences| CheckError::Differs { differences })?;
    Ok(CheckedObject { fetched, object })
}
