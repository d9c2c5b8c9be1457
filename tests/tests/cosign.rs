//! Signatures across implementations: cosign judges ours, and we judge cosign's.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod counting;

use std::path::Path;
use std::process::Command;

use bpf_image_tests::cosign::{BUNDLE_TYPE, Cosign, LEGACY_TYPE};
use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::peers::Peer;
use bpf_image_tests::registry::Registry;
use bpf_image_tests::{RunOutput, run, samples, skip, succeed};
use counting::{counts_and_leaves_nothing, is_refused};

/// cosign 3 reads legacy storage only when it is told to.
const LEGACY: &[&str] = &["--new-bundle-format=false"];

/// The XDP counter, pushed and not signed.
#[track_caller]
fn pushed(author: &Author, registry: &Registry, name: &str) -> String {
    let reference = registry.reference(&format!("{name}:v1"));
    author.build("xdp_counter_v1", &reference);
    reference
}

/// `bpf-image verify` with the public key of `author`.
#[track_caller]
fn verify(author: &Author, reference: &str) -> RunOutput {
    let mut command = author.bpf_image();
    run(command.arg("verify").arg("--key").arg(author.public_key()).arg(reference)).unwrap()
}

/// The reference by digest alone: cosign warns of tags.
#[track_caller]
fn by_digest(author: &Author, reference: &str) -> String {
    let inspected = succeed(author.bpf_image().args(["inspect", reference, "-o", "json"])).unwrap();
    let inspected: serde_json::Value = serde_json::from_str(&inspected.stdout).unwrap();
    let digest = inspected["image"]["digest"].as_str().unwrap();
    format!("{}@{digest}", reference.strip_suffix(":v1").unwrap())
}

/// Asserts that cosign found signatures and that none of them counts.
#[track_caller]
fn assert_refused(output: &RunOutput) {
    assert_ne!(output.code, 0, "{}", output.transcript());
    output.assert_stderr_has("no matching");
}

