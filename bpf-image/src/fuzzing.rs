//! Parsers that are private and read untrusted bytes, for fuzzing (feature `fuzzing`).

use bpf_image_spec::oci::Descriptor;

use crate::repository::entries;

/// The entries of a layout's `index.json` or of a list of referrers.
pub fn entries(index: &[u8]) -> Result<Vec<Descriptor>, serde_json::Error> {
    entries::read(index, usize::MAX)
}

/// The index with one entry more; `None`: it is there already.
pub fn appended(index: &[u8], entry: &Descriptor) -> Result<Option<Vec<u8>>, serde_json::Error> {
    entries::appended(Some(index), entry)
}
