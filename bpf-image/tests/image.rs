//! Images of what clang makes: built, read back, and declared otherwise than they are.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the message")]

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use bpf_image::image::{
    BuildError, BuildInput, BuildOptions, Declared, Form, Format, Image, ImageError, ImageManifest,
    build, check_declared, classify, declared, object_bytes, select_platform,
};
use bpf_image::object::Object;
use bpf_image_spec::oci::{Annotations, Descriptor, Document, Manifest};
use bpf_image_spec::{Config, Digest, Platform, label, media_type};

/// One program and one map, with no header needed.
const SOURCE: &str = r#"
struct { int (*type)[2]; int *key; long *value; int (*max_entries)[1]; }
counts __attribute__((section(".maps"), used));
__attribute__((section("xdp"), used)) int pass(void *ctx) { return 2; }
char _license[] __attribute__((section("license"), used)) = "GPL";
"#;

/// `None`, loudly, where clang is missing.
fn object(target: &str) -> Option<Object> {
    let clang = Command::new("clang")
        .args(["-g", "-O2", "-target", target, "-x", "c", "-c", "-", "-o", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut clang) = clang else {
        assert!(std::env::var_os("CI").is_none(), "clang is missing");
        eprintln!("SKIPPED: no clang; apt-get install clang");
        return None;
    };
    clang.stdin.take().unwrap().write_all(SOURCE.as_bytes()).unwrap();
    let output = clang.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(Object::read(output.stdout).unwrap())
}

fn input(target: &str, platform: Option<&str>) -> Option<BuildInput> {
    Some(BuildInput {
        object: object(target)?,
        platform: platform.map(|platform| platform.parse().unwrap()),
        title: "counter.o".to_owned(),
    })
}

fn options(format: Format) -> BuildOptions {
    BuildOptions { format, ..BuildOptions::default() }
}

fn manifest(bytes: &[u8]) -> Manifest {
    match Document::from_json(bytes).unwrap() {
        Document::Manifest(manifest) => *manifest,
        Document::Index(_) => panic!("an index"),
    }
}

fn blob<'a>(image: &'a Image, descriptor: &Descriptor) -> &'a [u8] {
    &image.blobs().iter().find(|(known, _)| known.digest == descriptor.digest).unwrap().1
}

fn read(image: &Image) -> (ImageManifest, Declared, Object) {
    let manifest = classify(&manifest(image.root_bytes())).unwrap();
    let declared = declared(&manifest, blob(image, manifest.config())).unwrap();
    let layer = blob(image, manifest.layer()).to_vec();
    let object = Object::read(object_bytes(&manifest, layer).unwrap()).unwrap();
    (manifest, declared, object)
}

