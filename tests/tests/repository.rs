//! Repositories against a real registry, and against oras and skopeo as readers and writers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::process::Command;

use bpf_image::registry::Access;
use bpf_image::repository::{Fault, Repository, RepositoryError};
use bpf_image_spec::oci::{Descriptor, Document, ImageIndex, Manifest};
use bpf_image_spec::{Digest, Reference, media_type};
use bpf_image_tests::peers::Peer;
use bpf_image_tests::registry::Registry;
use bpf_image_tests::{run, skip, succeed};

const ARTIFACT: &str = "application/vnd.example.test";

fn registry() -> Option<Registry> {
    Registry::start().inspect_err(|error| skip::because(error)).ok()
}

fn open(reference: &str) -> (Reference, Repository) {
    let reference: Reference = reference.parse().unwrap();
    let repository = Repository::create(&reference, &Access::default()).unwrap();
    (reference, repository)
}

/// One layer and one manifest for it, stored without a tag unless one is given.
async fn put_image(
    repository: &Repository,
    content: &[u8],
    tag: Option<&str>,
    subject: Option<Descriptor>,
) -> (Vec<u8>, Manifest) {
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::OCI_MANIFEST.into()),
        artifact_type: Some(ARTIFACT.into()),
        config: repository.put_blob(media_type::OCI_EMPTY, b"{}").await.unwrap(),
        layers: vec![repository.put_blob("application/octet-stream", content).await.unwrap()],
        subject,
        annotations: [("note".to_owned(), "x".to_owned())].into(),
    };
    let bytes = manifest.to_json();
    if manifest.subject.is_some() {
        repository.put_referrer(&bytes).await.unwrap();
    } else {
        repository.put_manifest(media_type::OCI_MANIFEST, &bytes, tag).await.unwrap();
    }
    (bytes, manifest)
}

/// Everything that a repository does, which is the same for both kinds.
async fn round_trip(place: &str) {
    let (reference, repository) = open(&format!("{place}:v1"));
    assert_eq!(repository.tagged("v1").await.unwrap(), None);
    let (amd64, manifest) = put_image(&repository, b"amd64", None, None).await;
    let (arm64, _) = put_image(&repository, b"arm64", None, None).await;
    let entries = [&amd64, &arm64];
    let index = ImageIndex {
        schema_version: 2,
        media_type: Some(media_type::OCI_INDEX.into()),
        artifact_type: None,
        manifests: entries.map(|b| Descriptor::of(media_type::OCI_MANIFEST, b)).into(),
        annotations: [].into(),
    };
    let bytes = index.to_json();
    let digest = repository.put_manifest(media_type::OCI_INDEX, &bytes, Some("v1")).await.unwrap();
    let fetched = repository.resolve(&reference).await.unwrap();
    assert_eq!((fetched.bytes(), fetched.digest()), (&bytes[..], digest));
    assert_eq!(fetched.media_type(), media_type::OCI_INDEX);
    assert_eq!(fetched.document().unwrap(), Document::Index(index));
    let child = repository.manifest(Digest::of(&amd64), 1 << 20).await.unwrap();
    assert_eq!(child.bytes(), amd64);
    assert_eq!(repository.blob(&manifest.layers[0], 100).await.unwrap(), b"amd64");

    assert_eq!(repository.referrers(digest, 32).await.unwrap(), []);
    let subject = fetched.descriptor();
    let mut expected = Vec::new();
    for content in [b"signature 1", b"signature 2"] {
        let (bytes, _) = put_image(&repository, content, None, Some(subject.clone())).await;
        repository.put_referrer(&bytes).await.unwrap();
        expected.push(Digest::of(&bytes));
    }
    let found = repository.referrers(digest, 32).await.unwrap();
    assert_eq!(found.iter().map(|d| d.digest).collect::<Vec<_>>(), expected);
    assert_eq!(found[0].artifact_type.as_deref(), Some(ARTIFACT));
    assert_eq!(found[0].annotations["note"], "x");

    let legacy = format!("sha256-{}.sig", digest.hex());
    let manifest = Some(&*legacy);
    repository.put_manifest(media_type::OCI_MANIFEST, &amd64, manifest).await.unwrap();
    assert_eq!(repository.tagged(&legacy).await.unwrap().unwrap().bytes(), amd64);
    let tags = repository.tags().await.unwrap();
    assert!(tags.contains(&legacy) && tags.contains(&"v1".to_owned()), "{tags:?}");
    let missing: Reference = format!("{place}:v2").parse().unwrap();
    let error = repository.resolve(&missing).await.unwrap_err();
    assert!(matches!(error, RepositoryError::NoTag { .. }), "{error}");
}

