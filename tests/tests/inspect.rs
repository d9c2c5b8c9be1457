//! `inspect`, `diff` and `lint` as their users type them, on objects made for each change and each
//! finding. What is printed is compared with `inspect/golden/`, which people read.
//!
//! `BPF_IMAGE_UPDATE_GOLDEN=1 cargo test -p bpf-image-tests --test inspect` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::Command;

use bpf_image_spec::Digest;
use bpf_image_tests::samples::compile;
use bpf_image_tests::{RunOutput, bins, run, succeed};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What `bpf_tracing.h` wants to know of the machine whose headers are there.
const TRACED: &str =
    if cfg!(target_arch = "aarch64") { "-D__TARGET_ARCH_arm64" } else { "-D__TARGET_ARCH_x86" };

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inspect")
}

/// A folder with objects to look at.
struct Bench {
    folder: TempDir,
}

impl Bench {
    /// With these sources compiled and stripped of DWARF.
    fn with(names: &[&str]) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        for name in names {
            let source = PathBuf::from(format!("{name}.c"));
            compile(&sources(), &source, &bench.path(&format!("{name}.o"))).unwrap();
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Compiles a source with options of the test's own.
    fn clang(&self, name: &str, options: &[&str], output: &str) {
        let mut clang = Command::new("clang");
        clang.args(["-O2", "-target", "bpf", "-mcpu=v3"]).args(options);
        clang.arg(format!("-I/usr/include/{}-linux-gnu", std::env::consts::ARCH)).arg("-c");
        succeed(clang.arg(sources().join(name)).arg("-o").arg(self.path(output))).unwrap();
    }

    fn type_in(&self, line: &str) -> RunOutput {
        let mut command = Command::new(bins::bpf_image().unwrap());
        command.current_dir(self.folder.path()).args(line.split_whitespace());
        run(&mut command).unwrap()
    }

    #[track_caller]
    fn done(&self, line: &str) -> String {
        self.type_in(line).assert_code(0).stdout.clone()
    }

    #[track_caller]
    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.done(&format!("{line} -o json"))).unwrap()
    }
}

