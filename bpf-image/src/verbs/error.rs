//! Why a verb did not do what it was asked: the errors of the stages below, and its own.

use std::io;
use std::path::PathBuf;

use bpf_image_signing::claims::ClaimsError;
use bpf_image_signing::policy::PlaceError;
use bpf_image_signing::{KeyError, Refusal};
use bpf_image_spec::Digest;
use bpf_image_spec::config::Difference;
use bpf_image_spec::oci::DocumentError;

use crate::image::{BUILD_ANEW, BuildError, ImageError};
use crate::object::ObjectError;
use crate::pipeline::{PolicyFileError, ResolveError, VerifyError};
use crate::report::{Advice, Exit};
use crate::repository::{Fault, RepositoryError};

/// A verb that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerbError {
    /// A registry or layout.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// A file on this machine that cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file on this machine that cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that would have been overwritten.
    #[error("{} exists and stays as it is", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file that is no BPF object.
    #[error("{} cannot be used as a BPF object", .path.display())]
    ObjectFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ObjectError,
    },
    /// The object in an image is none.
    #[error("the object in {reference} cannot be used")]
    ImageObject {
        /// The image.
        reference: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
    /// A manifest or index that cannot be used.
    #[error("{reference} cannot be used")]
    Document {
        /// The image.
        reference: String,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// An image that cannot be used.
    #[error("{reference} cannot be used")]
    Image {
        /// The image.
        reference: String,
        /// Why.
        #[source]
        source: ImageError,
    },
    /// An image that declares what its object is not.
    #[error("{reference} declares what its object does not hold")]
    DeclaredOtherwise {
        /// The image.
        reference: String,
        /// Each place.
        differences: Vec<Difference>,
    },
    /// An index within an index, or more entries than an image has.
    #[error("index {digest} in {reference} is not one of image manifests")]
    OddIndex {
        /// The image.
        reference: String,
        /// The index.
        digest: Digest,
    },
    /// Objects that make no image.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// `build -t REGISTRY…` without saying that it may be pushed.
    #[error("`{reference}` is in a registry, and `--push` was not given")]
    PushNotAsked {
        /// The reference.
        reference: String,
    },
    /// A reference to write to that names a digest.
    #[error("`{reference}` has a digest; content decides its digest, so give a tag only")]
    DigestGiven {
        /// The reference.
        reference: String,
    },
    /// `push` to a layout or `pull` to a registry.
    #[error("`{reference}` is not {wanted}")]
    WrongPlace {
        /// The reference.
        reference: String,
        /// What the verb writes to.
        wanted: &'static str,
    },
    /// `--program` with a name that the object does not hold.
    #[error("no program `{name}` in the object")]
    NoSuchProgram {
        /// The name.
        name: String,
        /// The programs there are.
        known: Vec<String>,
    },
    /// `--btf` with a name that the object's BTF does not hold.
    #[error("no type `{name}` in the object's BTF")]
    NoSuchType {
        /// The name.
        name: String,
    },
    /// `SOURCE_DATE_EPOCH` beyond the years that RFC 3339 can write.
    #[error("SOURCE_DATE_EPOCH {seconds} is after the year 9999")]
    Epoch {
        /// Its value.
        seconds: u64,
    },
    /// A key file.
    #[error("key {} cannot be used", .path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// A key that cannot be made or does not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An annotation that no signature may carry.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// The policy file.
    #[error(transparent)]
    PolicyFile(#[from] PolicyFileError),
    /// A scope that no policy can have.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Other writers kept replacing the signatures' manifest.
    #[error("other writers keep replacing the signatures of {digest}")]
    SignatureRace {
        /// The signed manifest.
        digest: Digest,
    },
    /// No more signatures are added. Those that are there stay.
    #[error("{digest} has {max} {what} or more, so no signature was added")]
    TooManySignatures {
        /// The manifest that was to be signed.
        digest: Digest,
        /// Which storage: layers, or referrers.
        what: &'static str,
        /// Most that a signature is added to.
        max: usize,
    },
    /// What lies under the tag of legacy signatures is something else, and stays.
    #[error("tag `{tag}` in {place} holds no signatures, so none was added")]
    NotSignatures {
        /// Repository or layout.
        place: String,
        /// The tag.
        tag: String,
    },
    /// The policy or key says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl VerbError {
    /// What goes with the message: exit code, fault, details, hint.
    pub fn advice(&self) -> Advice {
        let (exit, fault) = self.judged();
        Advice { exit, fault, details: self.details(), hint: self.hint() }
    }

    fn judged(&self) -> (Exit, &'static str) {
        match self {
            Self::Repository(error) => match error.fault() {
                Fault::Registry => (Exit::Unreachable, "registry"),
                Fault::Network => (Exit::Unreachable, "network"),
                Fault::Credentials => (Exit::Unreachable, "credentials on this machine"),
                Fault::Image => (Exit::Refused, "image"),
                Fault::Host => (Exit::Failed, "host"),
            },
            Self::Document { .. }
            | Self::Image { .. }
            | Self::ImageObject { .. }
            | Self::DeclaredOtherwise { .. }
            | Self::OddIndex { .. } => (Exit::Refused, "image"),
            Self::TooManySignatures { .. } | Self::NotSignatures { .. } => {
                (Exit::Failed, "repository")
            }
            Self::Refused(Refusal::NoScope { .. })
            | Self::PolicyFile(PolicyFileError::Absent { .. } | PolicyFileError::Policy { .. }) => {
                (Exit::Refused, "policy")
            }
            Self::Refused(_) => (Exit::Refused, "signer"),
            Self::ObjectFile { .. } | Self::Build(_) => (Exit::Failed, "object"),
            Self::PushNotAsked { .. }
            | Self::DigestGiven { .. }
            | Self::WrongPlace { .. }
            | Self::Claims(_)
            | Self::Place(_)
            | Self::NoSuchProgram { .. }
            | Self::NoSuchType { .. }
            | Self::Epoch { .. } => (Exit::Usage, "command line"),
            Self::SignatureRace { .. } => (Exit::Unreachable, "registry"),
            Self::KeyFile { .. } | Self::Key(_) => (Exit::Failed, "key"),
            Self::PolicyFile(_) | Self::Read { .. } | Self::Write { .. } | Self::Exists { .. } => {
                (Exit::Failed, "host")
            }
        }
    }

    fn details(&self) -> Vec<String> {
        match self {
            Self::Refused(refusal) => refusal.outcomes().iter().map(ToString::to_string).collect(),
            Self::DeclaredOtherwise { differences, .. } => {
                differences.iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Repository(error) => error.hint(),
            Self::Build(error) => error.hint().map(str::to_owned),
            Self::Refused(refusal) => refusal.hint(),
            Self::KeyFile { source, .. } | Self::Key(source) => source.hint().map(str::to_owned),
            Self::PolicyFile(error) => error.hint(),
            Self::PushNotAsked { .. } => Some(
                "add `--push` to push at once, or build into a directory: `-t oci:DIR:TAG`"
                    .to_owned(),
            ),
            Self::NoSuchProgram { known, .. } => Some(match known.as_slice() {
                [] => "it holds none".to_owned(),
                known => format!("it holds {}", known.join(", ")),
            }),
            Self::Exists { .. } => Some("choose another name with --output-key-prefix".to_owned()),
            Self::Image { source: ImageError::NoPlatform { .. }, .. } => {
                Some("choose one with --platform".to_owned())
            }
            Self::ObjectFile { .. } => Some(
                "compile with `clang -O2 -g -target bpf -c`; the file must be what clang wrote"
                    .to_owned(),
            ),
            Self::Image { source, .. } => source.hint().map(str::to_owned),
            Self::Document { .. }
            | Self::OddIndex { .. }
            | Self::DeclaredOtherwise { .. }
            | Self::ImageObject { .. } => Some(BUILD_ANEW.to_owned()),
            Self::TooManySignatures { .. } => Some(
                "delete those that nobody needs; verifiers look at 32 of them at most".to_owned(),
            ),
            Self::NotSignatures { .. } => {
                Some("delete the tag if it holds nothing that is needed".to_owned())
            }
            _ => None,
        }
    }
}

impl From<ResolveError> for VerbError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Repository(error) => Self::Repository(error),
            ResolveError::Place(error) => Self::Place(error),
        }
    }
}

impl From<VerifyError> for VerbError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Repository(error) => Self::Repository(error),
            VerifyError::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_no_reader_can_make_sense_of_is_the_publishers() {
        let reference = || "r.example/a".to_owned();
        for error in [
            VerbError::Image { reference: reference(), source: ImageError::Signature },
            VerbError::Image {
                reference: reference(),
                source: ImageError::Contradiction {
                    key: "io.ebpf.maps",
                    first: String::new(),
                    second: String::new(),
                },
            },
            VerbError::OddIndex { reference: reference(), digest: Digest::of(b"") },
        ] {
            let Advice { exit, fault, hint, .. } = error.advice();
            assert_eq!((exit, fault, hint.is_some()), (Exit::Refused, "image", true), "{error}");
        }
    }
}
