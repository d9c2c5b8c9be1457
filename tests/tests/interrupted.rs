//! Commands that are killed, and commands at the same time: either a program that `list` shows
//! and `unload` removes, or nothing at all.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what fails there fails the test")]

use std::process::Command;

use bpf_image_tests::netns::{INTERFACE, Pair};
use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::{run, skip, succeed};

/// Exit code of a command that SIGKILL ended.
const KILLED: i32 = 128 + 9;

struct Story {
    pair: Pair,
    node: Node,
    reference: String,
    _author: Author,
}

impl Story {
    fn new(sample: &str) -> Self {
        let author = Author::new();
        let node = Node::trusting_layouts(&author);
        let reference = author.signed_layout(sample);
        Self { pair: Pair::new().unwrap(), node, reference, _author: author }
    }

    fn run(&self, name: &str, point: &str) -> Command {
        let mut command = self.node.bpf_loader();
        let point = format!("{point},netns={}", self.pair.right.name());
        command.args(["run", &self.reference, "--name", name, "--attach", &point]);
        command
    }

    /// What is on the interface, in its own tools' words.
    fn hooks(&self) -> String {
        let mut ip = self.pair.right.command("ip");
        let link = succeed(ip.args(["-d", "link", "show", INTERFACE])).unwrap().stdout;
        let mut tc = self.pair.right.command("tc");
        let qdisc = succeed(tc.args(["qdisc", "show", "dev", INTERFACE])).unwrap().stdout;
        let mut tc = self.pair.right.command("tc");
        let filter = run(tc.args(["filter", "show", "dev", INTERFACE, "ingress"])).unwrap().stdout;
        format!("{link}{qdisc}{filter}")
    }

    fn assert_killed_and_clean(&self, point: &str, stage: &str) {
        let before = self.hooks();
        let killed = run(self.run("victim", point).env("BPF_LOADER_TEST_KILL_AT", stage)).unwrap();
        assert_eq!(killed.code, KILLED, "at {stage}: {}", killed.transcript());
        let listed = self.node.json(&["list"]);
        let shown = listed["instances"].as_array().unwrap().len();
        let expected = usize::from(!BEFORE_THE_RECORD.contains(&stage));
        assert_eq!(shown, expected, "at {stage}: {listed}");
        if shown == 1 {
            let health = listed["instances"][0]["health"].as_str().unwrap();
            let right = if stage == "recorded" { "running" } else { "pending" };
            assert_eq!(health, right, "at {stage}");
            // The name is taken until it is unloaded.
            run(&mut self.run("victim", point)).unwrap().assert_code(1);
            self.node.loader(&["unload", "victim"]).assert_code(0);
        }
        self.node.assert_nothing_left();
        assert_eq!(self.hooks(), before, "at {stage}");
        // And the way is free.
        succeed(&mut self.run("victim", point)).unwrap();
        self.node.loader(&["unload", "victim"]).assert_code(0);
    }
}

const BEFORE_THE_RECORD: [&str; 5] = ["resolved", "verified", "fetched", "checked", "planned"];

const STAGES: [&str; 14] = [
    "resolved",
    "verified",
    "fetched",
    "checked",
    "planned",
    "pending",
    "worker-directories",
    "worker-parsed",
    "worker-programs",
    "worker-maps",
    "worker-link",
    "worker-links",
    "loaded",
    "recorded",
];

#[test]
fn run_killed_at_each_stage_of_an_xdp_load() {
    if skip::without_root() {
        return;
    }
    let story = Story::new("xdp_counter_v1");
    for stage in STAGES {
        story.assert_killed_and_clean(&format!("xdp_counter=xdp:{INTERFACE}"), stage);
    }
}

#[test]
fn run_killed_at_each_stage_of_a_clsact_load() {
    if skip::without_root() {
        return;
    }
    let story = Story::new("tc_counter");
    for stage in STAGES {
        let point = format!("tc_counter=tc:{INTERFACE},direction=ingress");
        story.assert_killed_and_clean(&point, stage);
    }
}