/// Compares with what was read and found good; what depends on the compiler is left out.
#[track_caller]
fn golden(name: &str, text: &str) {
    let text: String = text.lines().map(|line| masked(line) + "\n").collect();
    let path = sources().join("golden").join(name);
    if std::env::var_os("BPF_IMAGE_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let good = std::fs::read_to_string(&path).unwrap();
    assert!(text == good, "{} is not what is printed now:\n{text}", path.display());
}

fn masked(line: &str) -> String {
    let mut line = line.to_owned();
    if let Some(at) = line.find("sha256:") {
        line.truncate(at);
        line += "sha256:…";
    }
    for what in ["instructions: ", "size: ", "weighs "] {
        if let Some(at) = line.find(what) {
            line.truncate(at + what.len());
            line.push('…');
        }
    }
    line
}

#[test]
fn diff_says_what_an_upgrade_changes() {
    let bench = Bench::with(&["old", "new"]);
    golden("diff.txt", &bench.done("diff old.o new.o"));
    let json = bench.json("diff old.o new.o");
    let fate = |name: &str| {
        let maps = json["maps"].as_array().unwrap();
        maps.iter().find(|map| map["name"] == name).unwrap()["contents"].clone()
    };
    assert_eq!((fate("kept"), fate("grown")), ("kept".into(), "lost".into()));
    assert_eq!((fate("events"), fate("dropped")), ("new".into(), "gone".into()));
}

#[test]
fn diff_stops_at_the_gates_it_is_given() {
    let bench = Bench::with(&["old", "new", "clean"]);
    for gate in ["breaking", "kernel", "any", "kernel,breaking"] {
        let stopped = bench.type_in(&format!("diff old.o new.o --fail-on {gate}"));
        stopped.assert_code(6).assert_stderr_has("not let through");
        bench.done(&format!("diff old.o old.o --fail-on {gate}"));
    }
    // Backwards the kernel gets older, and what is added goes.
    bench.done("diff new.o old.o --fail-on kernel");
    bench.type_in("diff new.o old.o --fail-on breaking").assert_code(6);
    assert!(bench.done("diff old.o old.o").contains("no change"));
    bench.type_in("diff old.o new.o --fail-on never").assert_code(2);
    bench.type_in("diff old.o missing.o").assert_code(1);
}

#[test]
fn diff_reads_images_and_files_alike() {
    let bench = Bench::with(&["old", "new"]);
    bench.done("build old.o -t oci:images:old");
    let json = bench.json("diff oci:images:old old.o");
    assert_eq!(json["changes"].as_array().unwrap().len(), 0);
    assert!(json["old"]["image"].is_string() && json["new"]["image"].is_null());
    bench.type_in("diff oci:images:old new.o --fail-on breaking").assert_code(6);
}

#[test]
fn lint_finds_what_each_object_was_made_for() {
    let names = [
        "clean",
        "legacy_maps",
        "names",
        "no_license",
        "proprietary",
        "registers",
        "unbounded",
        "unknown_section",
    ];
    let bench = Bench { folder: tempfile::tempdir().unwrap() };
    for name in names {
        bench.clang(&format!("{name}.c"), &["-g", TRACED], &format!("{name}.o"));
        succeed(Command::new("llvm-strip").arg("-g").arg(bench.path(&format!("{name}.o"))))
            .unwrap();
    }
    bench.clang("clean.c", &["-g"], "dwarf.o");
    bench.clang("clean.c", &[], "no_btf.o");
    let objects: Vec<_> = names.iter().map(|name| format!("{name}.o")).collect();
    let line = format!("lint {} dwarf.o no_btf.o", objects.join(" "));
    golden("lint.txt", &bench.type_in(&line).assert_code(6).stdout);

    bench.done("lint clean.o --fail-on warning");
    for (object, code) in [
        ("legacy_maps", "legacy-maps"),
        ("names", "same-name"),
        ("no_license", "no-license"),
        ("dwarf", "dwarf"),
        ("no_btf", "no-btf"),
    ] {
        bench.done(&format!("lint {object}.o"));
        bench.type_in(&format!("lint {object}.o --fail-on warning")).assert_code(6);
        bench.done(&format!("lint {object}.o --fail-on warning --allow {code}"));
    }
    bench.type_in("lint clean.o --allow nonsense").assert_code(2).assert_stderr_has("no-license");
    let findings = &bench.json("lint names.o")["findings"];
    assert_eq!(findings[0]["code"], "same-name");
}

#[test]
fn object_of_one_architecture_wants_a_platform() {
    let bench = Bench { folder: tempfile::tempdir().unwrap() };
    bench.clang("registers.c", &["-g", TRACED], "registers.o");
    let strict = "--fail-on warning --allow dwarf";
    bench.type_in(&format!("lint registers.o {strict}")).assert_code(6);
    bench.done(&format!("lint registers.o --platform linux/amd64 {strict}"));
    bench
        .done("build registers.o --platform linux/amd64 --platform linux/arm64 -t oci:images:both");
    let both = bench.type_in("lint oci:images:both");
    both.assert_code(6).assert_stdout_has("wrong-platform").assert_stdout_has("linux/arm64");
}

#[test]
fn platforms_that_disagree_are_told() {
    let bench = Bench::with(&["old", "new"]);
    bench.done("build --platform linux/amd64=old.o --platform linux/arm64=new.o -t oci:images:v1");
    let shown = bench.done("inspect oci:images:v1 --platform linux/amd64");
    assert!(shown.contains("DIFFERS FROM THE ONE SHOWN"), "{shown}");
    assert!(shown.contains("map `grown` max entries: 1024 -> 4096"), "{shown}");
    let json = bench.json("inspect oci:images:v1 --platform linux/amd64");
    assert_eq!(json["image"]["disagreements"][0]["platform"], "linux/arm64");
    bench.done("build old.o --platform linux/amd64 --platform linux/arm64 -t oci:images:same");
    let same = bench.json("inspect oci:images:same");
    assert!(same["image"]["disagreements"].is_null());
    assert_eq!(same["image"]["sameObject"].as_array().unwrap().len(), 1);
}

#[test]
fn inspect_lists_instructions_and_types() {
    let bench = Bench::with(&["old"]);
    let shown = bench.done("inspect old.o --program on_switch --disasm --btf flow");
    golden("listing.txt", &shown);
    let unknown = bench.type_in("inspect old.o --program nobody");
    unknown.assert_code(2).assert_stderr_has("it holds filter, gone, on_switch");
    bench.type_in("inspect old.o --btf nothing").assert_code(2);
}

#[test]
fn inspect_takes_many_and_goes_on_after_a_broken_one() {
    let bench = Bench::with(&["old", "new"]);
    let both = bench.json("inspect old.o new.o");
    assert_eq!(both.as_array().unwrap().len(), 2);
    std::fs::write(bench.path("noise.o"), [0xa5; 100]).unwrap();
    let broken = bench.type_in("inspect old.o noise.o new.o -o json");
    broken.assert_code(1).assert_stderr_has("noise.o").assert_stderr_has("not an ELF file");
    let list: Value = serde_json::from_str(&broken.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2);
}

#[test]
fn inspect_writes_yaml_that_says_what_the_json_says() {
    let bench = Bench::with(&["old"]);
    let yaml = bench.done("inspect old.o -o yaml");
    std::fs::write(bench.path("old.yaml"), &yaml).unwrap();
    // A reader of YAML 1.1 and nobody of ours: the strictest there is about bare words.
    let script = "import sys, json, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let read =
        run(Command::new("python3").args(["-c", script]).arg(bench.path("old.yaml"))).unwrap();
    if read.stderr.contains("No module named") {
        eprintln!("SKIPPED: no YAML reader; apt-get install python3-yaml");
        return;
    }
    let read: Value = serde_json::from_str(&read.assert_code(0).stdout).unwrap();
    assert_eq!(read, bench.json("inspect old.o"));
}

#[test]
fn object_mode_shows_declared_beside_found() {
    let bench = Bench::with(&["old"]);
    bench.done("build old.o -t oci:images:v1");
    let declared = bench.done("inspect oci:images:v1");
    assert!(declared.contains("as declared") && !declared.contains("FOUND"), "{declared}");
    let both = bench.done("inspect oci:images:v1 --object");
    assert!(both.contains("DECLARED") && both.contains("same"), "{both}");
    assert!(!both.contains("DIFFERS"), "{both}");
}

/// Makes the image of a layout one as bpfman builds it, with these labels and nothing of ours.
fn relabel(layout: &Path, labels: &Value) {
    let blob = |digest: &Value| {
        layout.join("blobs/sha256").join(digest.as_str().unwrap().trim_start_matches("sha256:"))
    };
    let read =
        |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let store = |value: &Value, descriptor: &mut Value| {
        let bytes = value.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        std::fs::write(layout.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
        descriptor["digest"] = digest.to_string().into();
        descriptor["size"] = bytes.len().into();
    };
    let mut index = read(&layout.join("index.json"));
    let mut manifest = read(&blob(&index["manifests"][0]["digest"]));
    let mut config = read(&blob(&manifest["config"]["digest"]));
    config["config"]["Labels"] = labels.clone();
    manifest.as_object_mut().unwrap().remove("annotations");
    store(&config, &mut manifest["config"]);
    store(&manifest, &mut index["manifests"][0]);
    std::fs::write(layout.join("index.json"), index.to_string()).unwrap();
}

#[test]
fn labels_that_lie_are_marked_and_those_of_the_field_are_read() {
    let bench = Bench::with(&["old"]);
    let show = |name: &str, labels: Value| {
        bench.done(&format!("build old.o --format image -t oci:{name}:v1"));
        relabel(&bench.path(name), &labels);
        bench.type_in(&format!("inspect oci:{name}:v1"))
    };
    // Two vocabularies are in circulation.
    let right = json!({
        "io.ebpf.programs": r#"{"filter":"xdp","on_switch":"tracepoint","gone":"raw_tracepoint"}"#,
        "io.ebpf.maps": r#"{"kept":"hash"}"#,
    });
    let shown = show("right", right);
    shown.assert_code(0).assert_stdout_has("bpfman, compared with the object");
    let wrong = json!({
        "io.ebpf.programs": r#"{"filter":"tc","ghost":"xdp"}"#,
        "io.ebpf.maps": r#"{"kept":"array"}"#,
    });
    let shown = show("wrong", wrong);
    shown.assert_code(3).assert_stderr_has("fault: image");
    golden("differs.txt", &shown.stdout);
    let legacy = json!({
        "io.ebpf.program_name": "filter",
        "io.ebpf.bpf_function_name": "filter",
        "io.ebpf.program_type": "xdp",
        "io.ebpf.filename": "old.o",
    });
    let shown = show("legacy", legacy);
    shown.assert_code(0).assert_stdout_has("program filter (xdp)");
}
