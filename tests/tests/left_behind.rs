//! What could be left behind or lost: filters in namespaces that went out of sight, records that
//! are gone or broken, hooks that died, locks and mounts that are not what they seem.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what fails there fails the test")]

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command};

use bpf_image_tests::cgroup::Cgroup;
use bpf_image_tests::netns::{INTERFACE, Pair};
use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::{run, skip, succeed};

struct Host {
    node: Node,
    reference: String,
    _author: Author,
}

impl Host {
    fn with(sample: &str) -> Self {
        let author = Author::new();
        let node = Node::trusting_layouts(&author);
        let reference = author.signed_layout(sample);
        Self { node, reference, _author: author }
    }

    #[track_caller]
    fn run(&self, name: &str, point: &str) {
        self.node
            .loader(&["run", &self.reference, "--name", name, "--attach", point])
            .assert_code(0);
    }

    #[track_caller]
    fn unload(&self, name: &str) {
        self.node.loader(&["unload", name]).assert_code(0);
    }
}

/// What `tc` shows on an interface, run by `enter`.
fn tc(mut enter: Command) -> String {
    let script = format!("tc qdisc show dev {INTERFACE}; tc filter show dev {INTERFACE} ingress");
    succeed(enter.args(["-c", &script])).unwrap().stdout
}

/// Neither our filter nor a qdisc is left.
#[track_caller]
fn assert_hooks_empty(enter: Command) {
    let left = tc(enter);
    assert!(!left.contains("tc_counter") && !left.contains("clsact"), "{left}");
}

/// A process that keeps a namespace alive.
struct Sleeper(Child);

impl Sleeper {
    fn in_namespace(pair: &Pair) -> Self {
        let child = pair.right.command("sleep").arg("120").spawn().unwrap();
        let exe = format!("/proc/{}/exe", child.id());
        while !std::fs::read_link(&exe).unwrap().ends_with("sleep") {
            std::thread::yield_now();
        }
        Self(child)
    }

    fn shell(&self) -> Command {
        let mut nsenter = Command::new("nsenter");
        nsenter.arg(format!("--net=/proc/{}/ns/net", self.0.id())).arg("sh");
        nsenter
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn filter_point(pair: &Pair, rest: &str) -> String {
    format!("tc_counter=tc:{INTERFACE},direction=ingress{rest},netns={}", pair.right.name())
}

#[test]
fn filter_is_removed_after_its_namespace_lost_its_name() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let sleeper = Sleeper::in_namespace(&pair);
    let host = Host::with("tc_counter");
    host.run("a", &filter_point(&pair, ""));
    succeed(Command::new("ip").args(["netns", "delete", pair.right.name()])).unwrap();
    assert!(tc(sleeper.shell()).contains("tc_counter"));
    host.node.loader(&["list"]).assert_code(0).assert_stdout_has("running");
    host.unload("a");
    assert_hooks_empty(sleeper.shell());
    host.node.assert_nothing_left();
}

#[test]
fn filter_is_removed_from_outside_the_namespace_that_run_was_in() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let host = Host::with("tc_counter");
    let loader = host.node.bpf_loader();
    let mut inside = pair.right.command(loader.get_program().to_str().unwrap());
    for (name, value) in host.node.environment() {
        inside.env(name, value);
    }
    let point = format!("tc_counter=tc:{INTERFACE},direction=ingress");
    succeed(inside.args(["run", &host.reference, "--name", "a", "--attach", &point])).unwrap();
    assert!(tc(pair.right.command("sh")).contains("tc_counter"));
    host.unload("a");
    assert_hooks_empty(pair.right.command("sh"));
    host.node.assert_nothing_left();
}

#[test]
fn filter_is_removed_when_its_record_is_lost() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let host = Host::with("tc_counter");
    host.run("a", &filter_point(&pair, ""));
    std::fs::remove_dir_all(host.node.run_dir()).unwrap();
    host.node.loader(&["list"]).assert_code(0).assert_stdout_has("no record");
    host.unload("a");
    assert_hooks_empty(pair.right.command("sh"));
    host.node.assert_nothing_left();
}