/// Asserts that `cosign` accepts what `author` signs with our tool, and with no other key.
#[track_caller]
fn cosign_accepts_ours(cosign: &Cosign, author: &Author, flags: &[&str], kind: &str) {
    let Some(registry) = Registry::or_skip() else { return };
    let reference = pushed(author, &registry, "org/counter");
    author.sign(&reference);
    let annotation =
        |name: &str| format!("--annotations=dev.bpfimage.repo={}", registry.reference(name));
    let (right, wrong) = (annotation("org/counter"), annotation("org/other"));
    cosign
        .verify(author, flags, &reference)
        .assert_code(0)
        .assert_stdout_has(kind)
        .assert_stdout_has(&format!(r#""{}""#, registry.reference("org/counter")));
    // What we sign along is signed for cosign, too.
    cosign.verify(author, &[flags, &[&right]].concat(), &reference).assert_code(0);
    let elsewhere = cosign.verify(author, &[flags, &[&wrong]].concat(), &reference);
    assert_refused(&elsewhere);
    elsewhere.assert_stderr_has("annotation");
    assert_refused(&cosign.verify(&Author::new(), flags, &reference));
}

#[test]
fn cosign_2_verifies_our_legacy_signature_and_refuses_the_wrong_key() {
    let Some(cosign) = Cosign::v2_or_skip() else { return };
    cosign_accepts_ours(&cosign, &Author::new(), &[], LEGACY_TYPE);
    cosign_accepts_ours(&cosign, &cosign.author(), &[], LEGACY_TYPE);
}

#[test]
fn cosign_3_verifies_our_bundle_and_refuses_the_wrong_key() {
    let Some(cosign) = Cosign::v3_or_skip() else { return };
    cosign_accepts_ours(&cosign, &Author::new(), &[], BUNDLE_TYPE);
    cosign_accepts_ours(&cosign, &cosign.author(), &[], BUNDLE_TYPE);
}

#[test]
fn cosign_3_verifies_our_legacy_signature_and_refuses_the_wrong_key() {
    let Some(cosign) = Cosign::v3_or_skip() else { return };
    cosign_accepts_ours(&cosign, &Author::new(), LEGACY, LEGACY_TYPE);
}

#[test]
fn both_cosigns_verify_our_ed25519_signatures() {
    let Some(cosign_2) = Cosign::v2_or_skip() else { return };
    let Some(cosign_3) = Cosign::v3_or_skip() else { return };
    let author = Author::new();
    for file in [author.key(), author.public_key()] {
        std::fs::remove_file(file).unwrap();
    }
    succeed(author.bpf_image().args(["keygen", "--type", "ed25519"])).unwrap();
    cosign_accepts_ours(&cosign_2, &author, &[], LEGACY_TYPE);
    cosign_accepts_ours(&cosign_3, &author, &[], BUNDLE_TYPE);
}

#[test]
fn both_cosigns_verify_what_was_signed_in_a_layout_and_pushed() {
    let Some(cosign_2) = Cosign::v2_or_skip() else { return };
    let Some(cosign_3) = Cosign::v3_or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let layout = author.signed_layout("xdp_counter_v1");
    let reference = registry.reference("org/counter:v1");
    succeed(author.bpf_image().args(["push", &layout, &reference])).unwrap();
    cosign_2.verify(&author, &[], &reference).assert_code(0).assert_stdout_has(LEGACY_TYPE);
    cosign_3.verify(&author, &[], &reference).assert_code(0).assert_stdout_has(BUNDLE_TYPE);
    assert_refused(&cosign_2.verify(&Author::new(), &[], &reference));
    assert_refused(&cosign_3.verify(&Author::new(), &[], &reference));
}

/// Asserts that we accept what `cosign` signs with the author's key, and with no other: from the
/// registry, and from a layout that it was pulled into.
#[track_caller]
fn we_accept_cosigns(cosign: &Cosign, author: &Author) {
    let Some(registry) = Registry::or_skip() else { return };
    let reference = pushed(author, &registry, "org/counter");
    verify(author, &reference).assert_code(3);
    cosign.sign(author, &[], &by_digest(author, &reference));
    verify(author, &reference).assert_code(0).assert_stdout_has("signed by");
    let stranger = Author::new();
    verify(&stranger, &reference).assert_code(3).assert_stderr_has("signed by an unknown key");

    let layout = author.layout("pulled");
    succeed(author.bpf_image().args(["pull", &reference, &layout])).unwrap();
    if skip::without_root() {
        return;
    }
    let scopes = [registry.reference("org"), format!("oci:{}", author.folder().display())];
    for (reference, scope) in [reference, layout].iter().zip(&scopes) {
        counts_and_leaves_nothing(&Node::trusting(author, scope), reference);
        is_refused(&Node::trusting(&stranger, scope), reference, "signed by an unknown key");
    }
}

#[test]
fn loader_runs_what_cosign_2_signed_with_its_own_key() {
    let Some(cosign) = Cosign::v2_or_skip() else { return };
    we_accept_cosigns(&cosign, &cosign.author());
}

#[test]
fn loader_runs_what_cosign_2_signed_with_our_key() {
    let Some(cosign) = Cosign::v2_or_skip() else { return };
    we_accept_cosigns(&cosign, &Author::new());
}

#[test]
fn loader_runs_what_cosign_3_signed_with_its_own_key() {
    let Some(cosign) = Cosign::v3_or_skip() else { return };
    we_accept_cosigns(&cosign, &cosign.author());
}

#[test]
fn loader_runs_what_cosign_3_signed_with_our_key() {
    let Some(cosign) = Cosign::v3_or_skip() else { return };
    we_accept_cosigns(&cosign, &Author::new());
}

/// A policy of one scope with a signer for each author.
fn policy(scope: &str, rules: &str, authors: &[&Author]) -> String {
    let signers = authors.iter().enumerate().map(|(number, author)| {
        let key = std::fs::read_to_string(author.public_key()).unwrap();
        format!("[[scope.signer]]\nname = \"signer {number}\"\nkey = \"\"\"\n{key}\"\"\"\n")
    });
    let signers: String = signers.collect::<Vec<_>>().concat();
    format!("version = 1\n[[scope]]\nmatch = \"{scope}\"\n{rules}\n{signers}")
}

#[test]
fn signatures_of_ours_and_of_both_cosigns_stand_side_by_side() {
    let Some(cosign_2) = Cosign::v2_or_skip() else { return };
    let Some(cosign_3) = Cosign::v3_or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let (second, third) = (cosign_2.author(), cosign_3.author());
    let (before, after) = (Author::new(), Author::new());
    let reference = pushed(&before, &registry, "org/counter");
    // Whoever writes second has to add to what is there.
    before.sign(&reference);
    cosign_2.sign(&second, &[], &by_digest(&second, &reference));
    cosign_3.sign(&third, &[], &by_digest(&third, &reference));
    after.sign(&reference);

    for author in [&before, &second, &third, &after] {
        verify(author, &reference).assert_code(0);
    }
    for author in [&before, &second, &after] {
        cosign_2.verify(author, &[], &reference).assert_code(0);
        cosign_3.verify(author, LEGACY, &reference).assert_code(0);
    }
    for author in [&before, &third, &after] {
        cosign_3.verify(author, &[], &reference).assert_code(0);
    }
    if skip::without_root() {
        return;
    }
    let node = Node::new();
    let all = [&before, &second, &third, &after];
    node.write_policy(&policy(&registry.host(), "threshold = 4", &all));
    counts_and_leaves_nothing(&node, &reference);
    let strangers = [&before, &second, &third, &Author::new()];
    node.write_policy(&policy(&registry.host(), "threshold = 4", &strangers));
    is_refused(&node, &reference, "3 of 4 required signers");
}

#[test]
fn index_that_cosign_signed_is_run_by_its_platform() {
    let Some(cosign_2) = Cosign::v2_or_skip() else { return };
    let Some(cosign_3) = Cosign::v3_or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let object = samples::object("xdp_counter_v1").unwrap();
    for cosign in [cosign_2, cosign_3] {
        let author = cosign.author();
        let reference = registry.reference("org/index:v1");
        let mut build = author.bpf_image();
        build.args(["build", "--push", "-t", &reference]);
        for platform in ["linux/amd64", "linux/arm64"] {
            build.arg("--platform").arg(format!("{platform}={}", object.display()));
        }
        succeed(&mut build).unwrap();
        verify(&author, &reference).assert_code(3);
        cosign.sign(&author, &["--recursive"], &by_digest(&author, &reference));
        verify(&author, &reference).assert_code(0);
        // And back: ours over an index is cosign's, too.
        let ours = Author::new();
        ours.sign(&reference);
        cosign.verify(&ours, &[], &reference).assert_code(0);
        if !skip::without_root() {
            counts_and_leaves_nothing(&Node::trusting(&author, &registry.host()), &reference);
        }
    }
}

#[test]
fn attestation_of_cosign_alone_is_no_signature() {
    let Some(cosign_2) = Cosign::v2_or_skip() else { return };
    let Some(cosign_3) = Cosign::v3_or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let reference = pushed(&author, &registry, "org/counter");
    let digest = by_digest(&author, &reference);
    cosign_2.attest(&author, &digest);
    cosign_3.attest(&author, &digest);
    // cosign 3 lets it count; this is where we are stricter.
    cosign_3.verify(&author, &[], &reference).assert_code(0);
    verify(&author, &reference).assert_code(3).assert_stderr_has("an attestation of type");
    if !skip::without_root() {
        let node = Node::trusting(&author, &registry.host());
        is_refused(&node, &reference, "an attestation of type");
    }
}

/// Copies the image with everything that refers to it, and its `.sig` tag.
#[track_caller]
fn copy_with_signatures(oras: &Path, author: &Author, from: &str, to: &str) {
    let copy = |recursive: bool, from: &str, to: &str| {
        let mut command = Command::new(oras);
        command.arg("cp").args(recursive.then_some("-r"));
        run(command.args(["--from-plain-http", "--to-plain-http", from, to])).unwrap()
    };
    copy(true, from, to).assert_code(0);
    let digest = by_digest(author, from);
    let (repository, digest) = digest.split_once('@').unwrap();
    let tag = format!("{}.sig", digest.replace(':', "-"));
    let target = to.strip_suffix(":v1").unwrap();
    // Only what has legacy signatures has this tag.
    let _ = copy(false, &format!("{repository}:{tag}"), &format!("{target}:{tag}"));
}

#[test]
fn loader_refuses_signature_copied_from_another_repository() {
    if skip::without_root() {
        return;
    }
    let Some(oras) = Peer::Oras.or_skip() else { return };
    let Some(cosign_2) = Cosign::v2_or_skip() else { return };
    let Some(cosign_3) = Cosign::v3_or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let node = Node::trusting(&author, &registry.host());
    let copied = |name: &str, sign: &dyn Fn(&str)| {
        let from = pushed(&author, &registry, &format!("{name}/from"));
        sign(&from);
        verify(&author, &from).assert_code(0);
        let to = registry.reference(&format!("{name}/to:v1"));
        copy_with_signatures(&oras, &author, &from, &to);
        to
    };
    // Ours names the repository in both formats, cosign 2 in the one that it knows.
    let to = copied("ours", &|from| author.sign(from));
    cosign_3.verify(&author, &[], &to).assert_code(0);
    is_refused(&node, &to, "made for the repository");
    let to = copied("legacy", &|from| cosign_2.sign(&author, &[], &by_digest(&author, from)));
    is_refused(&node, &to, "made for the repository");
    // cosign 3 names none, so it counts until the policy asks for a name.
    let to = copied("bundle", &|from| cosign_3.sign(&author, &[], &by_digest(&author, from)));
    counts_and_leaves_nothing(&node, &to);
    node.write_policy(&policy(&registry.host(), "repository = \"required\"", &[&author]));
    is_refused(&node, &to, "repository");
    // With our annotation cosign 3 names it as well.
    let to = copied("annotated", &|from| {
        let repository = from.strip_suffix(":v1").unwrap();
        let annotation = format!("--annotations=dev.bpfimage.repo={repository}");
        cosign_3.sign(&author, &[&annotation], &by_digest(&author, from));
    });
    is_refused(&node, &to, "made for the repository");
    counts_and_leaves_nothing(&node, &registry.reference("annotated/from:v1"));
}
