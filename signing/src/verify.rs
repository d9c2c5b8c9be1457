//! The verdict: candidates weighed against the policy.
//!
//! Every candidate is judged whole: its key, digest, type and repository have to hold on the one
//! signature. Then distinct keys are counted against the threshold. A candidate that does not
//! hold is a reason to print, never the end: a registry can add junk at will.

use std::collections::BTreeMap;
use std::fmt;

use bpf_image_spec::Digest;

use crate::claims::Claims;
use crate::key::{KeyId, PublicKey};
use crate::policy::{Policy, PolicyError, RepositoryRule, Requested, Scope, Signer};
use crate::signature::SignatureError;
use crate::{bundle, legacy};

/// How many candidates are judged; those after are reported and not looked at. So that none of the
/// two storages crowds the other out, who collects candidates gives each its share.
pub const MAX_CANDIDATES: usize = 32;
/// How large a candidate may be.
pub const MAX_CANDIDATE_BYTES: usize = 1024 * 1024;

/// A signature as it was found, trusted in nothing.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where it was found, for messages.
    pub origin: String,
    /// Its bytes.
    pub form: CandidateForm,
}

/// The two storage formats.
#[derive(Debug, Clone)]
pub enum CandidateForm {
    /// A layer of the `.sig` manifest.
    Legacy {
        /// The layer's content.
        payload: Vec<u8>,
        /// Its annotation [`legacy::SIGNATURE_ANNOTATION`].
        signature: String,
    },
    /// A layer of a referrer.
    Bundle {
        /// The layer's content.
        bytes: Vec<u8>,
    },
    /// One or many that were seen and not fetched, being beyond [`MAX_CANDIDATES`].
    NotFetched,
}

/// The image is signed as the policy demands. Only [`judge`] and [`verify_with_key`] make one.
#[derive(Debug)]
pub struct Verdict {
    digest: Digest,
    scope: String,
    signers: Vec<SignedBy>,
    outcomes: Vec<Outcome>,
}

/// A signer of the policy whose signature counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    name: String,
    key: KeyId,
}

/// What became of one candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    origin: String,
    result: Result<SignedBy, SignatureError>,
}

/// Why an image is not to be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing is allowed from there.
    #[error("no policy scope matches {requested}")]
    NoScope {
        /// What was asked for.
        requested: String,
    },
    /// There is nothing to judge.
    #[error("no signature found for {digest}; policy scope {scope} requires {needed}")]
    NoSignature {
        /// The manifest's digest.
        digest: Digest,
        /// The scope that applies.
        scope: String,
        /// The scope's threshold.
        needed: usize,
    },
    /// Fewer signers than the scope demands. [`Refusal::outcomes`] has the reasons.
    #[error("{found} of {needed} required signers have signed {digest} (policy scope {scope})")]
    NotEnough {
        /// The manifest's digest.
        digest: Digest,
        /// The scope that applies.
        scope: String,
        /// Distinct signers found.
        found: usize,
        /// The scope's threshold.
        needed: usize,
        /// What became of each candidate.
        outcomes: Vec<Outcome>,
    },
}

/// Judges what was found for the manifest `digest`, which was asked for at `requested`.
pub fn judge(
    policy: &Policy,
    requested: &Requested,
    digest: Digest,
    candidates: &[Candidate],
) -> Result<Verdict, Refusal> {
    let scope = policy
        .scope_for(requested)
        .map_err(|_| Refusal::NoScope { requested: requested.to_string() })?;
    let needed = scope.threshold();
    if candidates.is_empty() {
        return Err(Refusal::NoSignature { digest, scope: scope.name(), needed });
    }
    let outcomes: Vec<Outcome> = candidates
        .iter()
        .enumerate()
        .map(|(position, candidate)| Outcome {
            origin: candidate.origin.clone(),
            result: if position < MAX_CANDIDATES {
                judge_one(scope, requested, digest, &candidate.form)
            } else {
                Err(SignatureError::BeyondLimit)
            },
        })
        .collect();
    let distinct: BTreeMap<KeyId, &SignedBy> = outcomes
        .iter()
        .filter_map(|outcome| outcome.result.as_ref().ok())
        .map(|signer| (signer.key, signer))
        .collect();
    if distinct.len() < needed {
        let found = distinct.len();
        return Err(Refusal::NotEnough { digest, scope: scope.name(), found, needed, outcomes });
    }
    let signers = distinct.into_values().cloned().collect();
    Ok(Verdict { digest, scope: scope.name(), signers, outcomes })
}

