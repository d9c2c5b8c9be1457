//! Parsers that fuzzing has to reach without a key that verifies (feature `fuzzing`).
//!
//! In production these bytes are read only after a key has vouched for them; fuzzing would never
//! get past that.

use crate::claims::Claims;
use crate::signature::SignatureError;
use crate::{bundle, legacy, statement};

/// What a bundle says.
pub fn bundle(bytes: &[u8]) -> Result<Claims, SignatureError> {
    bundle::open(bytes)?.claims()
}

/// What a bundle's statement says.
pub fn statement(payload: &[u8]) -> Result<Claims, SignatureError> {
    statement::read(payload)
}

/// What the payload of a legacy signature says.
pub fn simple_signing(payload: &[u8]) -> Result<Claims, SignatureError> {
    legacy::read(payload)
}

/// The bytes of a legacy signature.
pub fn legacy_signature(text: &str) -> Result<Vec<u8>, SignatureError> {
    legacy::decode_signature(text)
}
