//! Verified → fetched: the platform's manifest, its config and its object layer, every byte
//! hashed against a digest that the signature covers.

use bpf_image_spec::oci::{Descriptor, Document, DocumentError, MANIFEST_MAX};
use bpf_image_spec::{Digest, Platform};

use super::Verified;
use crate::image::{self, Declared, ImageError, ImageManifest};
use crate::repository::{Fetched, Repository, RepositoryError};

/// What an image holds for one platform: its declaration and its object's bytes.
#[derive(Debug)]
pub struct FetchedImage {
    verified: Verified,
    manifest: Digest,
    image: ImageManifest,
    declared: Declared,
    object: Vec<u8>,
}

/// Why an image could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The repository could not be read, or what it gave has another digest.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The document is neither manifest nor index.
    #[error("{digest} is not an image")]
    Document {
        /// Digest of the document.
        digest: Digest,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// It is an image, and not one of ours.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl FetchError {
    /// What the user can do, in one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Repository(error) => error.hint(),
            Self::Document { .. } => Some(image::BUILD_ANEW.to_owned()),
            Self::Image(error) => error.hint().map(str::to_owned),
        }
    }
}

/// Blobs kept on this machine. What comes out is hashed again before it is used.
pub trait BlobCache {
    /// The content of `descriptor`, if it is there and unchanged.
    fn find(&self, descriptor: &Descriptor) -> Option<Vec<u8>>;
    /// Keeps `bytes`; a cache that cannot is none.
    fn keep(&self, descriptor: &Descriptor, bytes: &[u8]);
}

impl FetchedImage {
    /// What was verified.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// Digest of the platform's manifest.
    pub fn manifest(&self) -> Digest {
        self.manifest
    }

    /// Form, config and layer.
    pub fn image(&self) -> &ImageManifest {
        &self.image
    }

    /// What the image says of its object.
    pub fn declared(&self) -> &Declared {
        &self.declared
    }

    /// Takes the object's bytes out.
    pub(super) fn take_object(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.object)
    }
}

/// Fetches what `verified` holds for `platform`, blobs from `cache` where it has them.
pub async fn fetch(
    repository: &Repository,
    verified: Verified,
    platform: &Platform,
    cache: &impl BlobCache,
) -> Result<FetchedImage, FetchError> {
    let root = verified.resolved().root();
    let (digest, manifest) = match read(root)? {
        Document::Manifest(manifest) => (root.digest(), manifest),
        Document::Index(index) => {
            let entry = image::select_platform(&index, platform)?;
            let fetched = repository.manifest(entry.digest, MANIFEST_MAX).await?;
            match read(&fetched)? {
                Document::Manifest(manifest) => (entry.digest, manifest),
                Document::Index(_) => {
                    return Err(ImageError::NotAManifest {
                        wanted: platform.clone(),
                        media_type: fetched.media_type().to_owned(),
                    }
                    .into());
                }
            }
        }
    };
    let image = image::classify(&manifest)?;
    let config = async {
        if image.has_config() {
            blob(repository, cache, image.config(), image.config_max()).await
        } else {
            Ok(Vec::new())
        }
    };
    let layer = blob(repository, cache, image.layer(), image.layer_max());
    // Both are signed for, so neither need wait for the other.
    let (config, layer) = tokio::try_join!(config, layer)?;
    let declared = image::declared(&image, &config)?;
    let object = image::object_bytes(&image, layer)?;
    Ok(FetchedImage { verified, manifest: digest, image, declared, object })
}

fn read(fetched: &Fetched) -> Result<Document, FetchError> {
    let digest = fetched.digest();
    fetched.document().map_err(|source| FetchError::Document { digest, source })
}

async fn blob(
    repository: &Repository,
    cache: &impl BlobCache,
    descriptor: &Descriptor,
    max: u64,
) -> Result<Vec<u8>, RepositoryError> {
    // A large one is refused whether it is kept here or not.
    if descriptor.size > max {
        let Descriptor { digest, size, .. } = *descriptor;
        return Err(RepositoryError::OverLimit { digest, size, max });
    }
    let kept = cache.find(descriptor).filter(|bytes| {
        bytes.len() as u64 == descriptor.size && Digest::of(bytes) == descriptor.digest
    });
    if let Some(bytes) = kept {
        return Ok(bytes);
    }
    let bytes = repository.blob(descriptor, max).await?;
    cache.keep(descriptor, &bytes);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use bpf_image_spec::Reference;

    use super::*;
    use crate::registry::Access;

    /// Has everything.
    struct Full;

    impl BlobCache for Full {
        fn find(&self, _: &Descriptor) -> Option<Vec<u8>> {
            Some(b"content".to_vec())
        }

        fn keep(&self, _: &Descriptor, _: &[u8]) {}
    }

    #[tokio::test]
    async fn a_blob_over_the_limit_is_refused_though_it_is_cached() {
        let dir = tempfile::tempdir().unwrap();
        let reference: Reference = format!("oci:{}", dir.path().display()).parse().unwrap();
        let repository = Repository::create(&reference, &Access::default()).unwrap();
        let descriptor = Descriptor::of("application/x", b"content");
        let blob = async |max| blob(&repository, &Full, &descriptor, max).await;
        assert_eq!(blob(7).await.unwrap(), b"content");
        assert!(matches!(blob(6).await, Err(RepositoryError::OverLimit { size: 7, max: 6, .. })));
    }
}
