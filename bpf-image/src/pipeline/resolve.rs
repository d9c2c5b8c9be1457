//! Reference → digest, once.

use bpf_image_signing::policy::{PlaceError, Policy, PolicyError, Requested};
use bpf_image_spec::{Digest, Reference};

use crate::repository::{Fetched, Repository, RepositoryError};

/// What a reference named when it was looked at: a manifest or index by digest. The tag is gone.
#[derive(Debug)]
pub struct Resolved {
    reference: Reference,
    requested: Requested,
    root: Fetched,
}

/// Why a reference does not resolve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The repository could not be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// A layout whose path no policy could name.
    #[error("policy cannot name this layout")]
    Place(#[source] PlaceError),
}

impl Resolved {
    /// The reference as it was asked for.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The place that policy judges.
    pub fn requested(&self) -> &Requested {
        &self.requested
    }

    /// The manifest or index.
    pub fn root(&self) -> &Fetched {
        &self.root
    }

    /// Its digest.
    pub fn digest(&self) -> Digest {
        self.root.digest()
    }
}

/// Refuses a registry that the policy has no scope for, before a byte goes over the network.
///
/// Layouts pass: where a layout's images came from is written in the layout.
pub fn admit(reference: &Reference, policy: &Policy) -> Result<(), PolicyError> {
    match reference {
        Reference::Registry(reference) => {
            policy.scope_for(&Requested::registry(reference)).map(drop)
        }
        Reference::Layout(_) => Ok(()),
    }
}

/// Looks `reference` up in `repository`, which must be the one it names.
pub async fn resolve(
    repository: &Repository,
    reference: &Reference,
) -> Result<Resolved, ResolveError> {
    let root = repository.resolve(reference).await?;
    let requested = match (reference, repository) {
        (Reference::Registry(reference), _) => Requested::registry(reference),
        (Reference::Layout(_), Repository::Layout(layout)) => {
            Requested::layout(layout.dir(), root.origin()).map_err(ResolveError::Place)?
        }
        (Reference::Layout(reference), Repository::Registry(_)) => {
            Requested::layout(reference.dir(), None).map_err(ResolveError::Place)?
        }
    };
    Ok(Resolved { reference: reference.clone(), requested, root })
}
