//! Blobs of images that were verified, kept by digest so that the next run need not fetch them.
//!
//! Nothing is trusted for lying here: the pipeline hashes every hit.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use bpf_image::pipeline::BlobCache;
use bpf_image_spec::oci::Descriptor;
use tracing::debug;

/// The blob store of one state directory.
#[derive(Debug, Clone)]
pub struct BlobStore {
    dir: PathBuf,
}

impl BlobStore {
    /// The one under `state`.
    pub fn new(state: &Path) -> Self {
        Self { dir: state.join("v1").join("blobs").join("sha256") }
    }
}

impl BlobCache for BlobStore {
    fn find(&self, descriptor: &Descriptor) -> Option<Vec<u8>> {
        let file = fs::File::open(self.dir.join(descriptor.digest.hex())).ok()?;
        let mut bytes = Vec::new();
        // One byte more than expected tells a file that grew from the one that was kept.
        file.take(descriptor.size.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn keep(&self, descriptor: &Descriptor, bytes: &[u8]) {
        let kept = fs::create_dir_all(&self.dir)
            .and_then(|()| tempfile::NamedTempFile::new_in(&self.dir))
            .and_then(|mut file| {
                file.write_all(bytes)?;
                Ok(file.persist(self.dir.join(descriptor.digest.hex()))?)
            });
        if let Err(error) = kept {
            debug!(digest = %descriptor.digest, %error, "blob not kept");
        }
    }
}
