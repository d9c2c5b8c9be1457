//! `spec/schema/inspect-v1.json` is what the types of `inspect` say, and what it writes.
//!
//! `BPF_IMAGE_UPDATE_SCHEMA=1 cargo test -p bpf-image --test inspect_schema` writes it anew.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::path::{Path, PathBuf};

use bpf_image::registry::Access;
use bpf_image::verbs::inspect::{InspectRequest, InspectResponse, Target, inspect};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// One answer, or a list of them where several were asked for.
fn generated() -> Value {
    // As it is written: what is left out where there is nothing to say is not required.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let generator = settings.into_generator();
    let mut schema = generator.into_root_schema_for::<InspectResponse>().to_value();
    let definitions = schema["$defs"].take();
    let mut one = json!({});
    for key in ["type", "description", "properties", "required"] {
        one[key] = schema[key].take();
    }
    let mut all = json!({
        "$schema": schema["$schema"],
        "title": "bpf-image inspect -o json, version 1",
        "anyOf": [
            { "$ref": "#/$defs/InspectResponse" },
            { "type": "array", "items": { "$ref": "#/$defs/InspectResponse" } }
        ],
        "$defs": definitions,
    });
    all["$defs"]["InspectResponse"] = one;
    all
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn checked_in_schema_is_the_generated_one() {
    let path = root().join("spec/schema/inspect-v1.json");
    if std::env::var_os("BPF_IMAGE_UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, format!("{:#}\n", generated())).unwrap();
    }
    let stored: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(stored == generated(), "BPF_IMAGE_UPDATE_SCHEMA=1 writes {} anew", path.display());
}

#[tokio::test]
async fn what_inspect_writes_is_valid() {
    let schema = jsonschema::validator_for(&generated()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("object.o");
    let source = root().join("tests/tests/inspect/old.c");
    let mut clang = std::process::Command::new("clang");
    clang.args(["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-c"]).arg(source).arg("-o").arg(&path);
    clang.arg(format!("-I/usr/include/{}-linux-gnu", std::env::consts::ARCH));
    match clang.status() {
        Ok(status) => assert!(status.success()),
        Err(_) => return eprintln!("SKIPPED: no clang; apt-get install clang libbpf-dev"),
    }
    let mut request = InspectRequest::new(Target::File(path), Access::new(Vec::new()));
    request.disassemble = true;
    request.types = vec!["flow".to_owned()];
    let answer = serde_json::to_value(inspect(&request).await.unwrap()).unwrap();
    let errors: Vec<_> = schema.iter_errors(&answer).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(schema.is_valid(&json!([answer])));
    assert!(!schema.is_valid(&json!({ "object": 1 })));
    assert!(answer["disassembly"][0]["lines"].as_array().is_some_and(|lines| lines.len() > 10));
}