#[test]
fn unload_killed_on_the_way_can_be_done_again() {
    if skip::without_root() {
        return;
    }
    let story = Story::new("xdp_counter_v1");
    succeed(&mut story.run("victim", &format!("xdp_counter=xdp:{INTERFACE}"))).unwrap();
    let mut unload = story.node.bpf_loader();
    unload.args(["unload", "victim"]).env("BPF_LOADER_TEST_KILL_AT", "unloaded");
    assert_eq!(run(&mut unload).unwrap().code, KILLED);
    story.node.loader(&["list"]).assert_code(0).assert_stdout_has("degraded");
    story.node.loader(&["unload", "victim"]).assert_code(0);
    story.node.assert_nothing_left();
}

/// The worker alone is killed, as by the out-of-memory killer, at each of its bpf(2) calls: the
/// command must tell and clean up by itself.
#[test]
fn worker_killed_at_each_call_is_an_error_and_leaves_nothing() {
    if skip::without_root() {
        return;
    }
    let story = Story::new("xdp_counter_v1");
    let before = story.hooks();
    let trace = tempfile::NamedTempFile::new().unwrap();
    let plain = story.run("victim", &format!("xdp_counter=xdp:{INTERFACE}"));
    let mut calls = 0;
    loop {
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-e", "trace=bpf", "-o"]).arg(trace.path());
        // The first call of each worker only would also hit the one that cleans up.
        traced.args(["-e", &format!("inject=bpf:signal=KILL:when={}", calls + 1)]);
        traced.arg(plain.get_program()).args(plain.get_args());
        for (name, value) in story.node.environment() {
            traced.env(name, value);
        }
        let output = run(&mut traced).unwrap();
        if output.code == 0 {
            break;
        }
        calls += 1;
        output.assert_code(1).assert_stderr_has("kernel worker ended");
        story.node.assert_nothing_left();
        assert_eq!(story.hooks(), before, "after {calls} calls");
    }
    assert!(calls >= 10, "only {calls} bpf(2) calls were seen");
    story.node.loader(&["unload", "victim"]).assert_code(0);
    story.node.assert_nothing_left();
}

#[test]
fn two_runs_at_once_on_one_interface_one_wins() {
    if skip::without_root() {
        return;
    }
    let story = Story::new("xdp_counter_v1");
    let point = format!("xdp_counter=xdp:{INTERFACE}");
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = ["first", "second"]
            .map(|name| scope.spawn(|| run(&mut story.run(name, &point)).unwrap()))
            .into_iter()
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let mut codes: Vec<_> = outputs.iter().map(|output| output.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 1]);
    let loser = outputs.iter().find(|output| output.code == 1).unwrap();
    loser.assert_stderr_has(&format!("interface `{INTERFACE}` already has an XDP program"));
    loser.assert_stderr_has("fault: host");
    let listed = story.node.json(&["list"]);
    assert_eq!(listed["instances"].as_array().unwrap().len(), 1, "{listed}");
    let winner = listed["instances"][0]["name"].as_str().unwrap();
    assert_eq!(listed["instances"][0]["health"], "running");
    story.node.loader(&["unload", winner]).assert_code(0);
    story.node.assert_nothing_left();
}

#[test]
fn two_runs_at_once_under_one_name_one_wins() {
    if skip::without_root() {
        return;
    }
    let story = Story::new("tc_counter");
    let point = format!("tc_counter=tcx:{INTERFACE},direction=ingress");
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let runs = [(); 2].map(|()| scope.spawn(|| run(&mut story.run("same", &point)).unwrap()));
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let loser = outputs.iter().find(|output| output.code != 0).unwrap();
    loser.assert_code(1).assert_stderr_has("instance `same` already exists");
    assert!(outputs.iter().any(|output| output.code == 0));
    story.node.loader(&["unload", "same"]).assert_code(0);
    story.node.assert_nothing_left();
}