#[test]
fn both_forms_come_back_as_they_went() {
    for (format, form) in [(Format::Artifact, Form::Artifact), (Format::Image, Form::Image)] {
        let Some(input) = input("bpfel", None) else { return };
        let bytes = input.object.bytes().to_vec();
        let image = build(vec![input], &options(format)).unwrap();
        let (manifest, declared, object) = read(&image);
        assert_eq!(declared.form(), form);
        assert_eq!(object.bytes(), bytes);
        check_declared(&declared, &object).unwrap();
        let programs = manifest.annotations().get(label::PROGRAMS).map(String::as_str);
        assert_eq!(programs, Some(r#"{"pass":"xdp"}"#));
        assert_eq!(declared.maps().unwrap().get("counts").unwrap(), "array");
        assert_eq!(declared.sections().unwrap().get("pass").unwrap(), "xdp");
    }
}

#[test]
fn artifact_layer_has_the_digest_of_the_file() {
    let Some(input) = input("bpfel", None) else { return };
    let digest = Digest::of(input.object.bytes());
    let image = build(vec![input], &options(Format::Artifact)).unwrap();
    let manifest = manifest(image.root_bytes());
    assert_eq!(manifest.layers[0].digest, digest);
    assert_eq!(manifest.layers[0].annotations.get(label::OCI_TITLE).unwrap(), "counter.o");
    assert_eq!(image.root().artifact_type.as_deref(), Some(media_type::ARTIFACT));
}

#[test]
fn image_layer_tells_nothing_of_the_machine() {
    let Some(input) = input("bpfel", None) else { return };
    let image = build(vec![input], &options(Format::Image)).unwrap();
    let layer = blob(&image, &manifest(image.root_bytes()).layers[0]);
    // RFC 1952: magic, deflate, no flags, no time, then extra flags and an unknown OS.
    assert_eq!(layer[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    assert_eq!(layer[9], 255);
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(layer).read_to_end(&mut tar).unwrap();
    let mut archive = tar::Archive::new(tar.as_slice());
    let entry = archive.entries().unwrap().next().unwrap().unwrap();
    let header = entry.header();
    assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
    assert_eq!((header.mode().unwrap(), header.mtime().unwrap()), (0o644, 0));
    let config: serde_json::Value =
        serde_json::from_slice(blob(&image, &manifest(image.root_bytes()).config)).unwrap();
    assert_eq!(config["rootfs"]["diff_ids"][0], Digest::of(&tar).to_string());
    assert_eq!((&config["architecture"], &config["os"]), (&"amd64".into(), &"linux".into()));
    assert_eq!(config.get("created"), None);
    assert!(config["config"]["Labels"]["dev.bpfimage.config"].is_string());
}

#[test]
fn order_on_the_command_line_does_not_change_the_digest() {
    for format in [Format::Artifact, Format::Image] {
        let platforms = ["linux/arm64", "linux/amd64"];
        let [Some(a), Some(b)] = platforms.map(|p| input("bpfel", Some(p))) else { return };
        let one = build(vec![a, b], &options(format)).unwrap();
        let [Some(a), Some(b)] = platforms.map(|p| input("bpfel", Some(p))) else { return };
        let other = build(vec![b, a], &options(format)).unwrap();
        assert_eq!(one, other);
        let Document::Index(index) = Document::from_json(one.root_bytes()).unwrap() else {
            panic!("no index");
        };
        for platform in platforms {
            let platform: Platform = platform.parse().unwrap();
            let entry = select_platform(&index, &platform).unwrap();
            assert!(one.manifests().iter().any(|(known, _)| known.digest == entry.digest));
        }
    }
}

#[test]
fn time_and_annotations_are_written_as_given() {
    let Some(input) = input("bpfel", None) else { return };
    let mut options = options(Format::Image);
    options.created = Some("2024-02-29T00:00:00Z".to_owned());
    options.annotations.insert("org.example.key".to_owned(), "value".to_owned());
    let image = build(vec![input], &options).unwrap();
    let manifest = manifest(image.root_bytes());
    assert_eq!(manifest.annotations.get(label::OCI_CREATED).unwrap(), "2024-02-29T00:00:00Z");
    let config: serde_json::Value = serde_json::from_slice(blob(&image, &manifest.config)).unwrap();
    assert_eq!(config["created"], "2024-02-29T00:00:00Z");
    assert_eq!(config["config"]["Labels"]["org.example.key"], "value");
}

#[test]
fn byte_order_has_to_fit_the_platform() {
    let Some(little) = input("bpfel", Some("linux/s390x")) else { return };
    let wrong = build(vec![little], &options(Format::Artifact));
    assert!(matches!(wrong, Err(BuildError::Endianness { found: "little", .. })));
    let Some(big) = input("bpfeb", Some("linux/amd64")) else { return };
    let wrong = build(vec![big], &options(Format::Artifact));
    assert!(matches!(wrong, Err(BuildError::Endianness { found: "big", .. })));
    let Some(big) = input("bpfeb", None) else { return };
    let image = build(vec![big], &options(Format::Image)).unwrap();
    let config = manifest(image.root_bytes()).config;
    let config: serde_json::Value = serde_json::from_slice(blob(&image, &config)).unwrap();
    assert_eq!(config["architecture"], "s390x");
}

#[test]
fn inputs_that_make_no_image_are_refused() {
    let build_of = |inputs, options: &BuildOptions| build(inputs, options).unwrap_err();
    let plain = options(Format::Artifact);
    assert!(matches!(build_of(vec![], &plain), BuildError::NoObject));
    let amd64 = || input("bpfel", Some("linux/amd64"));
    let (Some(a), Some(b), Some(c)) = (amd64(), amd64(), input("bpfel", None)) else { return };
    assert!(matches!(build_of(vec![a, b], &plain), BuildError::PlatformTwice { .. }));
    let Some(a) = amd64() else { return };
    assert!(matches!(build_of(vec![a, c], &plain), BuildError::PlatformMissing { .. }));
    for title in ["", "a b.o", "../x.o", ".o", "ä.o", &"x".repeat(101)] {
        let Some(mut input) = input("bpfel", None) else { return };
        title.clone_into(&mut input.title);
        assert!(matches!(build_of(vec![input], &plain), BuildError::Title { .. }), "{title}");
    }
    for key in ["", "dev.bpfimage.config", "io.ebpf.programs"] {
        let Some(input) = input("bpfel", None) else { return };
        let annotations = Annotations::from([(key.to_owned(), String::new())]);
        let options = BuildOptions { annotations, ..BuildOptions::default() };
        let error = build_of(vec![input], &options);
        assert!(matches!(error, BuildError::ReservedAnnotation { .. }), "{key}");
    }
}

/// The built image's manifest with another config and other annotations.
fn redeclared(
    image: &Image,
    change: impl FnOnce(&mut Config, &mut Annotations),
) -> Result<Declared, ImageError> {
    let mut manifest = manifest(image.root_bytes());
    let mut config = Config::from_json(blob(image, &manifest.config)).unwrap();
    change(&mut config, &mut manifest.annotations);
    let config = config.to_json();
    manifest.config = Descriptor::of(media_type::CONFIG, &config);
    declared(&classify(&manifest).unwrap(), &config)
}

fn differences(image: &Image, declared: &Declared) -> Vec<String> {
    let (_, _, object) = read(image);
    check_declared(declared, &object).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn program_that_the_object_does_not_hold_is_refused() {
    let Some(input) = input("bpfel", None) else { return };
    let image = build(vec![input], &options(Format::Artifact)).unwrap();
    let ghost = redeclared(&image, |config, annotations| {
        let mut ghost = config.object.programs[0].clone();
        ghost.name = "ghost".to_owned();
        config.object.programs.push(ghost);
        annotations.remove(label::PROGRAMS);
        annotations.remove(label::SECTIONS);
    });
    assert_eq!(
        differences(&image, &ghost.unwrap()),
        ["programs[ghost]: declared present (xdp), found nothing"]
    );
}

#[test]
fn program_kept_from_the_declaration_is_refused() {
    let Some(input) = input("bpfel", None) else { return };
    let image = build(vec![input], &options(Format::Artifact)).unwrap();
    let hidden = redeclared(&image, |config, annotations| {
        config.object.programs.clear();
        annotations.clear();
    });
    assert_eq!(
        differences(&image, &hidden.unwrap()),
        ["programs[pass]: declared nothing, found present (xdp)"]
    );
}

#[test]
fn config_and_annotations_must_tell_the_same_story() {
    let Some(input) = input("bpfel", None) else { return };
    let image = build(vec![input], &options(Format::Artifact)).unwrap();
    let contradiction = redeclared(&image, |config, _| config.object.programs.clear());
    assert!(matches!(contradiction, Err(ImageError::Contradiction { .. })));
    let contradiction = redeclared(&image, |_, annotations| {
        annotations.insert(label::MAPS.to_owned(), r#"{"counts":"hash"}"#.to_owned());
    });
    assert!(matches!(contradiction, Err(ImageError::Contradiction { .. })));
}

#[test]
fn advice_of_other_tables_is_no_difference() {
    let Some(input) = input("bpfel", None) else { return };
    let image = build(vec![input], &options(Format::Artifact)).unwrap();
    let older = redeclared(&image, |config, _| config.requires = None).unwrap();
    let (_, _, object) = read(&image);
    check_declared(&older, &object).unwrap();
}

/// A container image with bpfman's labels around the object.
fn bpfman(image: &Image, labels: &serde_json::Value) -> Declared {
    let mut manifest = manifest(image.root_bytes());
    manifest.annotations.clear();
    let config = serde_json::json!({"config": {"Labels": labels}}).to_string();
    declared(&classify(&manifest).unwrap(), config.as_bytes()).unwrap()
}

#[test]
fn bpfman_labels_are_compared_name_by_name() {
    let Some(input) = input("bpfel", None) else { return };
    let image = build(vec![input], &options(Format::Image)).unwrap();
    let (_, _, object) = read(&image);
    for labels in [
        serde_json::json!({}),
        serde_json::json!({label::PROGRAMS: r#"{"pass":"xdp"}"#, label::MAPS: "{}"}),
        serde_json::json!({label::LEGACY_FUNCTION_NAME: "pass", label::LEGACY_PROGRAM_TYPE: "xdp"}),
    ] {
        let declared = bpfman(&image, &labels);
        assert_eq!(declared.form(), Form::Bpfman);
        check_declared(&declared, &object).unwrap();
    }
    for (labels, difference) in [
        (
            serde_json::json!({label::PROGRAMS: r#"{"pass":"tc"}"#}),
            "programs[pass].type: declared tc, found xdp",
        ),
        (
            serde_json::json!({label::PROGRAMS: r#"{"ghost":"xdp"}"#}),
            "programs[ghost].type: declared xdp, found nothing",
        ),
        (
            serde_json::json!({label::MAPS: r#"{"counts":"hash"}"#}),
            "maps[counts].type: declared hash, found array",
        ),
        (
            serde_json::json!({label::LEGACY_PROGRAM_NAME: "ghost"}),
            "programs[ghost].type: declared present, found nothing",
        ),
    ] {
        assert_eq!(differences(&image, &bpfman(&image, &labels)), [difference]);
    }
}
