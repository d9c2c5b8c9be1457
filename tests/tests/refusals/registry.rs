//! What a hostile or broken registry can do.

use bpf_image_tests::fault_registry::Answer;
use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::registry::{PASSWORD, Registry, free_port};
use bpf_image_tests::{run, skip, succeed};
use serde_json::json;

use crate::hand_made::{INDEX, Layout, MANIFEST};
use crate::refused::{MEMORY, accepted, refused, refused_command};
use crate::scene::{Faulty, SAMPLE, Scene, only, stored};

/// What a registry can have sent before an endless body was hung up on: socket buffers included.
const NOT_ENDLESS: u64 = 64 << 20;

#[test]
fn changed_blob() {
    let Some(scene) = Scene::signed() else { return };
    let inspect = ["inspect", &scene.reference, "-o", "json"];
    let inspected = succeed(scene.author.bpf_image().args(inspect)).unwrap();
    let inspected: serde_json::Value = serde_json::from_str(&inspected.stdout).unwrap();
    let digest = inspected["object"]["digest"].as_str().unwrap();
    let file = scene.registry.blob_file(digest);
    let right = std::fs::read(&file).unwrap();
    let mut wrong = right.clone();
    *wrong.last_mut().unwrap() ^= 1;

    std::fs::write(&file, wrong).unwrap();
    refused(&scene.node, &["run", &scene.reference])
        .with(3, "image")
        .saying("holds other bytes than")
        .saying(digest);
    assert!(!stored(&scene.node, digest).exists());
    // A truncated one: the registry announces as much as it has.
    std::fs::write(&file, &right[..right.len() / 2]).unwrap();
    refused(&scene.node, &["run", &scene.reference]).with(3, "image").saying("is cut short");
    assert!(!stored(&scene.node, digest).exists());

    std::fs::write(&file, right).unwrap();
    accepted(&scene.node, &["run", &scene.reference]);
    assert!(stored(&scene.node, digest).exists());
}

/// What was fetched once and lies in the store is hashed like anything else.
#[test]
fn changed_blob_in_the_store_is_not_taken_from_there() {
    let Some(scene) = Faulty::new(|_| |_| Answer::Honest) else { return };
    let layer = Layout::of(&scene.author, SAMPLE).layer("v1");
    accepted(&scene.node, &["run", &scene.reference]);
    accepted(&scene.node, &["run", &scene.reference]);
    assert_eq!(scene.registry.times_asked(&layer), 1);
    let kept = std::fs::read(stored(&scene.node, &layer)).unwrap();
    std::fs::write(stored(&scene.node, &layer), vec![0; kept.len()]).unwrap();
    accepted(&scene.node, &["run", &scene.reference]);
    assert_eq!(scene.registry.times_asked(&layer), 2);
    assert_eq!(std::fs::read(stored(&scene.node, &layer)).unwrap(), kept);
}

#[test]
fn tag_moved_between_verify_and_pull() {
    let moved = |layout: &Layout| {
        // What the tag names from the second look on: unsigned, and otherwise as good.
        let mut evil = layout.document("v1");
        evil["annotations"]["evil"] = "yes".into();
        layout.tag("evil", MANIFEST, &evil);
        |request: bpf_image_tests::fault_registry::Request<'_>| match request.before {
            1.. if request.path.ends_with("/v1") => Answer::InsteadOf("evil".to_owned()),
            _ => Answer::Honest,
        }
    };
    let Some(scene) = Faulty::new(moved) else { return };
    let signed = Layout::of(&scene.author, SAMPLE).digest("v1");
    // The tag is looked at once, so it cannot have moved: what was verified is what runs.
    let ran = accepted(&scene.node, &["run", &scene.reference]);
    ran.output.assert_stdout_has(&signed);
    assert_eq!(scene.registry.times_asked("/v1"), 1);
    refused(&scene.node, &["run", &scene.reference]).with(3, "signer").saying("no signature found");
}

#[test]
fn other_manifest_than_the_digest_that_was_asked_for() {
    let swapped = |layout: &Layout| {
        let mut evil = layout.document("v1");
        evil["annotations"]["evil"] = "yes".into();
        layout.tag("evil", MANIFEST, &evil);
        only(&layout.digest("v1"), Answer::InsteadOf("evil".to_owned()))
    };
    let Some(scene) = Faulty::new(swapped) else { return };
    let digest = Layout::of(&scene.author, SAMPLE).digest("v1");
    let pinned = format!("{}@{digest}", scene.reference);
    refused(&scene.node, &["run", &pinned])
        .with(3, "image")
        .saying(&format!("holds other bytes than {digest}"));
}

