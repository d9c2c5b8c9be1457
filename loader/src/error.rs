//! Why a command of the loader failed: one stage's error, with its exit code, fault and hint.

use bpf_image::image::ImageError;
use bpf_image::pipeline::{CheckError, FetchError, PolicyFileError, ResolveError, VerifyError};
use bpf_image::report::{Advice, Exit};
use bpf_image::repository::{Fault, RepositoryError};
use bpf_image_signing::Refusal;
use bpf_image_signing::policy::PolicyError;

use crate::kernel::KernelError;
use crate::plan::PlanError;
use crate::state::StateError;

/// A stage of the load dataflow, or of taking away, that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoaderError {
    /// There is no policy to judge by.
    #[error(transparent)]
    PolicyFile(#[from] PolicyFileError),
    /// The policy has no scope for what was asked.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Nothing known about this machine's architecture.
    #[error("BPF images know no platform for this machine ({architecture})")]
    NoPlatform {
        /// Rust's name of the architecture.
        architecture: &'static str,
    },
    /// The repository could not be opened.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The reference names nothing.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The signatures do not suffice.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The image could not be fetched, or is none.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The object is not what the image declares.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// What is wanted cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The kernel, or the host around it.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Records.
    #[error(transparent)]
    State(#[from] StateError),
    /// Loading failed, and taking away what it left failed as well.
    #[error("{failure}; and what it left could not be taken away")]
    Unclean {
        /// The first failure.
        failure: Box<LoaderError>,
        /// The second.
        #[source]
        cleaning: Box<LoaderError>,
    },
    /// A map that the instance does not have.
    #[error("instance `{instance}` has no map `{map}`; it has {known}")]
    NoMap {
        /// The instance.
        instance: String,
        /// The map.
        map: String,
        /// Those it has.
        known: String,
    },
    /// An attach point that the instance does not have.
    #[error("instance `{instance}` is not attached at `{point}`; it is at {known}")]
    NoPoint {
        /// The instance.
        instance: String,
        /// The attach point.
        point: String,
        /// Those it has.
        known: String,
    },
    /// The worker answered another request.
    #[error("the kernel worker gave an answer to another request")]
    OddAnswer,
    /// The asynchronous runtime did not start.
    #[error("cannot start the network runtime")]
    Runtime(#[source] std::io::Error),
    /// This kernel lacks what the image needs; `check` has listed it.
    #[error("this kernel cannot take the image: {}", .missing.join("; "))]
    KernelLacks {
        /// What is missing.
        missing: Vec<String>,
    },
}

impl LoaderError {
    /// What goes with the message: exit code, fault, details, hint.
    pub fn advice(&self) -> Advice {
        let (exit, fault) = self.judged();
        Advice { exit, fault, details: self.details(), hint: self.hint() }
    }

    fn judged(&self) -> (Exit, &'static str) {
        match self {
            Self::PolicyFile(PolicyFileError::Absent { .. } | PolicyFileError::Policy { .. })
            | Self::Policy(_)
            | Self::Verify(VerifyError::Refused(Refusal::NoScope { .. })) => {
                (Exit::Refused, "policy")
            }
            Self::Repository(error)
            | Self::Resolve(ResolveError::Repository(error))
            | Self::Verify(VerifyError::Repository(error))
            | Self::Fetch(FetchError::Repository(error)) => repository_fault(error),
            Self::Verify(_) => (Exit::Refused, "signer"),
            Self::Fetch(FetchError::Image(ImageError::NoPlatform { .. })) => {
                (Exit::Kernel, "image")
            }
            Self::Fetch(_) | Self::Check(_) => (Exit::Refused, "image"),
            Self::Plan(PlanError::NoLicense | PlanError::Normalise(_)) => (Exit::Kernel, "image"),
            Self::Plan(error) if error.kernel_cannot() => (Exit::Kernel, "kernel"),
            Self::Plan(_) | Self::NoMap { .. } | Self::NoPoint { .. } => {
                (Exit::Usage, "command line")
            }
            Self::Kernel(error) if error.kernel_cannot() => (Exit::Kernel, "kernel"),
            Self::NoPlatform { .. } | Self::KernelLacks { .. } => (Exit::Kernel, "kernel"),
            Self::Unclean { failure, .. } => failure.judged(),
            _ => (Exit::Failed, "host"),
        }
    }

    fn details(&self) -> Vec<String> {
        match self {
            Self::Verify(VerifyError::Refused(refusal)) => {
                refusal.outcomes().iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::PolicyFile(error) => error.hint(),
            Self::Policy(error) => error.hint(),
            Self::Repository(error)
            | Self::Resolve(ResolveError::Repository(error))
            | Self::Verify(VerifyError::Repository(error))
            | Self::Fetch(FetchError::Repository(error)) => error.hint(),
            Self::Verify(VerifyError::Refused(refusal)) => refusal.hint(),
            Self::Fetch(error) => error.hint(),
            Self::Check(_) => Some(
                "the publisher has to build and sign the image anew; do not load it".to_owned(),
            ),
            Self::Plan(error) => error.hint(),
            Self::Kernel(error) => error.hint(),
            Self::State(error) => error.hint(),
            Self::Unclean { .. } => {
                Some("`bpf-loader list` shows what is left, `bpf-loader unload` removes it".into())
            }
            _ => None,
        }
    }
}

/// Who is at fault in a repository, and the exit code that it has in both programs.
fn repository_fault(error: &RepositoryError) -> (Exit, &'static str) {
    match error.fault() {
        Fault::Network => (Exit::Unreachable, "network"),
        Fault::Credentials => (Exit::Unreachable, "credentials on this machine"),
        Fault::Image => (Exit::Refused, "image"),
        Fault::Host => (Exit::Failed, "host"),
        _ => (Exit::Unreachable, "registry"),
    }
}