#[test]
fn qdisc_that_two_instances_shared_goes_with_the_last() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let host = Host::with("tc_counter");
    host.run("a", &filter_point(&pair, ""));
    host.run("b", &filter_point(&pair, ",priority=60"));
    host.unload("a");
    let shared = tc(pair.right.command("sh"));
    assert!(shared.contains("pref 60") && !shared.contains("pref 50"), "{shared}");
    host.unload("b");
    assert!(!tc(pair.right.command("sh")).contains("clsact"));
    host.node.assert_nothing_left();
}

#[test]
fn broken_record_hides_nothing_and_unloads() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let host = Host::with("tc_counter");
    host.run("a", &filter_point(&pair, ""));
    host.run("b", &filter_point(&pair, ",priority=60"));
    let id = host.node.json(&["show", "a"])["id"].as_str().unwrap().to_owned();
    let record = host.node.run_dir().join(format!("v1/instances/{id}.json"));
    std::fs::write(&record, "{\"format\": 1").unwrap();
    host.node
        .loader(&["list"])
        .assert_code(0)
        .assert_stdout_has("broken")
        .assert_stdout_has("pri")
        .assert_stdout_has("no record");
    host.unload("a");
    host.unload("b");
    assert!(!tc(pair.right.command("sh")).contains("clsact"));
    host.node.assert_nothing_left();
}

#[test]
fn cgroup_that_goes_away_shows() {
    if skip::without_root() {
        return;
    }
    let host = Host::with("cgroup_skb_counter");
    let cgroup = Cgroup::new().unwrap();
    host.run("a", &format!("cgroup_skb_counter=cgroup_skb:{}", cgroup.path().display()));
    host.node.loader(&["list"]).assert_code(0).assert_stdout_has("running");
    drop(cgroup);
    // The kernel takes the program off a removed cgroup from a work queue.
    while !host.node.loader(&["list"]).assert_code(0).stdout.contains("degraded") {
        std::thread::yield_now();
    }
    host.unload("a");
    host.node.assert_nothing_left();
}

#[test]
fn pending_instance_is_not_detached() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let host = Host::with("tc_counter");
    let mut killed = host.node.bpf_loader();
    killed.args(["run", &host.reference, "--name", "a", "--attach", &filter_point(&pair, "")]);
    run(killed.env("BPF_LOADER_TEST_KILL_AT", "worker-links")).unwrap();
    host.node
        .loader(&["detach", "a"])
        .assert_code(1)
        .assert_stderr_has("instance `a` is pending")
        .assert_stderr_has("`bpf-loader unload a`");
    host.unload("a");
    host.node.assert_nothing_left();
}

/// As under `ip netns exec`, which gives each command a /sys of its own.
#[test]
fn mount_namespace_of_its_own_is_refused_rather_than_forgotten() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let host = Host::with("tc_counter");
    let loader = host.node.bpf_loader();
    let mut private = Command::new("unshare");
    private.args(["--mount", "sh", "-c", "mount -t tmpfs tmpfs /sys/fs/bpf && exec \"$@\"", "sh"]);
    private.arg(loader.get_program());
    for (name, value) in host.node.environment() {
        private.env(name, value);
    }
    let pins = format!("/sys/fs/bpf/bpfimage-tests-{}", std::process::id());
    private.args(["--pin-dir", &pins, "run", &host.reference, "--name", "a"]);
    private.args(["--attach", &filter_point(&pair, "")]);
    run(&mut private).unwrap().assert_code(1).assert_stderr_has("pins would vanish with it");
    assert!(!tc(pair.right.command("sh")).contains("clsact"));
    host.node.assert_nothing_left();
}

#[test]
fn lock_and_records_are_private() {
    if skip::without_root() {
        return;
    }
    let pair = Pair::new().unwrap();
    let host = Host::with("tc_counter");
    host.run("a", &filter_point(&pair, ""));
    let mode = |path: &str| {
        host.node.run_dir().join(path).metadata().unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode(""), mode("lock")), (0o700, 0o600));
    host.unload("a");
}

#[test]
fn output_into_a_pipe_that_closed_is_no_error() {
    for command in ["completions bash", "list"] {
        let node = Command::new("bash")
            .args(["-c", &format!("set -o pipefail; \"$0\" {command} | true")])
            .arg(bpf_image_tests::bins::bpf_loader().unwrap())
            .env("BPF_LOADER_RUN_DIR", "/nonexistent/run")
            .env("BPF_LOADER_PIN_DIR", "/nonexistent/pins")
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&node.stderr).into_owned();
        assert!(node.status.success(), "{command}: {words}");
    }
}
