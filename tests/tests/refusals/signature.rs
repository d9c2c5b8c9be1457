//! Signatures that do not suffice: the signer is at fault, whatever the registry did.

use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::{run, skip, succeed};

use crate::hand_made::{Layout, MANIFEST};
use crate::refused::{accepted, refused};
use crate::scene::{SAMPLE, Scene};

#[test]
fn unsigned() {
    let Some(scene) = Scene::unsigned() else { return };
    let Scene { node, author, reference, .. } = &scene;
    for verb in ["run", "check"] {
        refused(node, &[verb, reference])
            .with(3, "signer")
            .saying("no signature found for sha256:");
    }
    let mut verify = author.bpf_image();
    verify.args(["verify", reference, "--key"]).arg(author.public_key());
    let output = run(&mut verify).unwrap();
    output
        .assert_code(3)
        .assert_stderr_has("no signature found")
        .assert_stderr_has("fault: signer");
    assert_eq!(output.stdout, "");
    author.sign(reference);
    accepted(node, &["run", reference]);
}

#[test]
fn wrong_key() {
    let Some(scene) = Scene::unsigned() else { return };
    let stranger = Author::new();
    stranger.sign(&scene.reference);
    refused(&scene.node, &["run", &scene.reference])
        .with(3, "signer")
        .saying("0 of 1 required signers have signed sha256:")
        // Each of both signatures is told why it does not count.
        .saying(".sig layer 0")
        .saying("referrer sha256:");
    let mut verify = scene.author.bpf_image();
    verify.args(["verify", &scene.reference, "--key"]).arg(scene.author.public_key());
    run(&mut verify).unwrap().assert_code(3).assert_stderr_has("fault: signer");
    // A stranger's signature beside the right one does no harm either.
    scene.author.sign(&scene.reference);
    accepted(&scene.node, &["run", &scene.reference]);
}

#[test]
fn copied_from_another_repository() {
    let Some(scene) = Scene::signed() else { return };
    let copy = scene.registry.reference("org/evil:v1");
    // Signatures go along, byte for byte.
    succeed(scene.author.bpf_image().args(["push", &scene.reference, &copy])).unwrap();
    refused(&scene.node, &["run", &copy])
        .with(3, "signer")
        .saying("0 of 1 required signers")
        .saying(&scene.registry.reference("org/counter"));
    let mut verify = scene.author.bpf_image();
    verify.args(["verify", &copy, "--key"]).arg(scene.author.public_key());
    run(&mut verify).unwrap().assert_code(3).assert_stderr_has("org/counter");
    accepted(&scene.node, &["run", &scene.reference]);
}

#[test]
fn of_another_image_under_the_tag_of_this_one() {
    if skip::without_root() {
        return;
    }
    let author = Author::new();
    let node = Node::trusting_layouts(&author);
    let reference = author.signed_layout(SAMPLE);
    let layout = Layout::of(&author, SAMPLE);
    let tag = |digest: String| format!("{}.sig", digest.replace(':', "-"));
    let signed = tag(layout.digest("v1"));
    let mut evil = layout.document("v1");
    evil["annotations"]["evil"] = "yes".into();
    layout.tag("v1", MANIFEST, &evil);
    layout.rename(&signed, &tag(layout.digest("v1")));
    refused(&node, &["run", &reference]).with(3, "signer").saying("0 of 1 required signers");
}

#[test]
fn fewer_than_the_threshold() {
    if skip::without_root() {
        return;
    }
    let (author, second) = (Author::new(), Author::new());
    let node = Node::new();
    let reference = author.signed_layout(SAMPLE);
    let key = |author: &Author| std::fs::read_to_string(author.public_key()).unwrap();
    node.write_policy(&format!(
        "version = 1\n[[scope]]\nmatch = \"oci:{}\"\nthreshold = 2\n\
         [[scope.signer]]\nname = \"first\"\nkey = \"\"\"\n{}\"\"\"\n\
         [[scope.signer]]\nname = \"second\"\nkey = \"\"\"\n{}\"\"\"\n",
        author.folder().display(),
        key(&author),
        key(&second),
    ));
    // Two signatures, and one signer.
    refused(&node, &["run", &reference]).with(3, "signer").saying("1 of 2 required signers");
    second.sign(&reference);
    accepted(&node, &["run", &reference]);
}
