//! Images of ours in the hands of oras and skopeo, and theirs in ours: nothing in the formats is
//! known to our code alone.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod counting;

use std::path::{Path, PathBuf};
use std::process::Command;

use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::peers::Peer;
use bpf_image_tests::registry::Registry;
use bpf_image_tests::{RunOutput, run, samples, skip, succeed};
use counting::{counts_and_leaves_nothing, is_refused};
use serde_json::Value;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Builds the XDP counter into `reference`; gives the image's digest.
#[track_caller]
fn built(author: &Author, reference: &str, flags: &[&str]) -> String {
    let mut build = author.bpf_image();
    build.args(["build", "-o", "json", "-t", reference]).args(flags);
    if !reference.starts_with("oci:") {
        build.arg("--push");
    }
    if !flags.contains(&"--platform") {
        build.arg(samples::object("xdp_counter_v1").unwrap());
    }
    let built: Value = serde_json::from_str(&succeed(&mut build).unwrap().stdout).unwrap();
    built["digest"].as_str().unwrap().to_owned()
}

#[track_caller]
fn verify(author: &Author, reference: &str) -> RunOutput {
    let mut command = author.bpf_image();
    run(command.arg("verify").arg("--key").arg(author.public_key()).arg(reference)).unwrap()
}

/// `oras` on one place, a registry's or a layout's.
#[track_caller]
fn oras(program: &Path, verb: &[&str], reference: &str) -> RunOutput {
    let mut oras = Command::new(program);
    oras.args(verb);
    match reference.strip_prefix("oci:") {
        Some(layout) => oras.arg("--oci-layout").arg(layout),
        None => oras.arg("--plain-http").arg(reference),
    };
    succeed(&mut oras).unwrap()
}

/// `oras cp -r`.
#[track_caller]
fn oras_copy(program: &Path, from: &str, to: &str) {
    let mut oras = Command::new(program);
    oras.args(["cp", "-r"]);
    for (side, reference) in [("from", from), ("to", to)] {
        let kind = if reference.starts_with("oci:") { "oci-layout" } else { "plain-http" };
        oras.arg(format!("--{side}-{kind}"));
    }
    succeed(oras.args([from, to].map(|reference| reference.trim_start_matches("oci:")))).unwrap();
}

/// What skopeo calls the place.
fn skopeo_name(reference: &str) -> String {
    if reference.starts_with("oci:") {
        reference.to_owned()
    } else {
        format!("docker://{reference}")
    }
}

#[track_caller]
fn skopeo(program: &Path, arguments: &[&str], references: &[&str]) -> RunOutput {
    let mut skopeo = Command::new(program);
    skopeo.args(arguments);
    if references.len() == 1 {
        skopeo.arg("--tls-verify=false");
    } else {
        skopeo.args(["--src-tls-verify=false", "--dest-tls-verify=false"]);
    }
    succeed(skopeo.args(references.iter().map(|reference| skopeo_name(reference)))).unwrap()
}

/// The same artifact, signed, in a registry and in a layout.
#[track_caller]
fn in_both_places(author: &Author, registry: &Registry) -> [(String, String); 2] {
    [registry.reference("org/counter:v1"), author.layout("images")].map(|reference| {
        let digest = built(author, &reference, &[]);
        author.sign(&reference);
        (reference, digest)
    })
}

#[test]
fn oras_pulls_the_very_object() {
    let Some(program) = Peer::Oras.or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let object = samples::object("xdp_counter_v1").unwrap();
    for (reference, _) in in_both_places(&author, &registry) {
        let folder = tempfile::tempdir().unwrap();
        oras(&program, &["pull", "-o", folder.path().to_str().unwrap()], &reference);
        let files: Vec<PathBuf> =
            folder.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files, [folder.path().join("xdp_counter_v1.o")], "{reference}");
        let sums = succeed(Command::new("sha256sum").args([&files[0], &object])).unwrap();
        let digests: Vec<&str> = sums.stdout.lines().map(|line| &line[..64]).collect();
        assert_eq!(digests[0], digests[1], "{reference}");
        // The layer's digest is the file's sha256sum.
        oras(&program, &["manifest", "fetch"], &reference).assert_stdout_has(digests[1]);
    }
}

