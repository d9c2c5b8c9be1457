//! Keys, signatures, the trust policy and verdicts for bpf-image.
//!
//! Pure: no network, no disk, no clock. Callers fetch candidate signatures and hand over bytes;
//! [`verify::judge`] weighs them against a [`policy::Policy`] and gives a [`verify::Verdict`] or
//! a refusal that says why each candidate did not count.

#![forbid(unsafe_code)]

pub mod bundle;
pub mod claims;
mod dsse;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod key;
pub mod legacy;
mod pem;
pub mod policy;
pub mod signature;
pub mod statement;
mod strict;
pub mod verify;

pub use claims::Claims;
pub use key::{KeyError, KeyId, KeyType, PrivateKey, PublicKey};
pub use policy::{Policy, Requested};
pub use verify::{Candidate, CandidateForm, Refusal, Verdict};
