//! The test vectors in `vectors/`, as `vectors/README.md` describes them.
//!
//! Image forms and the reading of labels are the crate `bpf-image`'s, whose own test drives the
//! same files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a vector that cannot be read is a failure")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bpf_image_spec::attach::AttachPointError;
use bpf_image_spec::config::{ConfigError, MapType, ProgramType};
use bpf_image_spec::oci::{Document, DocumentError};
use bpf_image_spec::platform::PlatformError;
use bpf_image_spec::reference::ReferenceError;
use bpf_image_spec::{AttachPoint, Config, Platform, Reference};
use serde::Deserialize;
use serde::de::DeserializeOwned;

fn vectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}

fn json<T: DeserializeOwned>(name: &str) -> T {
    let bytes = std::fs::read(vectors(name)).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Lines of a `.tsv` file as columns.
fn rows<const N: usize>(name: &str) -> Vec<[String; N]> {
    let text = std::fs::read_to_string(vectors(name)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
            columns.try_into().unwrap_or_else(|_| panic!("{name}: {line}"))
        })
        .collect()
}

/// Reads every text of `file` and compares the canonical form, or the error's name.
fn check_texts<T>(file: &str, error: fn(&T::Err) -> &'static str)
where
    T: FromStr + ToString + PartialEq + std::fmt::Debug,
{
    for [verdict, text, expected] in rows(file) {
        match (verdict.as_str(), text.parse::<T>()) {
            ("ok", Ok(value)) => {
                assert_eq!(value.to_string(), expected, "{file}: {text}");
                assert_eq!(expected.parse::<T>().ok(), Some(value), "{file}: {expected}");
            }
            ("bad", Err(found)) => assert_eq!(error(&found), expected, "{file}: {text}"),
            (_, read) => panic!("{file}: {verdict} {text}: {:?}", read.ok()),
        }
    }
}

#[test]
fn attach_points() {
    check_texts::<AttachPoint>("attach-points.tsv", |error| match error {
        AttachPointError::Shape(_) => "shape",
        AttachPointError::UnknownKind { .. } => "unknown-kind",
        AttachPointError::Target { .. } => "target",
        AttachPointError::UnknownOption { .. } => "unknown-option",
        AttachPointError::RepeatedOption { .. } => "repeated-option",
        AttachPointError::Value { .. } => "value",
        AttachPointError::Encoding(_) => "encoding",
        _ => "an error without a name",
    });
}

#[test]
fn references() {
    check_texts::<Reference>("references.tsv", |error| match error {
        ReferenceError::NoRegistry(_) => "no-registry",
        ReferenceError::BadRegistry { .. } => "bad-registry",
        ReferenceError::BadRepository { .. } => "bad-repository",
        ReferenceError::BadTag { .. } => "bad-tag",
        ReferenceError::BadDigest { .. } => "bad-digest",
        ReferenceError::NoDirectory(_) => "no-directory",
        _ => "an error without a name",
    });
}

#[test]
fn platforms() {
    check_texts::<Platform>("platforms.tsv", |error| match error {
        PlatformError::NotLinux(_) => "not-linux",
        PlatformError::UnknownArchitecture(_) => "unknown-architecture",
        _ => "an error without a name",
    });
}

#[test]
fn vocabularies_are_complete() {
    let programs: Vec<_> =
        ProgramType::ALL.iter().map(|t| [t.label(), t.kernel_name()].map(str::to_owned)).collect();
    assert_eq!(rows("program-types.tsv"), programs);
    let maps: Vec<_> =
        MapType::ALL.iter().map(|t| [t.number().to_string(), t.to_string()]).collect();
    assert_eq!(rows("map-types.tsv"), maps);
}

#[derive(Deserialize)]
struct ConfigCase {
    file: String,
    accept: bool,
    error: Option<String>,
}

#[test]
fn configs() {
    for case in json::<Vec<ConfigCase>>("config/cases.json") {
        let bytes = std::fs::read(vectors("config").join(&case.file)).unwrap();
        let error = Config::from_json(&bytes).err().map(|error| match error {
            ConfigError::TooLarge { .. } => "too-large",
            ConfigError::Json(_) => "json",
            ConfigError::SchemaVersion(_) => "schema-version",
            ConfigError::Critical(_) => "critical",
            _ => "an error without a name",
        });
        assert_eq!(error, case.error.as_deref(), "{}", case.file);
        assert_eq!(error.is_none(), case.accept, "{}", case.file);
    }
}

#[derive(Deserialize)]
struct ManifestCase {
    file: String,
    document: String,
}

#[test]
fn documents() {
    for case in json::<Vec<ManifestCase>>("manifests/cases.json") {
        let bytes = std::fs::read(vectors("manifests").join(&case.file)).unwrap();
        let found = match Document::from_json(&bytes) {
            Ok(Document::Manifest(_)) => "manifest",
            Ok(Document::Index(_)) => "index",
            Err(DocumentError::Json(_)) => "json",
            Err(DocumentError::SchemaVersion(_)) => "schema-version",
            Err(DocumentError::MediaType(_)) => "media-type",
            Err(DocumentError::Ambiguous) => "ambiguous",
            Err(_) => "an error without a name",
        };
        assert_eq!(found, case.document, "{}", case.file);
    }
}

#[derive(Deserialize)]
struct Labels {
    found: Found,
    cases: Vec<LabelCase>,
}

#[derive(Deserialize)]
struct Found {
    programs: BTreeMap<String, FoundProgram>,
    maps: BTreeMap<String, MapType>,
}

#[derive(Deserialize)]
struct FoundProgram {
    #[serde(rename = "type")]
    program_type: ProgramType,
    section: String,
}

#[derive(Deserialize)]
struct LabelCase {
    name: String,
    labels: Option<BTreeMap<String, String>>,
    read: String,
    #[serde(default)]
    differ: Vec<String>,
}

impl Found {
    /// Paths at which `labels` say something else than what was found.
    fn differences(&self, labels: &BTreeMap<String, String>) -> Vec<String> {
        use bpf_image_spec::label;
        let names = |key: &str| -> BTreeMap<String, String> {
            labels.get(key).map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default()
        };
        let is_type = |name: &str, label: &str| {
            self.programs.get(name).is_some_and(|p| p.program_type.matches_label(label))
        };
        let mut paths = Vec::new();
        let mut check = |same: bool, path: String| {
            if !same {
                paths.push(path);
            }
        };
        for (name, value) in names(label::PROGRAMS) {
            check(is_type(&name, &value), format!("programs[{name}].type"));
        }
        for (name, value) in names(label::SECTIONS) {
            let same = self.programs.get(&name).is_some_and(|p| p.section == value);
            check(same, format!("programs[{name}].section"));
        }
        for (name, value) in names(label::MAPS) {
            let same = self.maps.get(&name).is_some_and(|m| m.matches_label(&value));
            check(same, format!("maps[{name}].type"));
        }
        let program =
            labels.get(label::LEGACY_FUNCTION_NAME).or(labels.get(label::LEGACY_PROGRAM_NAME));
        if let (Some(program), Some(value)) = (program, labels.get(label::LEGACY_PROGRAM_TYPE)) {
            check(is_type(program, value), format!("programs[{program}].type"));
        }
        paths
    }
}

#[test]
fn label_vocabularies() {
    let Labels { found, cases } = json("labels/cases.json");
    for case in cases.iter().filter(|case| case.read == "ok") {
        let labels = case.labels.as_ref().unwrap();
        assert_eq!(found.differences(labels), case.differ, "{}", case.name);
    }
}