#[test]
fn oras_shows_the_artifact_and_its_signatures() {
    let Some(program) = Peer::Oras.or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    for (reference, digest) in in_both_places(&author, &registry) {
        let manifest = oras(&program, &["manifest", "fetch"], &reference).stdout;
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["artifactType"], "application/vnd.bpfimage.artifact.v1");
        assert_eq!(manifest["annotations"]["io.ebpf.programs"], r#"{"xdp_counter":"xdp"}"#);
        let config = oras(&program, &["manifest", "fetch-config"], &reference).stdout;
        let config: Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["object"]["programs"][0]["name"], "xdp_counter");

        let found = oras(&program, &["discover", "--format", "json"], &reference).stdout;
        let found: Value = serde_json::from_str(&found).unwrap();
        let signatures = found["manifests"].as_array().unwrap();
        assert_eq!(signatures.len(), 1, "{reference} {found}");
        assert_eq!(signatures[0]["artifactType"], BUNDLE);
        let tags = oras(&program, &["repo", "tags"], reference.strip_suffix(":v1").unwrap());
        tags.assert_stdout_has(&format!("{}.sig", digest.replace(':', "-")));
    }
}

#[test]
fn oras_copy_keeps_signatures() {
    let Some(program) = Peer::Oras.or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let [(remote, digest), (layout, _)] = in_both_places(&author, &registry);

    // Signed in a layout that names no repository, it counts wherever it goes.
    let copied = registry.reference("from/layout:v1");
    oras_copy(&program, &layout, &copied);
    verify(&author, &copied).assert_code(0).assert_stdout_has(&digest);
    verify(&Author::new(), &copied).assert_code(3).assert_stderr_has("an unknown key");

    // Signed in a registry, it counts there: here it was put aside and brought back.
    let aside = author.layout("aside");
    oras_copy(&program, &remote, &aside);
    verify(&author, &aside).assert_code(3).assert_stderr_has("the layout names none");
    let signature = oras(&program, &["discover", "--format", "json"], &remote).stdout;
    let signature: Value = serde_json::from_str(&signature).unwrap();
    let signature = signature["manifests"][0]["digest"].as_str().unwrap();
    let repository = remote.strip_suffix(":v1").unwrap();
    let legacy = format!("{}.sig", digest.replace(':', "-"));
    for gone in [format!("{repository}:{legacy}"), format!("{repository}@{signature}")] {
        oras(&program, &["manifest", "delete", "--force"], &gone);
    }
    verify(&author, &remote).assert_code(3);
    oras_copy(&program, &aside, &remote);
    verify(&author, &remote).assert_code(0);
}

#[test]
fn loader_runs_bare_object_that_oras_pushed() {
    if skip::without_root() {
        return;
    }
    let Some(program) = Peer::Oras.or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let reference = registry.reference("org/bare:v1");
    let object = samples::object("xdp_counter_v1").unwrap();
    succeed(
        Command::new(program)
            .args(["push", "--plain-http", &reference, "xdp_counter_v1.o"])
            .current_dir(object.parent().unwrap()),
    )
    .unwrap();
    let node = Node::trusting(&author, &registry.host());
    is_refused(&node, &reference, "no signature found");
    author.sign(&reference);
    counts_and_leaves_nothing(&node, &reference);
}

#[test]
fn skopeo_reads_both_forms() {
    let Some(program) = Peer::Skopeo.or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    for place in [
        registry.reference("org/counter"),
        format!("oci:{}", author.folder().join("images").display()),
    ] {
        let artifact = format!("{place}:artifact");
        built(&author, &artifact, &[]);
        let raw = skopeo(&program, &["inspect", "--raw"], &[&artifact]).stdout;
        let raw: Value = serde_json::from_str(&raw).unwrap();
        assert_eq!(raw["layers"][0]["mediaType"], "application/vnd.bpfimage.object.v1");
        let config = skopeo(&program, &["inspect", "--config", "--raw"], &[&artifact]).stdout;
        let config: Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["object"]["digest"], raw["layers"][0]["digest"]);

        let image = format!("{place}:image");
        let digest = built(&author, &image, &["--format", "image"]);
        let shown = skopeo(&program, &["inspect"], &[&image]).stdout;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["Digest"], *digest);
        assert_eq!((&shown["Os"], &shown["Architecture"]), (&"linux".into(), &"amd64".into()));
        assert_eq!(shown["Labels"]["io.ebpf.programs"], r#"{"xdp_counter":"xdp"}"#);
        assert_eq!(shown["Labels"]["io.ebpf.maps"], r#"{"packets":"per_cpu_array"}"#);
    }
}

