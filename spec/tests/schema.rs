//! `schema/config-v1.json` is what the types say, and agrees with them about the vectors.
//!
//! `BPF_IMAGE_UPDATE_SCHEMA=1 cargo test -p bpf-image-spec --test schema` writes it anew.

use std::path::{Path, PathBuf};

use bpf_image_spec::Config;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn generated() -> Value {
    let mut schema = schemars::schema_for!(Config);
    // `format` binds nobody: say the bound in a keyword that every validator checks.
    let bound = |schema: &mut schemars::Schema| {
        if schema.get("format").and_then(Value::as_str) == Some("uint32") {
            schema.insert("maximum".to_owned(), u32::MAX.into());
        }
    };
    schemars::transform::transform_subschemas(&mut RecursiveTransform(bound), &mut schema);
    schema.insert("title".to_owned(), "bpf-image config, version 1".into());
    schema.to_value()
}

#[test]
fn checked_in_schema_is_the_generated_one() {
    let path = folder("schema").join("config-v1.json");
    if std::env::var_os("BPF_IMAGE_UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, format!("{:#}\n", generated())).unwrap();
    }
    let stored: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(stored == generated(), "BPF_IMAGE_UPDATE_SCHEMA=1 writes {} anew", path.display());
}

#[test]
fn schema_says_what_each_vector_expects() {
    let schema = jsonschema::validator_for(&generated()).unwrap();
    let vectors = folder("vectors/config");
    let cases = std::fs::read(vectors.join("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    for case in cases {
        let file = case["file"].as_str().unwrap();
        // A schema sees only what a JSON parser makes of the bytes.
        let Some(expected) = case["schema"].as_bool() else { continue };
        let text = std::fs::read(vectors.join(file)).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(schema.is_valid(&value), expected, "{file}");
    }
}

#[test]
fn what_the_types_write_is_valid() {
    let schema = jsonschema::validator_for(&generated()).unwrap();
    let full = std::fs::read(folder("vectors/config/full.json")).unwrap();
    let written = Config::from_json(&full).unwrap().to_json();
    let value: Value = serde_json::from_slice(&written).unwrap();
    assert!(schema.is_valid(&value));
    let original: Value = serde_json::from_slice(&full).unwrap();
    assert_eq!(value, original, "every field is written as it was read");
}
