//! No policy lets the image in: nothing is asked of any registry, let alone of the kernel.

use bpf_image_tests::fault_registry::{Answer, FaultRegistry};
use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::skip;

use crate::hand_made::Layout;
use crate::refused::{accepted, refused};
use crate::scene::{Faulty, REPOSITORY, SAMPLE};

/// Asserts that `policy` is refused for `why`, though the image is signed and in reach.
#[track_caller]
fn assert_policy_is_refused(policy: &str, why: &str) {
    if skip::without_root() {
        return;
    }
    let author = Author::new();
    let node = Node::new();
    let reference = author.signed_layout(SAMPLE);
    let scope = format!("match = \"oci:{}\"", author.folder().display());
    node.write_policy(&policy.replace("SCOPE", &scope));
    refused(&node, &["run", &reference]).with(3, "policy").saying(why);
    refused(&node, &["check", &reference]).with(3, "policy").saying(why);
    node.trust(&author, &format!("oci:{}", author.folder().display()));
    accepted(&node, &["run", &reference]);
}

#[test]
fn no_policy_file() {
    if skip::without_root() {
        return;
    }
    let author = Author::new();
    let node = Node::new();
    let reference = author.signed_layout(SAMPLE);
    refused(&node, &["run", &reference])
        .with(3, "policy")
        .saying(&format!("there is no policy file {}", node.policy().display()))
        .hinting("bpf-image keygen");
}

#[test]
fn policy_without_a_scope_for_the_registry_which_is_not_even_asked() {
    let Some(scene) = Faulty::new(|_| |_| Answer::Honest) else { return };
    let run = ["run", &scene.reference];
    // A scope ends at a slash: `org` has no say in `org-evil`, nor has one port in another.
    for scope in ["other.example/org", "127.0.0.1/org", &scene.registry.reference("or")] {
        scene.node.trust(&scene.author, scope);
        refused(&scene.node, &run)
            .with(3, "policy")
            .saying("no policy scope matches")
            .saying(&scene.registry.reference(REPOSITORY))
            .hinting("[[scope]]");
    }
    assert_eq!(scene.registry.times_asked(""), 0);
    scene.node.trust(&scene.author, &scene.registry.reference("org"));
    accepted(&scene.node, &run);
}

#[test]
fn policy_without_a_scope_for_the_layout() {
    if skip::without_root() {
        return;
    }
    let author = Author::new();
    let node = Node::trusting(&author, "oci:/srv/images");
    let reference = author.signed_layout(SAMPLE);
    refused(&node, &["run", &reference]).with(3, "policy").saying("no policy scope matches");
}

/// Nobody signs what a layout says of its origin; it is the path that the scope has to name.
#[test]
fn layout_that_claims_to_come_from_a_trusted_registry() {
    if skip::without_root() {
        return;
    }
    let (author, attacker) = (Author::new(), Author::new());
    let node = Node::trusting(&author, "trusted.example/org");
    attacker.build(SAMPLE, &attacker.layout(SAMPLE));
    let layout = Layout::of(&attacker, SAMPLE);
    layout.rename("v1", "trusted.example/org/counter:v1");
    attacker.sign(&attacker.layout(SAMPLE));
    refused(&node, &["run", &attacker.layout(SAMPLE)])
        .with(3, "policy")
        .saying("no policy scope matches oci:/");
}

#[test]
fn policy_with_a_key_that_is_not_built_yet() {
    let policy = "version = 1\n[[scope]]\nSCOPE\nrollback = \"deny\"\n";
    assert_policy_is_refused(policy, "line 4: policy key `scope.rollback` is not built yet");
}

#[test]
fn policy_with_a_misspelt_key() {
    let policy = "version = 1\n[[scope]]\nSCOPE\ntreshold = 2\n";
    assert_policy_is_refused(policy, "did you mean `threshold`?");
}

#[test]
fn policy_of_a_later_version() {
    assert_policy_is_refused("version = 2\n[[scope]]\nSCOPE\n", "policy version 2 is unknown");
}

#[test]
fn policy_that_demands_nothing() {
    assert_policy_is_refused("version = 1\n", "the policy has no [[scope]]");
    assert_policy_is_refused("version = 1\n[[scope]]\nSCOPE\n", "has no [[scope.signer]]");
}

#[test]
fn policy_that_is_no_text() {
    assert_policy_is_refused("\u{0}\u{1}", "policy file");
}

#[test]
fn registry_that_nobody_trusts_is_not_asked_even_when_it_answers_everything() {
    if skip::without_root() {
        return;
    }
    let author = Author::new();
    author.signed_layout(SAMPLE);
    let layout = Layout::of(&author, SAMPLE);
    let registry = FaultRegistry::start(layout.dir(), |_| Answer::Endless).unwrap();
    let node = Node::trusting_layouts(&author);
    refused(&node, &["run", &registry.reference("org/counter:v1")]).with(3, "policy");
    assert_eq!(registry.times_asked(""), 0);
}
