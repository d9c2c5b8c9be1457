//! The trust policy: which keys must have signed what is loaded from where. Default deny.
//!
//! A [`Policy`] has at least one scope, a [`Scope`] at least one signer and a threshold that its
//! signers can meet: a policy that constrains nothing cannot be built, so it cannot pass.

mod error;
mod parse;
mod place;
mod suggest;

use std::io;
use std::path::Path;

pub use error::PolicyError;
pub(crate) use place::Place;
pub use place::{PlaceError, Requested};

use crate::key::PublicKey;

/// The only version there is.
const VERSION: i64 = 1;
/// Longest policy file that is read.
pub const MAX_POLICY_BYTES: usize = 1024 * 1024;

/// What may be loaded from where: the scopes of a policy file.
#[derive(Debug)]
pub struct Policy {
    scopes: Vec<Scope>,
}

/// The rule for a registry path or layout path, and everything below it.
#[derive(Debug)]
pub struct Scope {
    place: Place,
    signers: Vec<Signer>,
    threshold: usize,
    repository: RepositoryRule,
}

/// A key, and what its owner is called in messages.
#[derive(Debug, Clone)]
pub struct Signer {
    name: String,
    key: PublicKey,
}

/// Whether a signature has to name the repository that it was made for. One that names another
/// never counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepositoryRule {
    /// A signature that names none counts (`repository = "if-named"`).
    #[default]
    IfNamed,
    /// A signature that names none does not count (`repository = "required"`). Registries only.
    Required,
}

impl Policy {
    /// Reads a policy file's text. `load` reads the file that a `key-file` names, a path relative
    /// to the policy file.
    pub fn parse(
        text: &str,
        load: impl FnMut(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, PolicyError> {
        parse::parse(text, load)
    }

    /// A policy of one scope that covers exactly what is asked for and trusts one key: what
    /// `verify --key` means.
    pub(crate) fn of_key(name: &str, key: &PublicKey, requested: &Requested) -> Self {
        Self {
            scopes: vec![Scope {
                place: requested.place().clone(),
                signers: vec![Signer { name: name.to_owned(), key: key.clone() }],
                threshold: 1,
                repository: RepositoryRule::IfNamed,
            }],
        }
    }

    /// The rule for what is asked for: the scope that covers it with the most segments. Two scopes
    /// cannot tie, since those that cover one place with as many segments are the same.
    pub fn scope_for(&self, requested: &Requested) -> Result<&Scope, PolicyError> {
        self.scopes
            .iter()
            .filter_map(|scope| Some((scope.place.covers(requested.place())?, scope)))
            .max_by_key(|(segments, _)| *segments)
            .map(|(_, scope)| scope)
            .ok_or_else(|| PolicyError::NoMatch { requested: requested.to_string() })
    }

    /// All scopes, in the file's order.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The text of a ready policy that trusts `key` for `scope` and what is below it.
    pub fn scaffold(scope: &str, key: &PublicKey) -> Result<String, PlaceError> {
        let place = Place::parse(scope)?.to_string();
        // A layout path may hold both; control characters a place cannot have.
        let place = place.replace('\\', "\\\\").replace('"', "\\\"");
        Ok(format!(
            "# bpf-image policy: what may be loaded, and whose keys must have signed it.\n\
             # What no scope matches is refused.\n\
             version = {VERSION}\n\
             \n\
             [[scope]]\n\
             match = \"{place}\"\n\
             \n\
             [[scope.signer]]\n\
             name = \"release\"\n\
             key = \"\"\"\n\
             {pem}\"\"\"\n",
            pem = key.to_pem(),
        ))
    }
}

impl Scope {
    /// The scope's `match`.
    pub fn name(&self) -> String {
        self.place.to_string()
    }

    /// Those who may sign; never empty.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// How many of them have to.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// Whether signatures have to name their repository.
    pub fn repository_rule(&self) -> RepositoryRule {
        self.repository
    }
}

impl Signer {
    /// What the signer is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The signer's key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }
}
