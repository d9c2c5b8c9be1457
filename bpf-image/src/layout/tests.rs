//! Layouts in temporary directories, as we and as other tools write them, whole and attacked.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use bpf_image_spec::oci::{ImageIndex, Manifest};
use tempfile::TempDir;

use super::*;

struct Fixture {
    dir: TempDir,
    layout: Layout,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::create(dir.path()).unwrap();
    Fixture { dir, layout }
}

fn manifest(note: &str, subject: Option<Descriptor>) -> Vec<u8> {
    Manifest {
        schema_version: 2,
        media_type: Some(media_type::OCI_MANIFEST.into()),
        artifact_type: Some("application/x.test".into()),
        config: Descriptor::of(media_type::OCI_EMPTY, b"{}"),
        layers: vec![],
        subject,
        annotations: Annotations::from([("note".into(), note.into())]),
    }
    .to_json()
}

fn index_of(manifests: &[&[u8]]) -> Vec<u8> {
    let describe = |bytes: &&[u8]| Descriptor::of(media_type::OCI_MANIFEST, bytes);
    ImageIndex {
        schema_version: 2,
        media_type: Some(media_type::OCI_INDEX.into()),
        artifact_type: None,
        manifests: manifests.iter().map(describe).collect(),
        annotations: Annotations::new(),
    }
    .to_json()
}

impl Fixture {
    fn put(&self, bytes: &[u8], tag: Option<&str>) -> Digest {
        self.layout.put_manifest(media_type::OCI_MANIFEST, bytes, tag, None).unwrap()
    }

    fn put_referrer(&self, note: &str, subject: &[u8]) -> Digest {
        let subject = Descriptor::of(media_type::OCI_MANIFEST, subject);
        let bytes = manifest(note, Some(subject));
        let Ok(Document::Manifest(document)) = Document::from_json(&bytes) else { panic!() };
        let descriptor = referrer_descriptor(&bytes, *document);
        self.layout.put_referrer(&bytes, &descriptor).unwrap();
        descriptor.digest
    }

    fn blob_path(&self, digest: Digest) -> PathBuf {
        blobs::path(self.dir.path(), digest)
    }

    fn set_index(&self, manifests: &serde_json::Value) {
        let index = serde_json::json!({ "schemaVersion": 2, "manifests": manifests });
        std::fs::write(self.dir.path().join("index.json"), index.to_string()).unwrap();
    }

    fn resolved(&self, tag: Option<&str>) -> Digest {
        self.layout.resolve(tag, None).unwrap().digest()
    }
}

#[test]
fn round_trips() {
    let f = fixture();
    let blob = f.layout.put_blob("application/x", b"content").unwrap();
    assert_eq!(f.layout.blob(&blob).unwrap(), b"content");
    let bytes = manifest("a", None);
    let digest = f.put(&bytes, Some("v1"));
    let fetched = f.layout.resolve(Some("v1"), None).unwrap();
    assert_eq!((fetched.digest(), fetched.bytes()), (digest, &bytes[..]));
    assert_eq!(fetched.media_type(), media_type::OCI_MANIFEST);
    assert_eq!(f.layout.manifest(digest, MANIFEST_MAX).unwrap().bytes(), bytes);
    assert_eq!(f.layout.tags().unwrap(), ["v1"]);
    assert_eq!(f.layout.tagged("v2").unwrap(), None);
    let again = Layout::open(f.dir.path()).unwrap();
    assert_eq!(again, Layout::create(f.dir.path()).unwrap());
    assert!(again.scope().starts_with("oci:/"));
}

#[test]
fn files_get_the_mode_that_the_umask_allows() {
    let f = fixture();
    let blob = f.layout.put_blob("x", b"content").unwrap();
    let mode = f.blob_path(blob.digest).metadata().unwrap().mode();
    assert_eq!(mode & 0o600, 0o600);
    assert_eq!(mode & 0o111, 0);
    let probe = f.dir.path().join("probe");
    std::fs::write(&probe, "").unwrap();
    assert_eq!(mode, probe.metadata().unwrap().permissions().mode());
}

