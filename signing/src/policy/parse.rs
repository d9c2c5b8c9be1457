//! The policy file: TOML into a [`Policy`], every error with its line.
//!
//! Walked by hand rather than derived: a key that is not built yet is refused by its name, an
//! unknown one with the nearest there is, and serde would report neither with table and line.

use std::io;
use std::path::{Path, PathBuf};

use bpf_image_spec::text::is_printable;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::suggest::nearest;
use super::{MAX_POLICY_BYTES, Place, Policy, PolicyError, RepositoryRule, Scope, Signer, VERSION};
use crate::key::PublicKey;

const TOP: &[&str] = &["version", "scope"];
const SCOPE: &[&str] = &["match", "threshold", "repository", "signer"];
const SIGNER: &[&str] = &["name", "key", "key-file"];

/// What the format is to have. An older program must not pass what these would refuse.
const NOT_BUILT: &[&str] = &[
    "annotations",
    "attestations",
    "deny",
    "expires",
    "formats",
    "identity",
    "insecure-accept-any",
    "issuer",
    "mirrors",
    "rollback",
    "trusted-root",
];

/// Longest name of a signer; it is printed in every verdict.
const MAX_NAME: usize = 128;

pub(super) fn parse(
    text: &str,
    mut load: impl FnMut(&Path) -> io::Result<Vec<u8>>,
) -> Result<Policy, PolicyError> {
    if text.len() > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLarge);
    }
    let document = DeTable::parse(text).map_err(|error| PolicyError::Syntax {
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().escape_debug().to_string(),
    })?;
    let top = Table::new(text, "", document.span().start, document.get_ref());
    // Before the keys: a newer version may have any.
    top.check_version()?;
    top.check_keys(TOP)?;
    let mut scopes: Vec<Scope> = Vec::new();
    for table in top.tables("scope")? {
        let scope = parse_scope(&table, &mut load)?;
        if scopes.iter().any(|other| other.place == scope.place) {
            return Err(PolicyError::DuplicateScope {
                line: table.line_of("match"),
                scope: scope.name(),
            });
        }
        scopes.push(scope);
    }
    if scopes.is_empty() {
        return Err(PolicyError::NoScope);
    }
    Ok(Policy { scopes })
}

fn parse_scope(
    table: &Table<'_>,
    load: &mut impl FnMut(&Path) -> io::Result<Vec<u8>>,
) -> Result<Scope, PolicyError> {
    table.check_keys(SCOPE)?;
    let place = Place::parse(table.required_text("match")?)
        .map_err(|source| PolicyError::BadScope { line: table.line_of("match"), source })?;
    let mut signers: Vec<Signer> = Vec::new();
    for table in table.tables("signer")? {
        let signer = parse_signer(&table, load)?;
        if let Some(first) = signers.iter().find(|other| other.key == signer.key) {
            return Err(PolicyError::DuplicateKey {
                line: table.line,
                key: signer.key.id(),
                name: signer.name,
                first: first.name.clone(),
            });
        }
        if signers.iter().any(|other| other.name == signer.name) {
            return Err(PolicyError::DuplicateName { line: table.line, name: signer.name });
        }
        signers.push(signer);
    }
    if signers.is_empty() {
        return Err(PolicyError::NoSigner { line: table.line, scope: place.to_string() });
    }
    let threshold = table.integer("threshold")?.unwrap_or(1);
    let threshold = usize::try_from(threshold)
        .ok()
        .filter(|threshold| (1..=signers.len()).contains(threshold))
        .ok_or_else(|| PolicyError::Threshold {
            line: table.line_of("threshold"),
            threshold,
            signers: signers.len(),
        })?;
    let repository = match table.text("repository")? {
        None | Some("if-named") => RepositoryRule::IfNamed,
        Some("required") => RepositoryRule::Required,
        Some(_) => return Err(table.value_error("repository", "\"if-named\" or \"required\"")),
    };
    // The layout would meet the demand by its own word: whoever can write it could copy a
    // signature there together with the name that the signature is for.
    if repository == RepositoryRule::Required && place.is_layout() {
        let (line, scope) = (table.line_of("repository"), place.to_string());
        return Err(PolicyError::RequiredInLayout { line, scope });
    }
    Ok(Scope { place, signers, threshold, repository })
}

