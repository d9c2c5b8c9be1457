//! Images that other builders make: by `Containerfile.bytecode` with our printed arguments, and
//! with nothing but bpfman's labels.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod counting;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use bpf_image_tests::cosign::Cosign;
use bpf_image_tests::netns::{INTERFACE, Pair};
use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::peers::{self, Peer};
use bpf_image_tests::registry::Registry;
use bpf_image_tests::run::command_line;
use bpf_image_tests::{bins, repo, samples, skip, succeed};
use counting::{counts_and_leaves_nothing, is_refused};
use tempfile::TempDir;

/// buildah with a storage and a build context of its own.
struct Builder {
    program: PathBuf,
    folder: TempDir,
}

impl Builder {
    /// With an empty context. buildah's storage needs root.
    #[track_caller]
    fn or_skip() -> Option<Self> {
        if skip::without_root() {
            return None;
        }
        let program = Peer::Buildah.or_skip()?;
        let builder = Self { program, folder: TempDir::with_prefix("bpfimage-buildah-").unwrap() };
        std::fs::create_dir(builder.context()).unwrap();
        Some(builder)
    }

    fn context(&self) -> PathBuf {
        self.folder.path().join("context")
    }

    fn buildah(&self) -> Command {
        peers::buildah(&self.program, self.folder.path())
    }

    /// Puts a sample into the context.
    #[track_caller]
    fn add(&self, sample: &str, name: &str) {
        std::fs::copy(samples::object(sample).unwrap(), self.context().join(name)).unwrap();
    }

    /// Runs a line that a document tells users to type, word for word, in the context. `buildah`
    /// and `bpf-image` are this builder's and the built one.
    #[track_caller]
    fn type_in(&self, line: &str) {
        let bin = self.folder.path().join("bin");
        if !bin.exists() {
            std::fs::create_dir(&bin).unwrap();
            symlink(bins::bpf_image().unwrap(), bin.join("bpf-image")).unwrap();
            let start = command_line(&self.buildah());
            let script = format!("#!/bin/sh\nBUILDAH_ISOLATION=chroot exec {start} \"$@\"\n");
            std::fs::write(bin.join("buildah"), script).unwrap();
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(bin.join("buildah"), mode).unwrap();
        }
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-ec", line]).current_dir(self.context()).env("PATH", path);
        succeed(&mut shell).unwrap();
    }

    /// Builds the context's only object with these labels, as any builder of images would.
    #[track_caller]
    fn build_with_labels(&self, flags: &[&str], labels: &[(&str, &str)]) {
        let file = self.folder.path().join("Containerfile");
        std::fs::write(&file, "FROM scratch\nCOPY *.o /\n").unwrap();
        let mut build = self.buildah();
        build.arg("bud").args(flags).arg("-f").arg(file).args(["-t", "counter"]);
        for (key, value) in labels {
            build.arg("--label").arg(format!("{key}={value}"));
        }
        succeed(build.arg(self.context())).unwrap();
    }

    /// Pushes what was built last.
    #[track_caller]
    fn push(&self, target: &str) {
        let mut push = self.buildah();
        succeed(push.args(["push", "--tls-verify=false", "counter", target])).unwrap();
    }
}

/// Builds by the one line that `Containerfile.bytecode` names at its top.
#[track_caller]
fn by_containerfile(sample: &str) -> Option<Builder> {
    let builder = Builder::or_skip()?;
    builder.add(sample, "counter.o");
    let file = repo::root().join("Containerfile.bytecode");
    std::fs::copy(&file, builder.context().join("Containerfile.bytecode")).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("#   eval ")).unwrap();
    builder.type_in(&format!("eval {line}"));
    Some(builder)
}

#[test]
fn loader_runs_what_buildah_built_by_containerfile_and_pushed() {
    let Some(builder) = by_containerfile("xdp_counter_v1") else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let reference = registry.reference("org/counter:v1");
    builder.push(&format!("docker://{reference}"));
    let mut inspect = author.bpf_image();
    succeed(inspect.args(["inspect", "--object", &reference]))
        .unwrap()
        .assert_stdout_has("image, compared with the object")
        .assert_stdout_has("kernel");
    let node = Node::trusting(&author, &registry.host());
    is_refused(&node, &reference, "no signature found");
    author.sign(&reference);
    counts_and_leaves_nothing(&node, &reference);
}

#[test]
fn loader_runs_what_buildah_built_skopeo_copied_and_cosign_signed() {
    let Some(builder) = by_containerfile("xdp_counter_v1") else { return };
    let Some(skopeo) = Peer::Skopeo.or_skip() else { return };
    let Some(cosign_2) = Cosign::v2_or_skip() else { return };
    let Some(cosign_3) = Cosign::v3_or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let layout = format!("oci:{}:v1", builder.folder.path().join("layout").display());
    builder.push(&layout);
    for (name, cosign) in [("two", cosign_2), ("three", cosign_3)] {
        let author = cosign.author();
        let reference = registry.reference(&format!("{name}/counter:v1"));
        let mut copy = Command::new(&skopeo);
        copy.args(["copy", "--dest-tls-verify=false", &layout]);
        succeed(copy.arg(format!("docker://{reference}"))).unwrap();
        cosign.sign(&author, &[], &reference);
        let node = Node::trusting(&author, &registry.host());
        counts_and_leaves_nothing(&node, &reference);
        node.trust(&Author::new(), &registry.host());
        is_refused(&node, &reference, "signed by an unknown key");
    }
}

