//! Seeds from images of both forms: configs, manifests, indexes, labels, layers.

use bpf_image::image::{BuildInput, BuildOptions, Format, Image, build};
use bpf_image::object::Object;
use bpf_image_spec::oci::Document;
use bpf_image_spec::{Platform, label, media_type};

use super::{Corpus, Done, files};

pub(crate) fn add(corpus: &Corpus, objects: &[Vec<u8>]) -> Done {
    for bytes in objects {
        for format in [Format::Artifact, Format::Image] {
            for platforms in [&[][..], &["linux/amd64", "linux/arm64"], &["linux/s390x"]] {
                if let Some(image) = image(bytes, format, platforms) {
                    documents(corpus, &image)?;
                }
            }
        }
    }
    for json in files("spec/vectors/config")? {
        corpus.add("config", json)?;
    }
    for json in files("spec/vectors/manifests")? {
        corpus.add("manifest", &json)?;
        corpus.add("index", &json)?;
        corpus.add("layout", &json)?;
    }
    for cases in files("spec/vectors/labels")? {
        let cases: serde_json::Value = serde_json::from_slice(&cases)?;
        for case in cases["cases"].as_array().into_iter().flatten() {
            let config = serde_json::json!({ "config": { "Labels": case["labels"] } });
            corpus.add("labels", config.to_string())?;
        }
    }
    Ok(())
}

/// `None` where the platforms do not fit the object's byte order.
fn image(bytes: &[u8], format: Format, platforms: &[&str]) -> Option<Image> {
    let input = |platform: Option<Platform>| {
        let object = Object::read(bytes.to_vec()).ok()?;
        Some(BuildInput { object, platform, title: "program.o".to_owned() })
    };
    let inputs = if platforms.is_empty() {
        vec![input(None)?]
    } else {
        let of = |text: &&str| input(Some(text.parse().ok()?));
        platforms.iter().map(of).collect::<Option<Vec<_>>>()?
    };
    build(inputs, &BuildOptions { format, ..BuildOptions::default() }).ok()
}

fn documents(corpus: &Corpus, image: &Image) -> Done {
    let root = (image.root().clone(), image.root_bytes().to_vec());
    for (_, bytes) in image.manifests().iter().chain([&root]) {
        corpus.add(
            if Document::from_json(bytes).is_ok_and(is_index) { "index" } else { "manifest" },
            bytes,
        )?;
        corpus.add("layout", bytes)?;
    }
    for (descriptor, bytes) in image.blobs() {
        match descriptor.media_type.as_str() {
            media_type::CONFIG => corpus.add("config", bytes)?,
            media_type::OCI_IMAGE_CONFIG => {
                corpus.add("labels", bytes)?;
                values(corpus, bytes)?;
            }
            media_type::OCI_LAYER_GZIP => corpus.add("layer", bytes)?,
            _ => {}
        }
    }
    Ok(())
}

fn is_index(document: Document) -> bool {
    matches!(document, Document::Index(_))
}

/// The same labels as a list of values, which needs no quoting.
fn values(corpus: &Corpus, config: &[u8]) -> Done {
    let config: serde_json::Value = serde_json::from_slice(config)?;
    let value = |key: &str| config["config"]["Labels"][key].as_str().unwrap_or_default();
    let [programs, maps, sections] = [label::PROGRAMS, label::MAPS, label::SECTIONS].map(value);
    let config = value(label::CONFIG);
    corpus.add(
        "labels",
        format!("{programs}\0{maps}\0{sections}\0{config}").trim_start_matches('{'),
    )?;
    corpus.add("labels", format!("\0{maps}\0{sections}\0\0filter\0filter\0xdp\0a.o\0{programs}"))
}