#[tokio::test]
async fn registry_round_trip() {
    let Some(registry) = registry() else { return };
    round_trip(&registry.reference("org/counter")).await;
    let error = open(&registry.reference("org/none")).1.tags().await.unwrap_err();
    assert!(matches!(error, RepositoryError::NoRepository { .. }), "{error}");
}

#[tokio::test]
async fn layout_round_trip() {
    let dir = tempfile::tempdir().unwrap();
    round_trip(&format!("oci:{}", dir.path().join("images").display())).await;
}

#[tokio::test]
async fn refuses_blob_that_was_changed_or_truncated_in_the_registrys_storage() {
    let Some(registry) = registry() else { return };
    let (reference, repository) = open(&registry.reference("org/counter:v1"));
    let (bytes, manifest) = put_image(&repository, b"content", Some("v1"), None).await;
    let layer = &manifest.layers[0];
    let file = registry.blob_file(&layer.digest.to_string());
    std::fs::write(&file, "CONTENT").unwrap();
    let error = repository.blob(layer, 100).await.unwrap_err();
    assert!(matches!(error, RepositoryError::WrongDigest { .. }), "{error}");
    std::fs::write(&file, "cont").unwrap();
    let error = repository.blob(layer, 100).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Truncated { .. }), "{error}");
    assert_eq!(error.fault(), Fault::Image);
    // The registry itself may notice a changed manifest.
    let changed = String::from_utf8(bytes.clone()).unwrap().replace("\"x\"", "\"y\"");
    std::fs::write(registry.blob_file(&Digest::of(&bytes).to_string()), changed).unwrap();
    let pinned = format!("{reference}@{}", Digest::of(&bytes)).parse().unwrap();
    assert!(repository.resolve(&pinned).await.is_err());
}

#[tokio::test]
async fn login_goes_to_a_registry_that_was_named_for_plain_http_and_to_no_other() {
    let registry = match Registry::start_with_login() {
        Ok(registry) => registry,
        Err(error) => return skip::because(error),
    };
    let dir = tempfile::tempdir().unwrap();
    registry.write_docker_config(dir.path()).unwrap();
    let reference: Reference = registry.reference("org/counter:v1").parse().unwrap();
    let mut access = Access::new(vec![registry.host()]);
    access.auth_file = Some(dir.path().join("config.json"));
    let named = Repository::create(&reference, &access).unwrap();
    put_image(&named, b"content", Some("v1"), None).await;
    named.resolve(&reference).await.unwrap();

    access.plain_http.clear();
    let unnamed = Repository::open(&reference, &access).unwrap();
    let error = unnamed.resolve(&reference).await.unwrap_err();
    assert!(matches!(error, RepositoryError::PlainHttpLogin { .. }), "{error}");

    let mut access = Access::new(vec![registry.host()]);
    access.auth_file = Some(dir.path().join("none.json"));
    let anonymous = Repository::open(&reference, &access).unwrap();
    let error = anonymous.resolve(&reference).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Unauthorized { sent: false, .. }), "{error}");
}

fn oras(program: &Path, place: &str, arguments: &[&str]) -> Command {
    let mut oras = Command::new(program);
    oras.args(arguments);
    if place.starts_with('/') {
        oras.arg("--oci-layout");
    } else {
        oras.arg("--plain-http");
    }
    oras
}

