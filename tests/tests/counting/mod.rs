//! An image of the XDP counter, as a user runs it: attached, seen to count, taken away.

use bpf_image_tests::netns::{INTERFACE, Pair};
use bpf_image_tests::node::Node;
use bpf_image_tests::succeed;

/// Runs `reference` on a veth pair of its own, and asserts that it counts and leaves nothing.
#[track_caller]
pub(crate) fn counts_and_leaves_nothing(node: &Node, reference: &str) {
    let pair = Pair::new().unwrap();
    let point = format!("xdp_counter=xdp:{INTERFACE},netns={}", pair.right.name());
    node.loader(&["run", reference, "--name", "counted", "--attach", &point])
        .assert_code(0)
        .assert_stdout_has("running counted");
    node.loader(&["list"]).assert_code(0).assert_stdout_has(reference).assert_stdout_has("running");
    pair.ping(3).unwrap().assert_stdout_has("3 received");
    let counted = node.counter("counted", "packets");
    assert!(counted >= 3, "{counted} packets");
    node.loader(&["unload", "counted"]).assert_code(0).assert_stdout_has("unloaded counted");
    node.assert_nothing_left();
    let link = succeed(pair.right.command("ip").args(["-d", "link", "show", INTERFACE])).unwrap();
    assert!(!link.stdout.contains("xdp"), "{}", link.transcript());
}

/// Asserts that the loader refuses `reference`, says `why`, and leaves nothing.
#[track_caller]
pub(crate) fn is_refused(node: &Node, reference: &str, why: &str) {
    // No such interface: the refusal has to come before anybody looks for it.
    let point = "xdp_counter=xdp:nowhere0";
    node.loader(&["run", reference, "--attach", point]).assert_code(3).assert_stderr_has(why);
    node.assert_nothing_left();
}
