//! `bpf-image` as its users type it: every command once, with its output looked at, against a
//! real registry, image layouts, and the independent tools that read and write the same formats.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use bpf_image_tests::peers::{Peer, buildah};
use bpf_image_tests::registry::Registry;
use bpf_image_tests::{RunOutput, bins, repo, run, samples, skip, succeed};
use serde_json::Value;
use tempfile::TempDir;

/// A folder to work in, without credentials or passwords of whoever runs the tests.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a sample object here under a name.
    fn object(&self, sample: &str) -> String {
        std::fs::copy(samples::object(sample).unwrap(), self.path(&format!("{sample}.o"))).unwrap();
        format!("{sample}.o")
    }

    fn tool(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        command.env("DOCKER_CONFIG", self.folder.path()).env("HOME", self.folder.path());
        command.env("COSIGN_PASSWORD", "secret");
        for variable in ["BPF_IMAGE_PASSWORD", "SOURCE_DATE_EPOCH", "REGISTRY_AUTH_FILE"] {
            command.env_remove(variable);
        }
        command
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.tool(&bins::bpf_image().unwrap());
        command.args(line.split_whitespace());
        command
    }

    /// Runs `bpf-image LINE`.
    fn type_in(&self, line: &str) -> RunOutput {
        run(&mut self.command(line)).unwrap()
    }

    /// Runs `bpf-image LINE -o json`, which has to succeed.
    #[track_caller]
    fn json(&self, line: &str) -> Value {
        let output = self.type_in(&format!("{line} -o json"));
        serde_json::from_str(&output.assert_code(0).stdout).unwrap()
    }

    #[track_caller]
    fn done(&self, line: &str) -> RunOutput {
        let output = self.type_in(line);
        output.assert_code(0);
        output
    }

    /// A key pair `NAME.key`, `NAME.pub`.
    fn key(&self, name: &str) {
        self.done(&format!("keygen --output-key-prefix {name}"));
    }
}