/// `place` is what oras takes: a registry's repository or a layout's path.
async fn oras_and_we_read_each_other(program: &Path, place: &str, ours: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (reference, repository) = open(&format!("{ours}:v1"));
    let (bytes, _) = put_image(&repository, b"content", Some("v1"), None).await;
    let subject = Descriptor::of(media_type::OCI_MANIFEST, &bytes);
    let (signature, _) = put_image(&repository, b"signature", None, Some(subject)).await;
    let digest = Digest::of(&bytes);
    let v1 = format!("{place}:v1");
    let fetched =
        succeed(oras(program, place, &["manifest", "fetch", &v1]).arg("--descriptor")).unwrap();
    assert!(fetched.stdout.contains(&digest.to_string()), "{fetched:?}");
    succeed(oras(program, place, &["pull", &v1]).arg("-o").arg(folder.path())).unwrap();
    let found = succeed(&mut oras(program, place, &["discover", &v1])).unwrap();
    assert!(found.stdout.contains(&Digest::of(&signature).to_string()), "{found:?}");

    std::fs::write(folder.path().join("blob"), "pushed").unwrap();
    let v2 = format!("{place}:v2");
    let push = ["push", "--artifact-type", ARTIFACT, &v2, "blob"];
    succeed(oras(program, place, &push).current_dir(folder.path())).unwrap();
    let attach = ["attach", "--artifact-type", ARTIFACT, &v2, "blob"];
    succeed(oras(program, place, &attach).current_dir(folder.path())).unwrap();
    // Ours must survive oras' writing, and be there beside what we add to its.
    assert_eq!(repository.resolve(&reference).await.unwrap().digest(), digest);
    assert_eq!(repository.referrers(digest, 9).await.unwrap().len(), 1);
    let theirs = repository.tagged("v2").await.unwrap().unwrap();
    assert_eq!(repository.referrers(theirs.digest(), 9).await.unwrap().len(), 1);
    put_image(&repository, b"signature", None, Some(theirs.descriptor())).await;
    assert_eq!(repository.referrers(theirs.digest(), 9).await.unwrap().len(), 2);
    let found = succeed(&mut oras(program, place, &["discover", &v2])).unwrap();
    assert_eq!(found.stdout.matches("sha256:").count(), 3, "{found:?}");
    let Document::Manifest(manifest) = theirs.document().unwrap() else { panic!("no manifest") };
    assert_eq!(repository.blob(&manifest.layers[0], 100).await.unwrap(), b"pushed");
}

#[tokio::test]
async fn oras_and_we_read_each_other_in_a_registry() {
    let Some(program) = Peer::Oras.or_skip() else { return };
    let Some(registry) = registry() else { return };
    let place = registry.reference("org/counter");
    oras_and_we_read_each_other(&program, &place, &place).await;
}

#[tokio::test]
async fn oras_and_we_read_each_other_in_a_layout() {
    let Some(program) = Peer::Oras.or_skip() else { return };
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("images").display().to_string();
    oras_and_we_read_each_other(&program, &place, &format!("oci:{place}")).await;
}

#[tokio::test]
async fn skopeo_reads_our_layout_and_registry_and_we_its_copies() {
    let Some(skopeo) = Peer::Skopeo.or_skip() else { return };
    let Some(registry) = registry() else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("oci:{}", dir.path().join(name).display());
    let (_, repository) = open(&at("ours"));
    let (bytes, _) = put_image(&repository, b"content", Some("v1"), None).await;
    let digest = Digest::of(&bytes);
    let skopeo_run = |arguments: &[&str]| {
        let mut command = Command::new(&skopeo);
        run(command.arg("--insecure-policy").args(arguments)).unwrap()
    };
    for reference in [at("ours"), format!("{}:v1", at("ours"))] {
        let raw = skopeo_run(&["inspect", "--raw", &reference]);
        assert_eq!(raw.assert_code(0).stdout.trim(), String::from_utf8_lossy(&bytes));
    }
    let remote = registry.reference("org/counter:v1");
    let docker = format!("docker://{remote}");
    skopeo_run(&["copy", "--dest-tls-verify=false", &format!("{}:v1", at("ours")), &docker])
        .assert_code(0);
    let (reference, pushed) = open(&remote);
    assert_eq!(pushed.resolve(&reference).await.unwrap().digest(), digest);
    // skopeo writes whatever name it was given.
    for name in ["", ":v1", ":r.example/org/counter:v1"] {
        let target = format!("{}{name}", at("theirs"));
        skopeo_run(&["copy", "--src-tls-verify=false", &docker, &target]).assert_code(0);
        let (_, copy) = open(&at("theirs"));
        let tag = if name.is_empty() { "" } else { ":v1" };
        let reference: Reference = format!("{}{tag}", at("theirs")).parse().unwrap();
        let fetched = copy.resolve(&reference).await.unwrap();
        assert_eq!(fetched.digest(), digest);
        let origin = fetched.origin().map(bpf_image_spec::RegistryReference::scope);
        assert_eq!(origin.is_some(), name.contains("example"), "{name} {origin:?}");
        std::fs::remove_dir_all(dir.path().join("theirs")).unwrap();
    }
}