#[test]
fn index_child_swapped() {
    if skip::without_root() {
        return;
    }
    let author = Author::new();
    author.build(SAMPLE, &author.layout(SAMPLE));
    let layout = Layout::of(&author, SAMPLE);
    let good = layout.document("v1");
    let mut child = layout.put(MANIFEST, good.to_string().as_bytes());
    let digest = child["digest"].as_str().unwrap().to_owned();
    child["platform"] = json!({ "os": "linux", "architecture": host_architecture() });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [child] });
    layout.tag("v1", INDEX, &index);
    author.sign(&author.layout(SAMPLE));
    let mut evil = good;
    evil["annotations"]["evil"] = "yes".into();
    layout.tag("evil", MANIFEST, &evil);
    let scene =
        Faulty::serving(author, &layout, only(&digest, Answer::InsteadOf("evil".to_owned())));
    refused(&scene.node, &["run", &scene.reference])
        .with(3, "image")
        .saying(&format!("holds other bytes than {digest}"));
}

/// The host's architecture as images name it.
pub(crate) fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[test]
fn truncated_blob() {
    let truncated = |layout: &Layout| only(&layout.layer("v1"), Answer::Truncated);
    let Some(scene) = Faulty::new(truncated) else { return };
    let layer = Layout::of(&scene.author, SAMPLE).layer("v1");
    refused(&scene.node, &["run", &scene.reference])
        .with(3, "image")
        .saying("is cut short")
        .saying(&layer);
    assert!(!stored(&scene.node, &layer).exists());
    pull_is_refused(&scene, 3, "is cut short");
}

#[test]
fn connection_that_breaks_in_every_blob() {
    let broken = |layout: &Layout| only(&layout.layer("v1"), Answer::BrokenOff);
    let Some(scene) = Faulty::new(broken) else { return };
    let layer = Layout::of(&scene.author, SAMPLE).layer("v1");
    refused(&scene.node, &["run", &scene.reference]).with(5, "network");
    assert!(!stored(&scene.node, &layer).exists());
    // It was tried again, and not for ever.
    assert!((2..=10).contains(&scene.registry.times_asked(&layer)));
}

#[test]
fn blob_of_endless_length() {
    let endless = |layout: &Layout| only(&layout.layer("v1"), Answer::Endless);
    let Some(scene) = Faulty::new(endless) else { return };
    let layer = Layout::of(&scene.author, SAMPLE).layer("v1");
    refused(&scene.node, &["run", &scene.reference])
        .with(3, "image")
        .saying("does not end after the")
        .saying(&layer);
    assert!(!stored(&scene.node, &layer).exists());
    pull_is_refused(&scene, 3, "does not end after the");
    assert!(scene.registry.bytes_sent() < NOT_ENDLESS);
}

/// `bpf-image pull` refuses as well and leaves no image behind.
#[track_caller]
fn pull_is_refused(scene: &Faulty, code: i32, why: &str) {
    let target = format!("oci:{}/pulled", scene.author.folder().display());
    let mut pull = scene.author.bpf_image();
    let output = run(pull.args(["pull", &scene.reference, &target])).unwrap();
    output.assert_code(code).assert_stderr_has(why).assert_stderr_has("\nfault: ");
    assert_eq!(output.stdout, "");
    let mut inspect = scene.author.bpf_image();
    let output = run(inspect.args(["inspect", &target])).unwrap();
    output.assert_code(1).assert_stderr_has("fault: host");
}

#[test]
fn manifest_of_endless_length() {
    let Some(scene) = Faulty::new(|_| only("/v1", Answer::Endless)) else { return };
    refused(&scene.node, &["run", &scene.reference]).with(3, "image").saying("4194304");
    assert!(scene.registry.bytes_sent() < NOT_ENDLESS);
}

#[test]
fn manifest_over_4_mib() {
    // A good manifest but for its size, signed and all.
    if skip::without_root() {
        return;
    }
    let author = Author::new();
    author.signed_layout(SAMPLE);
    let layout = Layout::of(&author, SAMPLE);
    let mut document = layout.document("v1").to_string().into_bytes();
    document.resize(5 << 20, b' ');
    let scene = Faulty::serving(author, &layout, only("/v1", Answer::Bytes(document)));
    refused(&scene.node, &["run", &scene.reference])
        .with(3, "image")
        .saying("manifest")
        .saying("4194304");
    pull_is_refused(&scene, 3, "4194304");
}