fn registry() -> Option<Registry> {
    Registry::start().inspect_err(|error| skip::because(error)).ok()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn inspect_shows_an_object_to_people_and_programs() {
    let desk = Desk::new();
    let object = desk.object("xdp_port_filter");
    let shown = desk.done(&format!("inspect {object}"));
    for part in ["PROGRAM", "xdp_port_filter  xdp", "drop_port", "Dual BSD/GPL", "little-endian"] {
        shown.assert_stdout_has(part);
    }
    assert!(!shown.stdout.contains('\u{1b}'), "colour where there is no terminal");
    let json = desk.json(&format!("inspect {object}"));
    let program = &json["object"]["programs"][0];
    assert_eq!(program["name"], "xdp_port_filter");
    assert_eq!((&program["type"], &program["section"]), (&"xdp".into(), &"xdp".into()));
    assert!(json["object"]["maps"].is_array());
}

#[test]
fn inspect_refuses_what_is_no_object() {
    let desk = Desk::new();
    std::fs::write(desk.path("noise.o"), [0xa5; 4096]).unwrap();
    let refused = desk.type_in("inspect noise.o");
    refused.assert_code(1).assert_stderr_has("not an ELF file").assert_stderr_has("fault: object");
    desk.type_in("inspect missing.o").assert_code(1).assert_stderr_has("No such file");
    desk.type_in("inspect").assert_code(2);
    desk.type_in("inspect org/counter").assert_code(2).assert_stderr_has("names no registry");
}

#[test]
fn build_into_a_layout_gives_one_digest_every_time() {
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    let first = desk.json(&format!("build {object} -t oci:one:v1"));
    let second = desk.json(&format!("build {object} -t oci:two/deep:other"));
    assert_eq!(first["digest"], second["digest"]);
    let mut dated = desk.command(&format!("build {object} -t oci:one:dated -o json"));
    let dated = succeed(dated.env("SOURCE_DATE_EPOCH", "951782400")).unwrap();
    let dated: Value = serde_json::from_str(&dated.stdout).unwrap();
    assert_ne!(first["digest"], dated["digest"]);
    let annotations = &desk.json("inspect oci:one:dated")["image"]["annotations"];
    assert_eq!(annotations["org.opencontainers.image.created"], "2000-02-29T00:00:00Z");
    assert_eq!(annotations["io.ebpf.programs"], r#"{"xdp_counter":"xdp"}"#);

    let shown = desk.done("inspect oci:one:v1 --object");
    shown.assert_stdout_has("artifact, compared with the object").assert_stdout_has("xdp_counter");
    let several = desk.type_in("inspect oci:one");
    several.assert_code(1).assert_stderr_has("several images: v1, dated");
}

#[test]
fn build_says_what_it_misses() {
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    let unasked = desk.type_in(&format!("build {object} -t localhost:5000/counter:v1"));
    unasked.assert_code(2).assert_stderr_has("`--push`").assert_stderr_has("oci:DIR:TAG");
    desk.type_in(&format!("build {object}")).assert_code(2).assert_stderr_has("--tag");
    let big = desk.type_in(&format!("build --platform linux/s390x={object} -t oci:images:big"));
    big.assert_code(1).assert_stderr_has("little-endian").assert_stderr_has("bpfeb");
    let bare = desk.type_in("build --platform linux/arm64 -t oci:images:bare");
    bare.assert_code(2).assert_stderr_has("has no object");
    assert!(!desk.path("images").exists(), "a layout without an image was left behind");
}

#[test]
fn build_of_several_platforms_is_an_index() {
    let desk = Desk::new();
    let (v1, v2) = (desk.object("xdp_counter_v1"), desk.object("xdp_counter_v2"));
    for format in ["artifact", "image"] {
        let platforms = format!("--platform linux/amd64={v1} --platform linux/arm64={v2}");
        let built =
            desk.json(&format!("build {platforms} --format {format} -t oci:images:{format}"));
        assert_eq!(built["manifests"].as_array().unwrap().len(), 2);
        let of = |platform| {
            let line = format!("inspect oci:images:{format} --object --platform {platform}");
            desk.json(&line)
        };
        let (amd64, arm64) = (of("linux/amd64"), of("linux/arm64"));
        assert_eq!(amd64["image"]["digest"], arm64["image"]["digest"]);
        assert_ne!(amd64["object"]["digest"], arm64["object"]["digest"]);
        assert_eq!(amd64["image"]["form"], format);
        let missing = desk.type_in(&format!("inspect oci:images:{format} --platform linux/s390x"));
        missing.assert_code(3).assert_stderr_has("it has linux/amd64, linux/arm64");
    }
}

#[test]
fn keygen_makes_a_pair_once_and_a_policy_that_works() {
    let desk = Desk::new();
    let scope = desk.folder.path().canonicalize().unwrap();
    let line = format!("keygen --output-key-prefix team.release --scope oci:{}", scope.display());
    let made = desk.done(&line);
    made.assert_stdout_has("[[scope]]").assert_stderr_has("team.release.key");
    std::fs::write(desk.path("policy.toml"), &made.stdout).unwrap();
    let mode = |name: &str| desk.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("team.release.key"), mode("team.release.pub")), (0o600, 0o644));
    let before = std::fs::read(desk.path("team.release.key")).unwrap();
    desk.type_in(&line).assert_code(1).assert_stderr_has("exists and stays as it is");
    assert_eq!(std::fs::read(desk.path("team.release.key")).unwrap(), before);

    let object = desk.object("xdp_counter_v1");
    desk.done(&format!("build {object} -t oci:images:v1"));
    desk.done("sign --key team.release.key oci:images:v1");
    let verified = desk.done("verify --policy policy.toml oci:images:v1");
    verified.assert_stdout_has("signed by  release");
}

#[test]
fn password_comes_from_a_file_or_the_environment_or_nobody() {
    let desk = Desk::new();
    let mut nobody = desk.command("keygen --output-key-prefix a");
    let refused = run(nobody.env_remove("COSIGN_PASSWORD")).unwrap();
    refused.assert_code(2).assert_stderr_has("BPF_IMAGE_PASSWORD");
    assert!(!desk.path("a.key").exists());

    std::fs::write(desk.path("password"), "from a file\n").unwrap();
    desk.done("keygen --output-key-prefix a --password-file password");
    let object = desk.object("xdp_counter_v1");
    desk.done(&format!("build {object} -t oci:images:v1"));
    let wrong = desk.type_in("sign --key a.key oci:images:v1");
    wrong.assert_code(1).assert_stderr_has("password does not open");
    let mut right = desk.command("sign --key a.key oci:images:v1");
    succeed(right.env("BPF_IMAGE_PASSWORD", "from a file")).unwrap();

    let mut empty = desk.command("keygen --output-key-prefix empty");
    succeed(empty.env("BPF_IMAGE_PASSWORD", "")).unwrap();
    let mut empty = desk.command("sign --key empty.key oci:images:v1");
    succeed(empty.env("BPF_IMAGE_PASSWORD", "")).unwrap();
}

