//! What runs now, as records on disk, and the lock that changes to it are made under.
//!
//! A record is what we stored; what the kernel shows is a `Status`, and the two are never mixed.
//! A *pending* record is written before anything is attached, so that a killed command leaves
//! something that `list` shows and `unload` removes.

mod cache;
mod error;
mod lock;
mod record;
mod records;

pub use cache::BlobStore;
pub use error::StateError;
pub use lock::StateLock;
pub use record::{
    FORMAT as RECORD_FORMAT, ImageRecord, InstanceId, Phase, Record, SignerRecord, boot_id,
};
pub use records::Records;
