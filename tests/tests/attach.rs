//! Every kind of attach point, as a user runs it: attached, seen to fire, kept when the command
//! ends, found again, taken away, and nothing left.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what fails there fails the test")]

use std::process::Command;

use bpf_image_tests::cgroup::Cgroup;
use bpf_image_tests::netns::{INTERFACE, Pair};
use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::{run, samples, skip, succeed};

/// A node that runs `sample` from a layout with `arguments`, under the sample's name.
#[track_caller]
fn running(sample: &str, arguments: &[&str]) -> Node {
    let author = Author::new();
    let node = Node::trusting_layouts(&author);
    let reference = author.signed_layout(sample);
    let all = [&["run", &reference, "--name", sample], arguments].concat();
    node.loader(&all).assert_code(0).assert_stdout_has(&format!("running {sample}"));
    node
}

/// Takes the instance away and looks that it is gone.
#[track_caller]
fn unload(node: &Node, sample: &str) {
    node.loader(&["unload", sample]).assert_code(0).assert_stdout_has("unloaded");
    node.assert_nothing_left();
}

#[track_caller]
fn xdp_counts(mode: &str) {
    let pair = Pair::new().unwrap();
    let point = format!("xdp_counter=xdp:{INTERFACE}{mode},netns={}", pair.right.name());
    let node = running("xdp_counter_v1", &["--attach", &point]);
    pair.ping(3).unwrap().assert_stdout_has("3 received");
    let counted = node.counter("xdp_counter_v1", "packets");
    assert!(counted >= 3, "{counted} packets");
    let attached = succeed(pair.right.command("ip").args(["-d", "link", "show", INTERFACE]));
    let kind = if mode.contains("generic") { "xdpgeneric" } else { "xdp " };
    attached.unwrap().assert_stdout_has(kind);
    unload(&node, "xdp_counter_v1");
    let after = succeed(pair.right.command("ip").args(["-d", "link", "show", INTERFACE])).unwrap();
    assert!(!after.stdout.contains("xdp"), "{}", after.stdout);
}

#[test]
fn xdp_native() {
    if !skip::without_root() {
        xdp_counts(",mode=native");
    }
}

#[test]
fn xdp_generic() {
    if !skip::without_root() {
        xdp_counts(",mode=generic");
    }
}

#[test]
fn tcx_in_both_directions() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let point =
        |way| format!("tc_counter=tcx:{INTERFACE},direction={way},netns={}", pair.right.name());
    let node =
        running("tc_counter", &["--attach", &point("ingress"), "--attach", &point("egress")]);
    pair.ping(3).unwrap().assert_stdout_has("3 received");
    // Requests in and replies out.
    assert!(node.counter("tc_counter", "packets") >= 6);
    node.loader(&["detach", "tc_counter", "--attach", &point("egress")])
        .assert_code(0)
        .assert_stdout_has("direction=ingress");
    let before = node.counter("tc_counter", "packets");
    pair.ping(3).unwrap();
    let counted = node.counter("tc_counter", "packets") - before;
    assert!((3..6).contains(&counted), "{counted} packets with one direction left");
    unload(&node, "tc_counter");
}

#[test]
fn clsact_filter_and_its_qdisc_come_and_go() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let point = format!(
        "tc_counter=tc:{INTERFACE},direction=ingress,priority=7,netns={}",
        pair.right.name()
    );
    let node = running("tc_counter", &["--attach", &point]);
    pair.ping(3).unwrap();
    assert!(node.counter("tc_counter", "packets") >= 3);
    let filters = || {
        let mut tc = pair.right.command("tc");
        succeed(tc.args(["filter", "show", "dev", INTERFACE, "ingress"])).unwrap().stdout
    };
    assert!(filters().contains("pref 7 bpf"), "{}", filters());
    unload(&node, "tc_counter");
    assert_eq!(filters(), "");
    let qdiscs = succeed(pair.right.command("tc").args(["qdisc", "show", "dev", INTERFACE]));
    assert!(!qdiscs.unwrap().stdout.contains("clsact"));
}

#[test]
fn clsact_qdisc_of_somebody_else_stays() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    succeed(pair.right.command("tc").args(["qdisc", "add", "dev", INTERFACE, "clsact"])).unwrap();
    let point = format!("tc_counter=tc:{INTERFACE},direction=egress,netns={}", pair.right.name());
    let node = running("tc_counter", &["--attach", &point]);
    unload(&node, "tc_counter");
    let qdiscs = succeed(pair.right.command("tc").args(["qdisc", "show", "dev", INTERFACE]));
    qdiscs.unwrap().assert_stdout_has("clsact");
}

#[test]
fn tracepoint_named_by_its_section() {
    if skip::without_root() {
        return;
    }
    let node = running("tracepoint_counter", &[]);
    let before = node.counter("tracepoint_counter", "execs");
    for _ in 0..3 {
        succeed(&mut Command::new("true")).unwrap();
    }
    assert!(node.counter("tracepoint_counter", "execs") >= before + 3);
    unload(&node, "tracepoint_counter");
}