#[test]
fn unsigned_image_and_wrong_key_are_refused() {
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    desk.done(&format!("build {object} -t oci:images:v1"));
    desk.key("release");
    desk.key("other");
    let unsigned = desk.type_in("verify --key release.pub oci:images:v1");
    unsigned.assert_code(3).assert_stderr_has("no signature found");
    desk.done("sign --key other.key oci:images:v1");
    let wrong = desk.type_in("verify --key release.pub oci:images:v1");
    wrong.assert_code(3).assert_stderr_has("signed by an unknown key");
    assert!(wrong.stdout.is_empty(), "{}", wrong.transcript());
    desk.done("sign --key release.key oci:images:v1");
    desk.done("verify --key release.pub oci:images:v1").assert_stdout_has("ignored");
    let no_policy = desk.type_in("verify --policy missing.toml oci:images:v1");
    no_policy.assert_code(3).assert_stderr_has("no policy file").assert_stderr_has("keygen");
}

#[test]
fn what_a_hint_says_can_be_typed() {
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    desk.done(&format!("build {object} -t oci:images:v1"));
    desk.key("release");
    desk.done("sign --key release.key oci:images:v1");
    std::fs::write(desk.path("empty.toml"), "version = 1\n").unwrap();
    let other = "version = 1\n[[scope]]\nmatch = \"oci:/srv/elsewhere\"\n[[scope.signer]]\n\
                 name = \"release\"\nkey-file = \"release.pub\"\n";
    std::fs::write(desk.path("elsewhere.toml"), other).unwrap();
    for policy in ["missing", "empty", "elsewhere"] {
        let refused = desk.type_in(&format!("verify --policy {policy}.toml oci:images:v1"));
        let hint = refused.assert_code(3).stderr.lines().find(|line| line.starts_with("hint:"));
        let mut quoted = hint.unwrap().split('`');
        let typed = quoted.find_map(|text| text.strip_prefix("bpf-image verify ")).unwrap();
        let typed = typed.replace("KEY.pub", "release.pub").replace("REF", "oci:images:v1");
        let printed = desk.done(&format!("verify {typed}")).stdout;
        std::fs::write(desk.path("printed.toml"), printed).unwrap();
        desk.done("verify --policy printed.toml oci:images:v1").assert_stdout_has("signed by");
    }
}

#[test]
fn sign_twice_adds_nothing_and_signs_every_platform() {
    let desk = Desk::new();
    let (v1, v2) = (desk.object("xdp_counter_v1"), desk.object("xdp_counter_v2"));
    let platforms = format!("--platform linux/amd64={v1} --platform linux/arm64={v2}");
    let built = desk.json(&format!("build {platforms} -t oci:images:v1"));
    desk.key("release");
    let signed = desk.json("sign --key release.key oci:images:v1");
    assert_eq!(signed["signed"].as_array().unwrap().len(), 3);
    assert!(signed["signed"].as_array().unwrap().iter().all(|one| one["already"] == false));
    let blobs = || std::fs::read_dir(desk.path("images/blobs/sha256")).unwrap().count();
    let before = blobs();
    let again = desk.json("sign --key release.key oci:images:v1");
    assert!(again["signed"].as_array().unwrap().iter().all(|one| one["already"] == true));
    assert_eq!(blobs(), before);
    for manifest in built["manifests"].as_array().unwrap() {
        let digest = text(&manifest["digest"]);
        desk.done(&format!("verify --key release.pub oci:images@{digest}"));
    }
}

