//! The specification's test vectors for image forms and labels (`spec/vectors/README.md`).

#![expect(clippy::unwrap_used, reason = "a vector that cannot be read is a failure")]

use std::path::{Path, PathBuf};

use bpf_image::image::{self, Form, ImageError, ImageManifest};
use bpf_image_spec::media_type;
use bpf_image_spec::oci::{Annotations, Descriptor, Document, Manifest};
use serde_json::{Value, json};

fn vectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors").join(name)
}

fn read(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(vectors(name)).unwrap()).unwrap()
}

fn name_of(error: &ImageError) -> &'static str {
    match error {
        ImageError::LayerCount { .. } => "layer-count",
        ImageError::LayerType { .. } => "layer-type",
        ImageError::HalfArtifact { .. } => "half-artifact",
        ImageError::UnknownVersion { .. } => "unknown-version",
        ImageError::Signature => "signature",
        ImageError::Label { .. } => "label",
        ImageError::ContainerConfig(_) => "config",
        ImageError::Contradiction { .. } => "contradiction",
        _ => "an error without a name",
    }
}

#[test]
fn forms() {
    for case in read("manifests/cases.json").as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let bytes = std::fs::read(vectors("manifests").join(file)).unwrap();
        let Ok(Document::Manifest(manifest)) = Document::from_json(&bytes) else { continue };
        match image::classify(&manifest) {
            Ok(image) => assert_eq!(Some(image.form().to_string().as_str()), case["form"].as_str()),
            Err(error) => assert_eq!(Some(name_of(&error)), case["error"].as_str(), "{file}"),
        }
    }
}

fn container_image() -> ImageManifest {
    image::classify(&Manifest {
        schema_version: 2,
        media_type: Some(media_type::OCI_MANIFEST.to_owned()),
        artifact_type: None,
        config: Descriptor::of(media_type::OCI_IMAGE_CONFIG, b""),
        layers: vec![Descriptor::of(media_type::OCI_LAYER_GZIP, b"")],
        subject: None,
        annotations: Annotations::new(),
    })
    .unwrap()
}

#[test]
fn labels() {
    let image = container_image();
    for case in read("labels/cases.json")["cases"].as_array().unwrap() {
        let config = match case["labelsText"].as_str() {
            Some(text) => format!(r#"{{"config":{{"Labels":{text}}}}}"#),
            None => json!({ "config": { "Labels": case["labels"] } }).to_string(),
        };
        let result = match image::declared(&image, config.as_bytes()) {
            Ok(declared) => {
                assert_eq!(declared.form(), Form::Bpfman, "{}", case["name"]);
                "ok"
            }
            Err(error) => name_of(&error),
        };
        assert_eq!(Some(result), case["read"].as_str(), "{}", case["name"]);
    }
}