fn parse_signer(
    table: &Table<'_>,
    load: &mut impl FnMut(&Path) -> io::Result<Vec<u8>>,
) -> Result<Signer, PolicyError> {
    table.check_keys(SIGNER)?;
    let name = table.required_text("name")?;
    if name.trim().is_empty() || name.len() > MAX_NAME || !is_printable(name) {
        return Err(table.value_error("name", "printable text of 1 to 128 bytes"));
    }
    let (line, pem) = match (table.text("key")?, table.text("key-file")?) {
        (Some(pem), None) => (table.line_of("key"), pem.as_bytes().to_vec()),
        (None, Some(path)) => {
            let line = table.line_of("key-file");
            let path = PathBuf::from(path);
            let pem = load(&path).map_err(|source| PolicyError::KeyFile { line, path, source })?;
            (line, pem)
        }
        _ => return Err(PolicyError::KeyChoice { line: table.line }),
    };
    let key = PublicKey::from_pem(&pem).map_err(|source| PolicyError::BadKey { line, source })?;
    Ok(Signer { name: name.to_owned(), key })
}

/// A TOML table that knows where it is.
struct Table<'a> {
    text: &'a str,
    /// Names of the tables around it, as `scope.`; empty at the top.
    path: &'static str,
    line: usize,
    entries: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    fn new(text: &'a str, path: &'static str, start: usize, entries: &'a DeTable<'a>) -> Self {
        Self { text, path, line: line_at(text, start), entries }
    }

    fn check_version(&self) -> Result<(), PolicyError> {
        match self.integer("version")? {
            Some(VERSION) => Ok(()),
            Some(found) => Err(PolicyError::Version {
                line: self.line_of("version"),
                found: found.to_string(),
            }),
            None => Err(PolicyError::NoVersion),
        }
    }

    fn check_keys(&self, known: &[&'static str]) -> Result<(), PolicyError> {
        // The map is sorted by name; the reader of the error wants the first in the file.
        let unknown = self
            .entries
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        let Some(unknown) = unknown else {
            return Ok(());
        };
        let line = line_at(self.text, unknown.span().start);
        let name = unknown.get_ref().as_ref();
        let key = format!("{}{}", self.path, name.escape_debug());
        if NOT_BUILT.contains(&name) {
            return Err(PolicyError::NotBuilt { line, key });
        }
        Err(PolicyError::UnknownKey { line, key, suggestion: nearest(name, known) })
    }

    /// Line of an entry's key, or of the table where it is missing.
    fn line_of(&self, key: &str) -> usize {
        let entry = self.entries.keys().find(|entry| entry.get_ref().as_ref() == key);
        entry.map_or(self.line, |entry| line_at(self.text, entry.span().start))
    }

    fn value_error(&self, key: &str, expected: &'static str) -> PolicyError {
        PolicyError::Value { line: self.line_of(key), key: format!("{}{key}", self.path), expected }
    }

    fn value(&self, key: &str) -> Option<&'a DeValue<'a>> {
        self.entries.get(key).map(Spanned::get_ref)
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, PolicyError> {
        let text = |value: &'a DeValue<'a>| {
            value.as_str().ok_or_else(|| self.value_error(key, "a string"))
        };
        self.value(key).map(text).transpose()
    }

    fn required_text(&self, key: &'static str) -> Result<&'a str, PolicyError> {
        let table = if self.path == "scope." { "the scope" } else { "the signer" };
        self.text(key)?.ok_or(PolicyError::Missing { line: self.line, table, key })
    }

    fn integer(&self, key: &str) -> Result<Option<i64>, PolicyError> {
        let integer = |value: &'a DeValue<'a>| {
            value
                .as_integer()
                .and_then(|integer| i64::from_str_radix(integer.as_str(), integer.radix()).ok())
                .ok_or_else(|| self.value_error(key, "an integer"))
        };
        self.value(key).map(integer).transpose()
    }

    /// The tables of `[[key]]`, or none.
    fn tables(&self, key: &'static str) -> Result<Vec<Table<'a>>, PolicyError> {
        let (path, expected) = match key {
            "scope" => ("scope.", "written as [[scope]] tables"),
            _ => ("scope.signer.", "written as [[scope.signer]] tables"),
        };
        let wrong = || self.value_error(key, expected);
        let Some(value) = self.value(key) else {
            return Ok(Vec::new());
        };
        value
            .as_array()
            .ok_or_else(wrong)?
            .iter()
            .map(|item| {
                let entries = item.get_ref().as_table().ok_or_else(wrong)?;
                Ok(Table::new(self.text, path, item.span().start, entries))
            })
            .collect()
    }
}

/// The line, from 1, of a byte offset.
fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