#[test]
fn every_buildah_line_in_the_help_of_build_args_works() {
    let Some(builder) = Builder::or_skip() else { return };
    builder.add("xdp_port_filter", "counter.o");
    let file = "Containerfile.bytecode";
    std::fs::copy(repo::root().join(file), builder.context().join(file)).unwrap();
    let author = Author::new();
    let help = succeed(author.bpf_image().args(["build-args", "--help"])).unwrap().stdout;
    // A line that ends in a pipe goes on in the next.
    let help = help.replace("|\n", "| ");
    let lines: Vec<_> = help.lines().filter(|line| line.contains("buildah bud")).collect();
    assert_eq!(lines.len(), 2, "{help}");
    for line in lines {
        builder.type_in(line);
        let layout = author.layout("built");
        builder.push(&layout);
        succeed(author.bpf_image().args(["inspect", "--object", &layout]))
            .unwrap()
            .assert_stdout_has("image, compared with the object")
            .assert_stdout_has("drop_port");
        std::fs::remove_dir_all(author.folder().join("built")).unwrap();
        succeed(builder.buildah().args(["rmi", "counter"])).unwrap();
    }
}

/// An image of `sample` with these labels and no config of ours, signed, in `registry`.
#[track_caller]
fn foreign(
    registry: &Registry,
    author: &Author,
    sample: &str,
    flags: &[&str],
    labels: &[(&str, &str)],
) -> Option<String> {
    let builder = Builder::or_skip()?;
    builder.add(sample, "program.o");
    builder.build_with_labels(flags, labels);
    let reference = registry.reference("org/foreign:v1");
    builder.push(&format!("docker://{reference}"));
    author.sign(&reference);
    Some(reference)
}

#[test]
fn loader_runs_bpfman_style_images() {
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let maps = ("io.ebpf.maps", r#"{"packets":"per_cpu_array"}"#);
    let cases: [&[(&str, &str)]; 3] = [
        &[("io.ebpf.programs", r#"{"xdp_counter":"xdp"}"#), maps],
        // The first labels, for one program.
        &[
            ("io.ebpf.program_name", "xdp_counter"),
            ("io.ebpf.bpf_function_name", "xdp_counter"),
            ("io.ebpf.program_type", "xdp"),
            ("io.ebpf.filename", "program.o"),
        ],
        &[],
    ];
    for labels in cases {
        for format in ["--format=oci", "--format=docker"] {
            let made = foreign(&registry, &author, "xdp_counter_v1", &[format], labels);
            let Some(reference) = made else { return };
            let node = Node::trusting(&author, &registry.host());
            counts_and_leaves_nothing(&node, &reference);
        }
    }
}

#[test]
fn loader_takes_both_vocabularies_of_program_types() {
    if skip::without_root() {
        return;
    }
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let reader = samples::read_counter().unwrap();
    let pair = Pair::new().unwrap();
    let uprobe = format!("uprobe_counter=uprobe:{}:main", reader.display());
    let tcx = format!("tc_counter=tcx:{INTERFACE},direction=ingress,netns={}", pair.right.name());
    let cases = [
        ("uprobe_counter", "uprobe", "calls", &uprobe),
        ("uprobe_counter", "probe", "calls", &uprobe),
        ("tc_counter", "tc", "packets", &tcx),
        ("tc_counter", "tcx", "packets", &tcx),
        ("tc_counter", "classifier", "packets", &tcx),
        ("tc_counter", "sched_cls", "packets", &tcx),
    ];
    for (sample, kind, map, point) in cases {
        let programs = format!(r#"{{"{sample}":"{kind}"}}"#);
        let maps = format!(r#"{{"{map}":"per_cpu_array"}}"#);
        let labels = [("io.ebpf.programs", &*programs), ("io.ebpf.maps", &*maps)];
        let Some(reference) = foreign(&registry, &author, sample, &[], &labels) else { return };
        let node = Node::trusting(&author, &registry.host());
        node.loader(&["run", &reference, "--attach", point]).assert_code(0);
        pair.ping(2).unwrap();
        let pin = node.loader(&["show", "foreign", "--map-path", map]);
        // The reader's own call is what the uprobe counts.
        let read = succeed(Command::new(&reader).arg(pin.stdout.trim())).unwrap();
        assert!(read.stdout.trim().parse::<u64>().unwrap() >= 1, "{kind}: {}", read.transcript());
        node.loader(&["unload", "foreign"]).assert_code(0);
        node.assert_nothing_left();
    }
}

#[test]
fn loader_refuses_bpfman_style_image_whose_labels_lie() {
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let programs = "io.ebpf.programs";
    for (labels, why) in [
        (
            &[(programs, r#"{"other":"xdp"}"#)][..],
            "programs[other].type: declared xdp, found nothing",
        ),
        (
            &[(programs, r#"{"xdp_counter":"tc"}"#)],
            "programs[xdp_counter].type: declared tc, found xdp",
        ),
        (
            &[("io.ebpf.maps", r#"{"packets":"hash"}"#)],
            "maps[packets].type: declared hash, found per_cpu_array",
        ),
        (
            &[("io.ebpf.bpf_function_name", "other"), ("io.ebpf.program_type", "xdp")],
            "programs[other].type",
        ),
        (&[(programs, "no JSON")], "label `io.ebpf.programs` cannot be used"),
    ] {
        let made = foreign(&registry, &author, "xdp_counter_v1", &[], labels);
        let Some(reference) = made else { return };
        is_refused(&Node::trusting(&author, &registry.host()), &reference, why);
    }
}
