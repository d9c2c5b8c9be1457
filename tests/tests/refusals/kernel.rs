//! What the kernel, this host or the command line says no to: signed images, all of them.

use std::path::Path;
use std::process::Command;

use bpf_image_tests::netns::{INTERFACE, Netns, Pair};
use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::{samples, skip, succeed};

use crate::refused::{MEMORY, Refused, refused, refused_command};

/// A signed image of a sample, two namespaces, and a node.
struct Host {
    author: Author,
    node: Node,
    pair: Pair,
    reference: String,
}

impl Host {
    /// `None`, having said so, without root.
    #[track_caller]
    fn with(sample: &str) -> Option<Self> {
        Self::with_image(|author| author.signed_layout(sample))
    }

    #[track_caller]
    fn with_image(image: impl FnOnce(&Author) -> String) -> Option<Self> {
        if skip::without_root() {
            return None;
        }
        let author = Author::new();
        let reference = image(&author);
        let node = Node::trusting_layouts(&author);
        Some(Self { author, node, pair: Pair::new().unwrap(), reference })
    }

    /// Runs with these arguments, which must be refused.
    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> Refused {
        let refused = refused(&self.node, &[&["run", &self.reference], arguments].concat());
        self.assert_bare();
        refused
    }

    /// Asserts that neither interface has anything attached.
    #[track_caller]
    fn assert_bare(&self) {
        for netns in [&self.pair.left, &self.pair.right] {
            let link = shown(netns, &["-d", "link", "show", INTERFACE]);
            assert!(!link.contains("xdp"), "{link}");
        }
    }

    fn left(&self, program: &str) -> String {
        format!("{program}=xdp:{INTERFACE},netns={}", self.pair.left.name())
    }

    fn right(&self, program: &str) -> String {
        format!("{program}=xdp:{INTERFACE},netns={}", self.pair.right.name())
    }
}

/// What `ip` prints inside `netns`.
#[track_caller]
fn shown(netns: &Netns, arguments: &[&str]) -> String {
    succeed(netns.command("ip").args(arguments)).unwrap().stdout
}

fn half_rejected(author: &Author) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals");
    let object = author.folder().join("half_rejected.o");
    samples::compile(&here, Path::new("half_rejected.c"), &object).unwrap();
    let reference = author.layout("half_rejected");
    succeed(author.bpf_image().arg("build").arg(object).args(["-t", &reference])).unwrap();
    author.sign(&reference);
    reference
}

#[test]
fn program_that_the_verifier_rejects_with_a_good_one_before_it() {
    let Some(host) = Host::with_image(half_rejected) else { return };
    let (good, rejected) = (host.left("good"), host.right("rejected"));
    let both = ["--attach", &good, "--attach", &rejected];
    host.refused(&both)
        .with(4, "kernel")
        .saying("verifier rejects program `rejected`: R")
        .saying("invalid mem access 'map_value_or_null'")
        .hinting("--verifier-log");
    host.refused(&[&both[..], &["--verifier-log"]].concat())
        .with(4, "kernel")
        .saying("bpf_map_lookup_elem#1");
    // The same image without the bad one, which is not loaded then.
    host.node.loader(&["run", &host.reference, "--attach", &good]).assert_code(0);
    host.node.loader(&["unload", "half_rejected"]).assert_code(0);
    host.assert_bare();
    host.node.assert_nothing_left();
}

#[test]
fn value_out_of_range_or_for_no_tunable() {
    let Some(host) = Host::with("xdp_port_filter") else { return };
    let point = host.left("xdp_port_filter");
    for (value, why) in [
        ("drop_port=65536", "65535"),
        ("drop_port=-1", "drop_port"),
        ("drop_port=http", "drop_port"),
        ("verdict=2", "verdict"),
        ("no_such=1", "no_such"),
    ] {
        host.refused(&["--attach", &point, "--set", value]).with(2, "command line").saying(why);
    }
    host.refused(&["--attach", &point, "--set", "drop_port=1", "--set", "drop_port=2"])
        .with(2, "command line")
        .saying("set twice");
}