#[test]
fn image_goes_through_a_registry_and_back_with_its_signatures() {
    let Some(registry) = registry() else { return };
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    let name = registry.reference("org/counter");
    let built = desk.json(&format!("build {object} -t {name}:v1 --push"));
    let policy = desk.done(&format!("keygen --output-key-prefix k --scope {}", registry.host()));
    std::fs::write(desk.path("policy.toml"), policy.stdout).unwrap();
    let signed =
        desk.json(&format!("sign --key k.key --annotation dev.bpfimage.version=1 {name}:v1"));
    assert_eq!(signed["repository"], name);
    let verified = desk.json(&format!("verify --policy policy.toml {name}:v1"));
    assert_eq!(verified["digest"], built["digest"]);
    assert_eq!(verified["candidates"].as_array().unwrap().len(), 2, "legacy and bundle");
    desk.done(&format!("verify --key k.pub {name}@{}", text(&built["digest"])));

    let pulled = desk.json(&format!("pull {name}:v1 oci:images"));
    assert_eq!(pulled["digest"], built["digest"]);
    assert_eq!(pulled["referrers"], 2);
    desk.done("verify --key k.pub oci:images:v1");
    desk.done("inspect oci:images:v1 --object");

    desk.done(&format!("push oci:images:v1 {name}:again"));
    desk.done(&format!("verify --policy policy.toml {name}:again"));
    let tags = desk.type_in(&format!("inspect {name}:never"));
    tags.assert_code(5).assert_stderr_has("no tag `never`").assert_stderr_has("fault: registry");
}

#[test]
fn signature_copied_to_another_repository_does_not_count() {
    let Some(registry) = registry() else { return };
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    let (name, other) = (registry.reference("org/counter"), registry.reference("org-evil/counter"));
    desk.done(&format!("build {object} -t {name}:v1 --push"));
    desk.key("k");
    desk.done(&format!("sign --key k.key {name}:v1"));
    let copied = desk.json(&format!("push {name}:v1 {other}:v1"));
    assert_eq!(copied["referrers"], 2);
    let refused = desk.type_in(&format!("verify --key k.pub {other}:v1"));
    refused.assert_code(3).assert_stderr_has("made for the repository");
}

#[test]
fn blob_changed_in_the_registry_is_refused() {
    let Some(registry) = registry() else { return };
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    let name = registry.reference("org/counter:v1");
    desk.done(&format!("build {object} -t {name} --push"));
    let layer = desk.json(&format!("inspect {name}"))["object"]["digest"].clone();
    let stored = registry.blob_file(text(&layer));
    let mut bytes = std::fs::read(&stored).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&stored, bytes).unwrap();
    for line in [format!("inspect {name} --object"), format!("pull {name} oci:images:v1")] {
        let refused = desk.type_in(&line);
        refused.assert_code(3).assert_stderr_has(text(&layer)).assert_stderr_has("fault: image");
    }
    desk.type_in("inspect oci:images:v1").assert_code(1);
}

#[test]
fn registry_that_is_away_or_wants_a_login_is_code_5() {
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    let away = bpf_image_tests::registry::free_port().unwrap();
    for line in [
        format!("inspect {away}/counter:v1"),
        format!("build {object} -t {away}/counter:v1 --push"),
        format!("pull {away}/counter:v1 oci:images"),
    ] {
        desk.type_in(&line).assert_code(5).assert_stderr_has("cannot connect to registry");
    }
    desk.key("k");
    desk.type_in(&format!("verify --key k.pub {away}/counter:v1")).assert_code(5);

    let Some(registry) = Registry::start_with_login().inspect_err(|e| skip::because(e)).ok() else {
        return;
    };
    let name = registry.reference("org/counter:v1");
    let build = format!("build {object} -t {name} --push");
    let refused = desk.type_in(&build);
    refused.assert_code(5).assert_stderr_has("wants a login").assert_stderr_has("fault: credent");
    registry.write_docker_config(desk.folder.path()).unwrap();
    let plain = format!("--plain-http {}", registry.host());
    desk.type_in(&build).assert_code(5).assert_stderr_has("--plain-http");
    desk.done(&format!("{build} {plain}"));
    desk.done(&format!("{plain} sign --key k.key {name}"));
    desk.done(&format!("verify --key k.pub {name} {plain}"));
    desk.done(&format!("pull {plain} {name} oci:images"));
}

/// cosign's arguments with neither log nor Sigstore's services.
fn cosign(desk: &Desk, program: &Path, line: &str) -> RunOutput {
    run(desk.tool(program).args(line.split_whitespace())).unwrap()
}