/// A signature that cannot be had is none: it neither helps nor stops the others.
#[test]
fn signature_of_endless_length() {
    let endless = |layout: &Layout| {
        let tag = format!("{}.sig", layout.digest("v1").replace(':', "-"));
        only(&layout.layer(&tag), Answer::Endless)
    };
    let Some(scene) = Faulty::new(endless) else { return };
    refused(&scene.node, &["run", &scene.reference]).with(3, "signer").saying("no signature found");
    assert!(scene.registry.bytes_sent() < NOT_ENDLESS);
}

#[test]
fn signatures_hidden() {
    let Some(scene) = Faulty::new(|_| only(".sig", Answer::Status(404))) else { return };
    refused(&scene.node, &["run", &scene.reference]).with(3, "signer").saying("no signature found");
}

#[test]
fn registry_that_fails_when_asked_for_signatures() {
    let Some(scene) = Faulty::new(|_| only(".sig", Answer::Status(500))) else { return };
    refused(&scene.node, &["run", &scene.reference]).with(5, "registry").saying("500");
}

#[test]
fn missing_tag_and_missing_blob() {
    let missing = |layout: &Layout| only(&layout.layer("v1"), Answer::Status(404));
    let Some(scene) = Faulty::new(missing) else { return };
    refused(&scene.node, &["run", &scene.reference]).with(5, "registry").saying("does not have");
    let Some(scene) = Scene::signed() else { return };
    let other = scene.registry.reference("org/counter:v2");
    refused(&scene.node, &["run", &other])
        .with(5, "registry")
        .saying("has no tag `v2`")
        .hinting("check the spelling");
    let other = scene.registry.reference("org/none:v1");
    refused(&scene.node, &["run", &other]).with(5, "registry").saying("org/none has no tag `v1`");
}

#[test]
fn unreachable_registry() {
    if skip::without_root() {
        return;
    }
    let host = free_port().unwrap();
    let author = Author::new();
    let node = Node::trusting(&author, &format!("{host}/org"));
    let reference = format!("{host}/org/counter:v1");
    refused(&node, &["run", &reference])
        .with(5, "network")
        .saying("Connection refused")
        .hinting(&format!("that a registry runs at {host}"));
    let mut verify = author.bpf_image();
    verify.args(["verify", &reference, "--key"]).arg(author.public_key());
    let output = run(&mut verify).unwrap();
    output.assert_code(5).assert_stderr_has("fault: network").assert_stderr_has(&host.to_string());
}

#[test]
fn login_missing_or_wrong() {
    if skip::without_root() {
        return;
    }
    let registry = match Registry::start_with_login() {
        Ok(registry) => registry,
        Err(error) => return skip::because(error),
    };
    let author = Author::new();
    let node = Node::trusting(&author, &registry.reference("org"));
    let reference = registry.reference("org/counter:v1");
    let home = tempfile::tempdir().unwrap();
    let mut command = node.bpf_loader();
    command.args(["run", &reference]).env("DOCKER_CONFIG", home.path());
    command.env("HOME", home.path()).env_remove("XDG_RUNTIME_DIR").env_remove("REGISTRY_AUTH_FILE");
    // Never unencrypted to a host that was not named for it, not even when there is a login.
    for _ in 0..2 {
        refused_command(&node, &command, MEMORY)
            .with(5, "credentials on this machine")
            .saying("over plain http, and none was sent")
            .hinting(&format!("--plain-http {}", registry.host()));
        registry.write_docker_config(home.path()).unwrap();
    }
    command.args(["--plain-http", &registry.host()]);

    std::fs::remove_file(home.path().join("config.json")).unwrap();
    refused_command(&node, &command, MEMORY)
        .with(5, "credentials on this machine")
        .saying(&registry.host())
        .hinting("docker login")
        .hinting(home.path().to_str().unwrap());

    let wrong = json!({ "auths": { registry.host(): { "username": "tester", "password": "x" } } });
    std::fs::write(home.path().join("config.json"), wrong.to_string()).unwrap();
    let refusal = refused_command(&node, &command, MEMORY);
    refusal.with(5, "credentials on this machine").saying("refuses the credentials");

    // The right ones get as far as the image that is not there.
    registry.write_docker_config(home.path()).unwrap();
    let refusal = refused_command(&node, &command, MEMORY);
    refusal.with(5, "registry").saying("has no tag `v1`");
    let said = run(command.arg("--verbose")).unwrap();
    assert!(!said.transcript().contains(PASSWORD), "{}", said.transcript());
}

#[test]
fn status_401_without_a_way_to_log_in() {
    let Some(scene) = Faulty::new(|_| |_| Answer::Status(401)) else { return };
    refused(&scene.node, &["run", &scene.reference])
        .with(5, "registry")
        .saying("wants a login but offers neither bearer nor basic");
}