/// Judges by one key, with no policy file: the same rules under a policy made on the spot.
pub fn verify_with_key(
    key: &PublicKey,
    requested: &Requested,
    digest: Digest,
    candidates: &[Candidate],
) -> Result<Verdict, Refusal> {
    judge(&Policy::of_key("the given key", key, requested), requested, digest, candidates)
}

fn judge_one(
    scope: &Scope,
    requested: &Requested,
    digest: Digest,
    form: &CandidateForm,
) -> Result<SignedBy, SignatureError> {
    let size = form.size();
    if size > MAX_CANDIDATE_BYTES {
        return Err(SignatureError::TooLarge { size });
    }
    // What a signature says is read only once a key of the scope has vouched for it.
    let (signer, claims) = match form {
        CandidateForm::Legacy { payload, signature } => {
            let signature = legacy::decode_signature(signature)?;
            let signer = signer_of(scope, payload, &signature, None)?;
            (signer, legacy::read(payload)?)
        }
        CandidateForm::Bundle { bytes } => {
            let bundle = bundle::open(bytes)?;
            let signer = signer_of(scope, &bundle.message, &bundle.signature, bundle.claimed)?;
            (signer, bundle.claims()?)
        }
        CandidateForm::NotFetched => return Err(SignatureError::BeyondLimit),
    };
    if claims.digest() != digest {
        return Err(SignatureError::OtherDigest { signed: claims.digest() });
    }
    check_repository(scope, requested, &claims)?;
    Ok(SignedBy { name: signer.name().to_owned(), key: signer.key().id() })
}

/// Whose key made the signature. What it claims decides nothing: every key is tried.
fn signer_of<'a>(
    scope: &'a Scope,
    message: &[u8],
    signature: &[u8],
    claimed: Option<KeyId>,
) -> Result<&'a Signer, SignatureError> {
    let signers = scope.signers();
    signers.iter().find(|signer| signer.key().verify(message, signature).is_ok()).ok_or_else(|| {
        match claimed {
            Some(claimed) if signers.iter().any(|signer| signer.key().id() == claimed) => {
                SignatureError::Forged { claimed }
            }
            claimed => SignatureError::UnknownKey { claimed },
        }
    })
}

fn check_repository(
    scope: &Scope,
    requested: &Requested,
    claims: &Claims,
) -> Result<(), SignatureError> {
    match (claims.repository(), requested.repository()) {
        (Some(signed), Some(asked)) if signed == asked => Ok(()),
        (Some(signed), Some(asked)) => Err(SignatureError::OtherRepository {
            signed: signed.to_owned(),
            requested: asked.to_owned(),
        }),
        (Some(signed), None) => Err(SignatureError::UnknownOrigin { signed: signed.to_owned() }),
        (None, _) => match scope.repository_rule() {
            RepositoryRule::IfNamed => Ok(()),
            RepositoryRule::Required => Err(SignatureError::NoRepository),
        },
    }
}

impl CandidateForm {
    fn size(&self) -> usize {
        match self {
            Self::Legacy { payload, signature } => payload.len().saturating_add(signature.len()),
            Self::Bundle { bytes } => bytes.len(),
            Self::NotFetched => 0,
        }
    }
}

impl Verdict {
    /// The manifest that was judged. Only these bytes are vouched for.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The policy scope that applied.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The signers that count, each once.
    pub fn signers(&self) -> &[SignedBy] {
        &self.signers
    }

    /// What became of each candidate, in the order given.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }
}

impl SignedBy {
    /// The signer's name in the policy.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The signer's key.
    pub fn key(&self) -> KeyId {
        self.key
    }
}

impl Outcome {
    /// Where the candidate was found.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The signer, or why the candidate does not count.
    pub fn result(&self) -> Result<&SignedBy, &SignatureError> {
        self.result.as_ref()
    }
}

/// One line: the origin, then the signer or why the candidate does not count.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(signer) => write!(f, "{}: signed by {signer}", self.origin.escape_debug()),
            Err(error) => write!(f, "{}: {error}", self.origin.escape_debug()),
        }
    }
}

impl fmt::Display for SignedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (key {})", self.name, self.key)
    }
}

impl Refusal {
    /// What became of each candidate: to be printed below the message, a line each.
    pub fn outcomes(&self) -> &[Outcome] {
        match self {
            Self::NotEnough { outcomes, .. } => outcomes,
            _ => &[],
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoScope { requested } => {
                PolicyError::NoMatch { requested: requested.clone() }.hint()
            }
            Self::NoSignature { .. } => {
                Some("the publisher signs it with `bpf-image sign --key KEY REF`".to_owned())
            }
            Self::NotEnough { outcomes, .. } => outcomes
                .iter()
                .find_map(|outcome| outcome.result.as_ref().err()?.hint())
                .map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests;