#[test]
fn cosign_2_and_3_accept_our_signatures_and_refuse_the_wrong_key() {
    let (Some(two), Some(three)) = (Peer::Cosign2.or_skip(), Peer::Cosign3.or_skip()) else {
        return;
    };
    let Some(registry) = registry() else { return };
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    for format in ["artifact", "image"] {
        let name = registry.reference(&format!("org/{format}:v1"));
        desk.done(&format!("build {object} --format {format} -t {name} --push"));
        for kind in ["ecdsa-p256", "ed25519"] {
            let key = format!("{format}-{kind}");
            desk.done(&format!("keygen --type {kind} --output-key-prefix {key}"));
            desk.key(&format!("{key}-wrong"));
            desk.done(&format!("sign --key {key}.key --annotation team=net {name}"));
            for (program, offline) in
                [(&two, "--private-infrastructure"), (&three, "--insecure-ignore-tlog")]
            {
                let verify = |key: &str| {
                    cosign(&desk, program, &format!("verify --key {key}.pub {offline} {name}"))
                };
                verify(&key).assert_code(0).assert_stdout_has("dev.bpfimage.repo");
                let wrong = verify(&format!("{key}-wrong"));
                assert_ne!(wrong.code, 0, "{}", wrong.transcript());
                let annotated = cosign(
                    &desk,
                    program,
                    &format!("verify -a team=net --key {key}.pub {offline} {name}"),
                );
                annotated.assert_code(0);
            }
        }
    }
}

#[test]
fn images_that_cosign_signed_are_accepted_and_the_wrong_key_refused() {
    let (Some(two), Some(three)) = (Peer::Cosign2.or_skip(), Peer::Cosign3.or_skip()) else {
        return;
    };
    let Some(registry) = registry() else { return };
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    desk.key("other");
    for (program, name, offline) in [
        (&two, "two", "--tlog-upload=false"),
        (&three, "three", "--tlog-upload=false --use-signing-config=false"),
    ] {
        let image = registry.reference(&format!("org/{name}"));
        let built = desk.json(&format!("build {object} -t {image}:v1 --push"));
        cosign(&desk, program, &format!("generate-key-pair --output-key-prefix {name}"))
            .assert_code(0);
        let line = format!("sign -y --key {name}.key {offline} {image}@{}", text(&built["digest"]));
        cosign(&desk, program, &line).assert_code(0);
        desk.done(&format!("verify --key {name}.pub {image}:v1"));
        desk.type_in(&format!("verify --key other.pub {image}:v1"))
            .assert_code(3)
            .assert_stderr_has("signed by an unknown key");
        // And its key signs here, beside its own signature.
        desk.done(&format!("sign --key {name}.key {image}:v1"));
        desk.done(&format!("sign --key other.key {image}:v1"));
        for key in [name, "other"] {
            desk.done(&format!("verify --key {key}.pub {image}:v1"));
        }
    }
}

#[test]
fn oras_reads_our_artifact_from_registry_and_layout() {
    let Some(oras) = Peer::Oras.or_skip() else { return };
    let Some(registry) = registry() else { return };
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    let name = registry.reference("org/counter:v1");
    desk.done(&format!("build {object} -t {name} --push"));
    desk.done(&format!("build {object} -t oci:images:v1"));
    let bytes = std::fs::read(desk.path(&object)).unwrap();
    let line = format!("pull --plain-http {name} -o from-registry");
    succeed(desk.tool(&oras).args(line.split_whitespace())).unwrap();
    succeed(desk.tool(&oras).args("pull --oci-layout images:v1 -o from-layout".split(' ')))
        .unwrap();
    for folder in ["from-registry", "from-layout"] {
        assert_eq!(std::fs::read(desk.path(folder).join(&object)).unwrap(), bytes, "{folder}");
    }
}

#[test]
fn skopeo_copies_our_images_unchanged() {
    let Some(skopeo) = Peer::Skopeo.or_skip() else { return };
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    for format in ["artifact", "image"] {
        let built = desk.json(&format!("build {object} --format {format} -t oci:{format}:v1"));
        let line = format!("copy --insecure-policy oci:{format}:v1 oci:{format}-copy:v1");
        succeed(desk.tool(&skopeo).args(line.split(' '))).unwrap();
        let copied = desk.json(&format!("inspect --object oci:{format}-copy:v1"));
        assert_eq!(copied["image"]["digest"], built["digest"]);
    }
}

