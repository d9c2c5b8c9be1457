//! Keys, signatures, the trust policy and verdicts for bpf-image.
//!
//! Pure: no network, no disk, no clock. Callers fetch candidate signatures and hand over bytes;
//! [`verify::judge`] weighs them against a [`policy::Policy`] and gives a [`verify::Verdict`] or
//! a refusal that says why each candidate did not count.

#![forbid(unsafe_code)]

pub mod key;
mod pem;

pub use key::{KeyError, KeyId, KeyType, PrivateKey, PublicKey};