#[test]
fn tag_moves_and_the_old_image_stays_reachable_by_digest() {
    let f = fixture();
    let old = f.put(&manifest("old", None), Some("v1"));
    let new = f.put(&manifest("new", None), Some("v1"));
    assert_eq!(f.resolved(Some("v1")), new);
    assert_eq!(f.resolved(None), new);
    assert_eq!(f.layout.tags().unwrap(), ["v1"]);
    assert!(f.layout.resolve(Some("v1"), Some(old)).is_ok());
    let listed: Vec<_> = f.layout.entries().unwrap().iter().map(|e| e.digest).collect();
    assert_eq!(listed, [old, new]);
}

#[test]
fn one_image_is_found_without_a_tag_among_its_children_and_signatures() {
    let f = fixture();
    assert!(matches!(f.layout.resolve(None, None), Err(RepositoryError::NoImage { .. })));
    let (a, b) = (manifest("amd64", None), manifest("arm64", None));
    f.put(&a, None);
    f.put(&b, None);
    assert!(matches!(f.layout.resolve(None, None), Err(RepositoryError::SeveralImages { .. })));
    let index = index_of(&[&a, &b]);
    let digest = f.put(&index, None);
    f.put_referrer("signature", &index);
    f.put(&manifest("legacy", None), Some(&format!("sha256-{}.sig", digest.hex())));
    assert_eq!(f.resolved(None), digest);
    let listed: Vec<_> = f.layout.entries().unwrap().iter().map(|e| e.digest).collect();
    assert!(!listed.contains(&Digest::of(&a)) && !listed.contains(&Digest::of(&b)));
    // The same image under two tags is still one image.
    f.put(&index, Some("v1"));
    f.put(&index, Some("latest"));
    assert_eq!(f.resolved(None), digest);
    f.put(&a, Some("amd64"));
    let Err(RepositoryError::SeveralImages { names, .. }) = f.layout.resolve(None, None) else {
        panic!("found one image of two")
    };
    assert_eq!(names, ["v1", "latest", "amd64"]);
}

#[test]
fn children_that_oras_lists_do_not_count_as_images() {
    let f = fixture();
    let (a, b) = (manifest("amd64", None), manifest("arm64", None));
    let index = index_of(&[&a, &b]);
    for bytes in [&a, &b, &index] {
        f.layout.put_blob("x", bytes).unwrap();
    }
    let list = [
        Descriptor::of(media_type::OCI_MANIFEST, &a),
        Descriptor::of(media_type::OCI_INDEX, &index),
        Descriptor::of(media_type::OCI_MANIFEST, &b),
    ];
    f.set_index(&serde_json::to_value(list).unwrap());
    assert_eq!(f.resolved(None), Digest::of(&index));
}

#[test]
fn full_references_are_found_by_their_tag_and_tell_the_origin() {
    let f = fixture();
    let (a, b) = (manifest("a", None), manifest("b", None));
    for bytes in [&a, &b] {
        f.layout.put_blob("x", bytes).unwrap();
    }
    let entry = |bytes: &[u8], name: &str| {
        let mut entry = Descriptor::of(media_type::OCI_MANIFEST, bytes);
        entry.annotations.insert(bpf_image_spec::label::OCI_REF_NAME.into(), name.into());
        serde_json::to_value(entry).unwrap()
    };
    f.set_index(&serde_json::json!([entry(&a, "r.example/org/a:v1")]));
    let fetched = f.layout.resolve(Some("v1"), None).unwrap();
    assert_eq!(fetched.origin().unwrap().scope(), "r.example/org/a");
    f.set_index(&serde_json::json!([entry(&a, "r.example/a:v1"), entry(&b, "r.example/b:v1")]));
    assert!(matches!(
        f.layout.resolve(Some("v1"), None),
        Err(RepositoryError::SeveralImages { .. })
    ));
    f.set_index(&serde_json::json!([entry(&a, "r.example/a:v1"), entry(&b, "v1")]));
    assert_eq!(f.resolved(Some("v1")), Digest::of(&b));
}