#[test]
fn raw_tracepoint_named_by_its_section() {
    if skip::without_root() {
        return;
    }
    let node = running("raw_tp_counter", &[]);
    let before = node.counter("raw_tp_counter", "switches");
    succeed(&mut Command::new("true")).unwrap();
    assert!(node.counter("raw_tp_counter", "switches") > before);
    unload(&node, "raw_tp_counter");
}

#[test]
fn uprobe_on_a_function_of_a_program() {
    if skip::without_root() {
        return;
    }
    // The reader is a program of ours with a function that nothing else calls.
    let program = samples::read_counter().unwrap();
    let point = format!("uprobe_counter=uprobe:{}:main", program.display());
    let node = running("uprobe_counter", &["--attach", &point]);
    assert_eq!(node.counter("uprobe_counter", "calls"), 0);
    let pin = node.loader(&["show", "uprobe_counter", "--map-path", "calls"]);
    let read = succeed(Command::new(&program).arg(pin.stdout.trim())).unwrap();
    // It counted its own call.
    assert_eq!(read.stdout.trim(), "1");
    unload(&node, "uprobe_counter");
}

#[test]
fn cgroup_skb_counts_packets_of_its_cgroup_only() {
    if skip::without_root() {
        return;
    }
    let cgroup = Cgroup::new().unwrap();
    let point = format!("cgroup_skb_counter=cgroup_skb:{}", cgroup.path().display());
    let node = running("cgroup_skb_counter", &["--attach", &point]);
    succeed(Command::new("ping").args(["-c", "1", "127.0.0.1"])).unwrap();
    assert_eq!(node.counter("cgroup_skb_counter", "packets"), 0);
    succeed(cgroup.command("ping").args(["-c", "2", "127.0.0.1"])).unwrap();
    assert!(node.counter("cgroup_skb_counter", "packets") >= 2);
    unload(&node, "cgroup_skb_counter");
}

#[test]
fn tunable_is_set_by_its_type() {
    if skip::without_root() {
        return;
    }
    // One datagram to the port that is dropped, one to another.
    let pair = Pair::new().unwrap();
    let point = format!("xdp_port_filter=xdp:{INTERFACE},netns={}", pair.right.name());
    let node = running("xdp_port_filter", &["--attach", &point, "--set", "drop_port=7777"]);
    for port in [7777, 7778] {
        let script = format!("echo x > /dev/udp/{}/{port}", Pair::RIGHT);
        let _ = run(pair.left.command("bash").args(["-c", &script]));
    }
    assert_eq!(node.counter("xdp_port_filter", "dropped"), 1);
    unload(&node, "xdp_port_filter");
}

#[test]
fn detached_instance_keeps_its_counter() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let point = format!("xdp_counter=xdp:{INTERFACE},netns={}", pair.right.name());
    let node = running("xdp_counter_v1", &["--attach", &point]);
    pair.ping(2).unwrap();
    node.loader(&["detach", "xdp_counter_v1"]).assert_code(0).assert_stdout_has("stay loaded");
    let counted = node.counter("xdp_counter_v1", "packets");
    assert!(counted >= 2);
    pair.ping(2).unwrap();
    assert_eq!(node.counter("xdp_counter_v1", "packets"), counted);
    node.loader(&["list"]).assert_code(0).assert_stdout_has("detached");
    unload(&node, "xdp_counter_v1");
}

#[test]
fn interface_that_goes_away_leaves_a_degraded_instance_that_unloads() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let point = format!("xdp_counter=xdp:{INTERFACE},netns={}", pair.right.name());
    let node = running("xdp_counter_v1", &["--attach", &point]);
    succeed(pair.right.command("ip").args(["link", "delete", INTERFACE])).unwrap();
    node.loader(&["list"]).assert_code(0).assert_stdout_has("degraded");
    unload(&node, "xdp_counter_v1");
}

#[test]
fn namespace_by_path_and_by_process() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let mut sleeper = pair.right.command("sleep").arg("60").spawn().unwrap();
    for netns in [pair.right.path().display().to_string(), sleeper.id().to_string()] {
        // The process has to be in its namespace before it can name it.
        while std::fs::read_link(format!("/proc/{}/exe", sleeper.id()))
            .is_ok_and(|exe| !exe.ends_with("sleep"))
        {
            std::thread::yield_now();
        }
        let point = format!("xdp_counter=xdp:{INTERFACE},netns={netns}");
        let node = running("xdp_counter_v1", &["--attach", &point]);
        pair.ping(1).unwrap();
        assert!(node.counter("xdp_counter_v1", "packets") >= 1);
        unload(&node, "xdp_counter_v1");
    }
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

#[test]
fn records_that_vanish_leave_pins_that_list_shows_and_unload_removes() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let point = format!("xdp_counter=xdp:{INTERFACE},netns={}", pair.right.name());
    let node = running("xdp_counter_v1", &["--attach", &point]);
    std::fs::remove_dir_all(node.run_dir()).unwrap();
    node.loader(&["list"]).assert_code(0).assert_stdout_has("no record");
    unload(&node, "xdp_counter_v1");
    let after = succeed(pair.right.command("ip").args(["-d", "link", "show", INTERFACE])).unwrap();
    assert!(!after.stdout.contains("xdp"), "{}", after.stdout);
}
