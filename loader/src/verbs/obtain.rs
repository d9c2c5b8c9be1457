//! Reference → checked object: the part of the dataflow that needs a network and no kernel.

use std::path::PathBuf;

use bpf_image::pipeline::{
    self, BlobCache, CheckedObject, FetchedImage, Verified, admit, read_policy,
};
use bpf_image::registry::Access;
use bpf_image::repository::Repository;
use bpf_image_spec::{Platform, Reference};

use crate::checkpoint::checkpoint;
use crate::error::LoaderError;

/// Where an image is to come from, and by which rules.
#[derive(Debug, Clone)]
pub struct Source {
    /// The reference.
    pub reference: Reference,
    /// The policy file.
    pub policy: PathBuf,
    /// How registries are reached.
    pub access: Access,
}

/// Resolves, verifies, fetches and checks. No bpf(2) call is made on the way.
pub(super) fn obtain(
    source: &Source,
    cache: &impl BlobCache,
) -> Result<CheckedObject, LoaderError> {
    let platform =
        Platform::host().ok_or(LoaderError::NoPlatform { architecture: std::env::consts::ARCH })?;
    let policy = read_policy(&source.policy)?;
    admit(&source.reference, &policy)?;
    let repository = Repository::open(&source.reference, &source.access)?;
    let fetched = block_on(async {
        let resolved = pipeline::resolve(&repository, &source.reference).await?;
        checkpoint("resolved");
        let verified: Verified =
            Box::pin(pipeline::verify_enough(&repository, resolved, &policy)).await?;
        checkpoint("verified");
        let fetched: FetchedImage =
            pipeline::fetch(&repository, verified, &platform, cache).await?;
        checkpoint("fetched");
        Ok::<_, LoaderError>(fetched)
    })??;
    let checked = pipeline::check(fetched)?;
    checkpoint("checked");
    Ok(checked)
}

/// One thread: the kernel worker is started from a process without others.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, LoaderError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(LoaderError::Runtime)?;
    Ok(runtime.block_on(future))
}