#[test]
fn a_copy_keeps_its_origin_until_the_tag_moves() {
    let f = fixture();
    let origin = "r.example/org/a:v1".parse().unwrap();
    let bytes = manifest("a", None);
    let put = |origin| f.layout.put_manifest(media_type::OCI_MANIFEST, &bytes, Some("v1"), origin);
    let digest = put(Some(&origin)).unwrap();
    assert_eq!(f.layout.resolve(Some("v1"), None).unwrap().origin(), Some(&origin));
    assert_eq!(f.layout.resolve(None, Some(digest)).unwrap().origin(), Some(&origin));
    put(None).unwrap();
    assert_eq!(f.layout.resolve(None, Some(digest)).unwrap().origin(), None);
}

#[test]
fn referrers_are_those_of_the_subject() {
    let f = fixture();
    let (a, b) = (manifest("a", None), manifest("b", None));
    f.put(&a, Some("a"));
    f.put(&b, Some("b"));
    let one = f.put_referrer("1", &a);
    let two = f.put_referrer("2", &a);
    f.put_referrer("2", &a);
    f.put_referrer("3", &b);
    let found = f.layout.referrers(Digest::of(&a), 32).unwrap();
    assert_eq!(found.iter().map(|d| d.digest).collect::<Vec<_>>(), [one, two]);
    assert_eq!(found[0].artifact_type.as_deref(), Some("application/x.test"));
    assert_eq!(found[0].annotations["note"], "1");
    assert_eq!(f.layout.referrers(Digest::of(&a), 1).unwrap().len(), 1);
    assert_eq!(f.layout.referrers(Digest::of(b"none"), 32).unwrap(), []);
}

#[test]
fn fallback_index_copied_from_a_registry_is_read() {
    let f = fixture();
    let image = manifest("a", None);
    let index = index_of(&[b"signature"]);
    f.put(&index, Some(&format!("sha256-{}", Digest::of(&image).hex())));
    let found = f.layout.referrers(Digest::of(&image), 32).unwrap();
    assert_eq!(found.iter().map(|d| d.digest).collect::<Vec<_>>(), [Digest::of(b"signature")]);
}

#[test]
fn broken_referrer_hides_no_other() {
    let f = fixture();
    let image = manifest("a", None);
    let bad = f.put_referrer("bad", &image);
    let good = f.put_referrer("good", &image);
    std::fs::write(f.blob_path(bad), "{").unwrap();
    let found = f.layout.referrers(Digest::of(&image), 32).unwrap();
    assert_eq!(found.iter().map(|d| d.digest).collect::<Vec<_>>(), [good]);
}

#[test]
fn refuses_changed_blob() {
    let f = fixture();
    let blob = f.layout.put_blob("x", b"content").unwrap();
    std::fs::write(f.blob_path(blob.digest), "CONTENT").unwrap();
    let error = f.layout.blob(&blob).unwrap_err();
    assert!(matches!(error, RepositoryError::WrongDigest { .. }), "{error}");
    assert_eq!(error.fault(), crate::repository::Fault::Image);
    // Storing it again repairs it.
    f.layout.put_blob("x", b"content").unwrap();
    assert_eq!(f.layout.blob(&blob).unwrap(), b"content");
}

#[test]
fn refuses_changed_manifest() {
    let f = fixture();
    let digest = f.put(&manifest("a", None), Some("v1"));
    std::fs::write(f.blob_path(digest), manifest("b", None)).unwrap();
    let error = f.layout.resolve(Some("v1"), None).unwrap_err();
    assert!(matches!(error, RepositoryError::WrongDigest { expected, .. } if expected == digest));
}

#[test]
fn refuses_truncated_and_overlong_blob() {
    let f = fixture();
    let blob = f.layout.put_blob("x", b"content").unwrap();
    std::fs::write(f.blob_path(blob.digest), "cont").unwrap();
    assert!(matches!(f.layout.blob(&blob), Err(RepositoryError::Truncated { found: 4, .. })));
    std::fs::write(f.blob_path(blob.digest), "content and more").unwrap();
    assert!(matches!(f.layout.blob(&blob), Err(RepositoryError::TooLong { expected: 7, .. })));
}