#[test]
fn unknown_program_or_unfit_attach_point() {
    let Some(host) = Host::with("xdp_counter_v1") else { return };
    host.refused(&["--attach", &host.left("xdp_countr")])
        .with(2, "command line")
        .saying("no program `xdp_countr`; it has `xdp_counter`");
    host.refused(&["--attach", "xdp_counter=tc:lo,direction=ingress"])
        .with(2, "command line")
        .saying("it takes xdp_counter=xdp:INTERFACE");
    let twice = host.left("xdp_counter");
    host.refused(&["--attach", &twice, "--attach", &twice])
        .with(2, "command line")
        .saying("given twice");
    host.refused(&[]).with(2, "command line").saying("nothing says where").hinting("--attach");
}

#[test]
fn interface_or_namespace_that_does_not_exist() {
    let Some(host) = Host::with("xdp_counter_v1") else { return };
    let netns = host.pair.left.name();
    let interface = format!("xdp_counter=xdp:nosuch0,netns={netns}");
    let left = host.left("xdp_counter");
    host.refused(&["--attach", &left, "--attach", &interface])
        .with(1, "host")
        .saying("interface `nosuch0` does not exist")
        .before_bpf();
    host.refused(&["--attach", &left, "--attach", "xdp_counter=xdp:lo,netns=bpfimage-nosuch"])
        .with(1, "host")
        .saying("network namespace `bpfimage-nosuch` does not exist")
        .before_bpf();
}

#[test]
fn raw_tracepoint_or_symbol_that_does_not_exist() {
    let Some(host) = Host::with("raw_tp_counter") else { return };
    host.refused(&["--attach", "raw_tp_counter=raw_tp:no_such_event"])
        .with(1, "host")
        .saying("raw tracepoint `no_such_event` does not exist")
        .before_attaching();
    let Some(host) = Host::with("tracepoint_counter") else { return };
    host.refused(&["--attach", "tracepoint_counter=tracepoint:sched/no_such_event"])
        .with(1, "host")
        .saying("tracepoint `sched/no_such_event` does not exist")
        .before_attaching();
    let Some(host) = Host::with("uprobe_counter") else { return };
    host.refused(&["--attach", "uprobe_counter=uprobe:/bin/true:no_such_symbol"])
        .with(1, "host")
        .saying("symbol `no_such_symbol` is not found")
        .before_attaching();
    host.refused(&["--attach", "uprobe_counter=uprobe:/no/such/file:main"])
        .with(1, "host")
        .saying("/no/such/file does not exist")
        .before_bpf();
}

/// The first attach point is made and undone again.
#[test]
fn second_attach_point_that_is_taken() {
    let Some(host) = Host::with("xdp_counter_v1") else { return };
    let (left, right) = (host.left("xdp_counter"), host.right("xdp_counter"));
    let other = Node::trusting_layouts(&host.author);
    other.loader(&["run", &host.reference, "--attach", &right]).assert_code(0);
    let theirs = shown(&host.pair.right, &["-d", "link", "show", INTERFACE]);
    assert!(theirs.contains("xdp"), "{theirs}");

    let run = ["run", &host.reference, "--attach", &left, "--attach", &right];
    refused(&host.node, &run).with(1, "host").saying(&right).hinting("bpftool");
    let link = shown(&host.pair.left, &["-d", "link", "show", INTERFACE]);
    assert!(!link.contains("xdp"), "{link}");
    assert_eq!(shown(&host.pair.right, &["-d", "link", "show", INTERFACE]), theirs);

    other.loader(&["unload", "xdp_counter_v1"]).assert_code(0);
    host.assert_bare();
}

#[test]
fn pin_directory_that_is_not_on_a_bpffs() {
    let Some(host) = Host::with("raw_tp_counter") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut command = host.node.bpf_loader();
    command.args(["run", &host.reference]).env("BPF_LOADER_PIN_DIR", folder.path().join("pins"));
    refused_command(&host.node, &command, MEMORY)
        .with(1, "host")
        .saying("bpffs is not mounted at")
        .hinting("--pin-dir")
        .before_bpf();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Without the rights, said before anything is tried half-way.
#[test]
fn user_without_capabilities() {
    let Some(host) = Host::with("raw_tp_counter") else { return };
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--"]);
    let loader = host.node.bpf_loader();
    command.arg(loader.get_program()).args(["run", &host.reference]);
    command.envs(host.node.environment());
    refused_command(&host.node, &command, MEMORY)
        .with(1, "host")
        .saying("does not permit")
        .before_attaching()
        .hinting("root");
}