#[test]
fn skopeo_copy_keeps_the_digest_of_every_form() {
    let Some(program) = Peer::Skopeo.or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let object = samples::object("xdp_counter_v1").unwrap();
    let [amd64, arm64] =
        ["amd64", "arm64"].map(|name| format!("linux/{name}={}", object.display()));
    let index = ["--platform", &amd64, "--platform", &arm64];
    let image_index = [&index[..], &["--format", "image"]].concat();
    let forms: [(&str, &[&str]); 4] = [
        ("artifact", &[]),
        ("image", &["--format", "image"]),
        ("index", &index),
        ("image-index", &image_index),
    ];
    for (form, flags) in forms {
        let digest = built(&author, &author.layout(form), flags);
        let remote = registry.reference(&format!("org/{form}:v1"));
        let back = author.layout(&format!("{form}-back"));
        for [from, to] in [[&author.layout(form), &remote], [&remote, &back]] {
            skopeo(&program, &["copy", "--all"], &[from, to]);
            let mut inspect = author.bpf_image();
            succeed(inspect.args(["inspect", "--object", "--platform", "linux/amd64", to]))
                .unwrap()
                .assert_stdout_has(&digest)
                .assert_stdout_has("compared with the object");
        }
    }
}

#[test]
fn we_read_the_image_form_after_skopeo_made_it_dockers() {
    let Some(program) = Peer::Skopeo.or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let author = Author::new();
    let layout = author.layout("image");
    built(&author, &layout, &["--format", "image"]);
    let remote = registry.reference("org/docker:v1");
    skopeo(&program, &["copy", "--format", "v2s2"], &[&layout, &remote]);
    skopeo(&program, &["inspect", "--raw"], &[&remote])
        .assert_stdout_has("application/vnd.docker.distribution.manifest.v2+json");
    succeed(author.bpf_image().args(["inspect", "--object", &remote]))
        .unwrap()
        .assert_stdout_has("compared with the object");
    if skip::without_root() {
        return;
    }
    let node = Node::trusting(&author, &registry.host());
    is_refused(&node, &remote, "no signature found");
    author.sign(&remote);
    counts_and_leaves_nothing(&node, &remote);
}

#[test]
fn skopeo_accepts_our_signature_by_its_policy_and_refuses_the_wrong_key() {
    let Some(program) = Peer::Skopeo.or_skip() else { return };
    let Some(registry) = Registry::or_skip() else { return };
    let (author, stranger) = (Author::new(), Author::new());
    let folder = tempfile::tempdir().unwrap();
    let lookaside =
        format!("docker:\n  {}:\n    use-sigstore-attachments: true\n", registry.host());
    std::fs::write(folder.path().join("signatures.yaml"), lookaside).unwrap();
    let copy = |key: &Author, reference: &str| {
        let rule = serde_json::json!([{
            "type": "sigstoreSigned",
            "keyPath": key.public_key(),
            "signedIdentity": { "type": "matchRepository" },
        }]);
        let policy = serde_json::json!({
            "default": [{ "type": "reject" }],
            "transports": { "docker": { registry.host(): rule } },
        });
        let file = folder.path().join("policy.json");
        std::fs::write(&file, policy.to_string()).unwrap();
        let mut skopeo = Command::new(&program);
        skopeo.arg("--policy").arg(file).arg("--registries.d").arg(folder.path());
        skopeo.args(["copy", "--remove-signatures", "--src-tls-verify=false"]);
        let target = format!("oci:{}", folder.path().join("copy").display());
        run(skopeo.args([&skopeo_name(reference), &target])).unwrap()
    };
    for (name, flags) in [("artifact", &[][..]), ("image", &["--format", "image"])] {
        let reference = registry.reference(&format!("org/{name}:v1"));
        built(&author, &reference, flags);
        copy(&author, &reference).assert_code(1).assert_stderr_has("no signature exists");
        author.sign(&reference);
        copy(&author, &reference).assert_code(0);
        copy(&stranger, &reference).assert_code(1).assert_stderr_has("verification failed");
    }
}