#[test]
fn refuses_manifest_and_index_over_4_mib() {
    let f = fixture();
    let huge = vec![b' '; MANIFEST_MAX + 1];
    let blob = f.layout.put_blob("x", &huge).unwrap();
    let read = f.layout.manifest(blob.digest, usize::MAX);
    assert!(matches!(read, Err(RepositoryError::TooLarge { .. })));
    std::fs::write(f.dir.path().join("index.json"), &huge).unwrap();
    assert!(matches!(f.layout.tags(), Err(RepositoryError::TooLarge { .. })));
}

#[test]
fn refuses_links_devices_and_fifos_in_place_of_blobs() {
    let f = fixture();
    let secret = f.dir.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let blob = Descriptor::of("x", b"secret");
    let path = f.blob_path(blob.digest);
    symlink(&secret, &path).unwrap();
    assert!(matches!(f.layout.blob(&blob), Err(RepositoryError::NotPlain { .. })));
    std::fs::remove_file(&path).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR).unwrap();
    assert!(matches!(f.layout.blob(&blob), Err(RepositoryError::NotPlain { .. })));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(f.layout.blob(&blob), Err(RepositoryError::NotPlain { .. })));
}

#[test]
fn refuses_blob_directory_that_leads_elsewhere() {
    let elsewhere = tempfile::tempdir().unwrap();
    for link in ["blobs", "blobs/sha256"] {
        let f = fixture();
        let path = f.dir.path().join(link);
        std::fs::remove_dir_all(&path).unwrap();
        symlink(elsewhere.path(), &path).unwrap();
        let opened = Layout::open(f.dir.path());
        assert!(matches!(opened, Err(RepositoryError::NotPlain { .. })), "{link}");
    }
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0);
}

#[test]
fn index_that_is_a_link_is_not_followed() {
    let f = fixture();
    let target = f.dir.path().join("target");
    std::fs::write(&target, "mine").unwrap();
    let index = f.dir.path().join("index.json");
    std::fs::remove_file(&index).unwrap();
    symlink(&target, &index).unwrap();
    let put = f.layout.put_manifest(media_type::OCI_MANIFEST, &manifest("a", None), None, None);
    assert!(matches!(put, Err(RepositoryError::NotPlain { .. })));
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
}

#[test]
fn refuses_what_is_no_layout_and_leaves_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    let open = Layout::open(dir.path());
    assert!(matches!(open, Err(RepositoryError::NotALayout { .. })));
    assert!(Layout::open(&dir.path().join("missing")).is_err());
    std::fs::write(dir.path().join("thesis.tex"), "").unwrap();
    let create = Layout::create(dir.path());
    assert!(matches!(create, Err(RepositoryError::NotEmpty { .. })));
    assert_eq!(dir.path().read_dir().unwrap().count(), 1);
    std::fs::write(dir.path().join("oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
    assert!(matches!(Layout::create(dir.path()), Err(RepositoryError::NotALayout { .. })));
}

#[test]
fn refuses_tag_outside_the_grammar() {
    let f = fixture();
    for tag in ["", "../v1", "a b", "-x", "a/b"] {
        let put =
            f.layout.put_manifest(media_type::OCI_MANIFEST, &manifest("a", None), Some(tag), None);
        assert!(matches!(put, Err(RepositoryError::BadTag { .. })), "{tag}");
    }
}

#[test]
fn foreign_fields_survive_a_write() {
    let f = fixture();
    f.set_index(&serde_json::json!([{ "digest": "sha512:00", "urls": ["x"] }]));
    f.put(&manifest("a", None), Some("v1"));
    let index = std::fs::read(f.dir.path().join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    assert_eq!(index["manifests"][0]["urls"][0], "x");
    assert_eq!(f.layout.tags().unwrap(), ["v1"]);
}

#[test]
fn writers_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let dir = dir.path();
            scope.spawn(move || {
                let layout = Layout::create(dir).unwrap();
                for n in 0..4 {
                    let bytes = manifest(&format!("{writer}-{n}"), None);
                    let tag = format!("t{writer}-{n}");
                    layout
                        .put_manifest(media_type::OCI_MANIFEST, &bytes, Some(&tag), None)
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(Layout::open(dir.path()).unwrap().tags().unwrap().len(), 32);
}