#[test]
fn object_that_oras_pushed_is_read_and_noise_is_refused() {
    let Some(oras) = Peer::Oras.or_skip() else { return };
    let Some(registry) = registry() else { return };
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    std::fs::write(desk.path("noise.o"), [0xa5; 4096]).unwrap();
    let push = |file: &str, tag: &str| {
        let name = registry.reference(&format!("org/{tag}"));
        succeed(desk.tool(&oras).args(["push", "--plain-http", &name, file])).unwrap();
        name
    };
    let bare = desk.json(&format!("inspect {}", push(&object, "bare:v1")));
    assert_eq!(bare["image"]["form"], "bare-elf");
    assert_eq!(bare["object"]["programs"][0]["name"], "xdp_counter");
    let noise = desk.type_in(&format!("inspect {}", push("noise.o", "noise:v1")));
    noise.assert_code(3).assert_stderr_has("not an ELF file").assert_stderr_has("fault: image");
}

#[test]
fn buildah_builds_the_containerfile_with_the_printed_arguments() {
    if skip::without_root() {
        return;
    }
    let Some(program) = Peer::Buildah.or_skip() else { return };
    let desk = Desk::new();
    let object = desk.object("xdp_port_filter");
    let containerfile = repo::root().join("Containerfile.bytecode");
    std::fs::copy(containerfile, desk.path("Containerfile.bytecode")).unwrap();

    // As a shell takes them: one quoted line.
    let line = desk.done(&format!("build-args {object}")).stdout;
    line.lines().next().unwrap().strip_prefix("--build-arg BYTECODE_FILE='xdp_").unwrap();
    // And word by word, which is how they get to buildah here.
    let words = desk.done(&format!("build-args -o null {object}")).stdout;
    let words: Vec<_> = words.split_terminator('\0').collect();
    let storage = desk.path("storage");
    let image = "localhost/filter:1";
    succeed(
        buildah(&program, &storage)
            .args(["bud", "-f", "Containerfile.bytecode", "-t", image])
            .args(words)
            .arg(".")
            .current_dir(desk.folder.path()),
    )
    .unwrap();
    let target = format!("oci:{}:v1", desk.path("images").display());
    succeed(buildah(&program, &storage).args(["push", image, &target])).unwrap();
    let built = desk.json("inspect --object oci:images:v1");
    assert_eq!(built["image"]["form"], "image");
    assert_eq!(built["image"]["labels"]["programs"]["xdp_port_filter"], "xdp");
    assert_eq!(built["object"]["programs"][0]["name"], "xdp_port_filter");
}

#[test]
fn build_args_print_for_every_taste() {
    let desk = Desk::new();
    let object = desk.object("xdp_counter_v1");
    let json = desk.json(&format!("build-args {object}"));
    assert_eq!(json["PROGRAMS"], r#"{"xdp_counter":"xdp"}"#);
    let lines = desk.done(&format!("build-args -o env {object}"));
    lines.assert_stdout_has("\nPROGRAMS={\"xdp_counter\":\"xdp\"}\n");
    let words = desk.done(&format!("build-args {object}")).stdout;
    let script = format!("printf '%s\\n' {}", words.trim_end());
    let shell = succeed(Command::new("sh").args(["-c", &script])).unwrap();
    shell.assert_stdout_has("--build-arg\nPROGRAMS={\"xdp_counter\":\"xdp\"}\n");
}

#[test]
fn help_completions_and_wrong_arguments() {
    let desk = Desk::new();
    let help = desk.done("--help");
    for verb in [
        "inspect",
        "build",
        "build-args",
        "push",
        "pull",
        "keygen",
        "sign",
        "verify",
        "completions",
    ] {
        help.assert_stdout_has(verb);
        desk.done(&format!("{verb} --help")).assert_stdout_has("Examples");
    }
    for shell in ["bash", "zsh", "fish"] {
        desk.done(&format!("completions {shell}")).assert_stdout_has("bpf-image");
    }
    desk.type_in("frobnicate").assert_code(2);
    desk.type_in("push oci:a oci:b").assert_code(2).assert_stderr_has("not in a registry");
    desk.type_in("pull localhost:5000/a localhost:5000/b").assert_code(2);
}
