//! Many signatures beside one image, by many signers and by those who want to hide one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the message")]

use std::collections::BTreeMap;

use bpf_image::pipeline;
use bpf_image::registry::Access;
use bpf_image::repository::Repository;
use bpf_image::verbs::VerbError;
use bpf_image::verbs::copy::{CopyRequest, pull};
use bpf_image::verbs::sign::{SignRequest, sign};
use bpf_image_signing::verify::{Refusal, Verdict, verify_with_key};
use bpf_image_signing::{KeyType, PrivateKey, legacy};
use bpf_image_spec::oci::{Annotations, Descriptor, Document, Manifest};
use bpf_image_spec::{Digest, Reference, media_type};
use tempfile::TempDir;

/// A layout with one image, `v1`.
struct Image {
    folder: TempDir,
    digest: Digest,
}

impl Image {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let reference = format!("oci:{}:v1", folder.path().join("images").display());
        let layout = Repository::create(&reference.parse().unwrap(), &Access::default()).unwrap();
        let config = layout.put_blob("application/x", b"{}").await.unwrap();
        let layer = layout.put_blob("application/x", b"content").await.unwrap();
        let bytes = manifest(config, vec![layer]).to_json();
        let digest =
            layout.put_manifest(media_type::OCI_MANIFEST, &bytes, Some("v1")).await.unwrap();
        Self { folder, digest }
    }

    fn reference(&self) -> Reference {
        format!("oci:{}:v1", self.folder.path().join("images").display()).parse().unwrap()
    }

    fn layout(&self) -> Repository {
        Repository::open(&self.reference(), &Access::default()).unwrap()
    }

    /// Those who are to sign it.
    fn signers(&self, count: usize) -> Vec<SignRequest> {
        let signer = |_| SignRequest {
            reference: self.reference(),
            key: PrivateKey::generate(KeyType::Ed25519).unwrap(),
            annotations: BTreeMap::new(),
            access: Access::default(),
        };
        (0..count).map(signer).collect()
    }

    async fn verify(&self, SignRequest { key, .. }: &SignRequest) -> Result<Verdict, Refusal> {
        let layout = self.layout();
        let resolved = pipeline::resolve(&layout, &self.reference()).await.unwrap();
        let found = pipeline::candidates(&layout, self.digest).await.unwrap();
        verify_with_key(key.public_key(), resolved.requested(), self.digest, &found)
    }

    fn tag(&self) -> String {
        format!("sha256-{}.sig", self.digest.hex())
    }

    async fn legacy_layers(&self) -> Vec<Descriptor> {
        let fetched = self.layout().tagged(&self.tag()).await.unwrap().unwrap();
        let Ok(Document::Manifest(manifest)) = fetched.document() else { panic!("no manifest") };
        manifest.layers
    }

    async fn bundles(&self) -> usize {
        self.layout().referrers(self.digest, 1000).await.unwrap().len()
    }
}

fn manifest(config: Descriptor, layers: Vec<Descriptor>) -> Manifest {
    Manifest {
        schema_version: 2,
        media_type: Some(media_type::OCI_MANIFEST.to_owned()),
        artifact_type: None,
        config,
        layers,
        subject: None,
        annotations: Annotations::new(),
    }
}

#[tokio::test]
async fn many_signers_do_not_crowd_out_the_first_or_the_last() {
    let image = Image::new().await;
    let keys = image.signers(33);
    for key in &keys {
        sign(key).await.unwrap();
        image.verify(key).await.unwrap();
    }
    assert_eq!((image.legacy_layers().await.len(), image.bundles().await), (33, 33));
    let verdict = image.verify(&keys[0]).await.unwrap();
    assert_eq!(verdict.outcomes().len(), 34, "32 judged, and a line for each storage");
    let left: Vec<_> = verdict.outcomes()[32..].iter().map(ToString::to_string).collect();
    let reason = "not looked at: at most 32 candidates are";
    assert_eq!(left[0], format!("17 more layers of {}: {reason}", image.tag()));
    assert_eq!(left[1], format!("17 more referrers: {reason}"));
    image.verify(&keys[32]).await.unwrap();
}

#[tokio::test]
async fn storage_that_is_alone_has_the_whole_limit() {
    let image = Image::new().await;
    let key = &image.signers(1)[0];
    let layout = image.layout();
    sign(key).await.unwrap();
    // Twenty layers of others behind the only one that counts, and no bundles.
    let mut layers = image.legacy_layers().await;
    for number in 0..20 {
        let payload = format!("{number}");
        let other = layout.put_blob(media_type::SIMPLE_SIGNING, payload.as_bytes());
        let annotation = (legacy::SIGNATURE_ANNOTATION.to_owned(), "AAAA".to_owned());
        layers.push(Descriptor {
            annotations: Annotations::from([annotation]),
            ..other.await.unwrap()
        });
    }
    put_legacy(&image, layers).await;
    image.verify(key).await.unwrap();
}

#[tokio::test]
async fn signing_again_adds_nothing_however_many_have_signed() {
    let image = Image::new().await;
    let keys = image.signers(40);
    for key in &keys {
        assert!(!sign(key).await.unwrap().signed[0].already);
    }
    for key in [&keys[0], &keys[20], &keys[39]] {
        assert!(sign(key).await.unwrap().signed[0].already);
    }
    assert_eq!((image.legacy_layers().await.len(), image.bundles().await), (40, 40));
}

#[tokio::test]
async fn signing_with_other_words_adds_a_signature() {
    let image = Image::new().await;
    let mut request = image.signers(1).remove(0);
    sign(&request).await.unwrap();
    request.annotations.insert("a".to_owned(), "b".to_owned());
    assert!(!sign(&request).await.unwrap().signed[0].already);
    assert!(sign(&request).await.unwrap().signed[0].already);
    assert_eq!((image.legacy_layers().await.len(), image.bundles().await), (2, 2));
}

async fn put_legacy(image: &Image, layers: Vec<Descriptor>) {
    let layout = image.layout();
    let config = layout.put_blob(media_type::OCI_IMAGE_CONFIG, b"{}").await.unwrap();
    let bytes = manifest(config, layers).to_json();
    layout.put_manifest(media_type::OCI_MANIFEST, &bytes, Some(&image.tag())).await.unwrap();
}

#[tokio::test]
async fn full_storage_is_neither_replaced_nor_added_to() {
    let image = Image::new().await;
    let key = &image.signers(1)[0];
    let layer = Descriptor::of(media_type::SIMPLE_SIGNING, b"somebody's");
    put_legacy(&image, vec![layer; 256]).await;
    let error = sign(key).await.unwrap_err();
    assert!(matches!(error, VerbError::TooManySignatures { max: 256, .. }), "{error}");
    assert!(error.advice().hint.is_some());
    assert_eq!((image.legacy_layers().await.len(), image.bundles().await), (256, 0));
}

#[tokio::test]
async fn something_else_under_the_tag_of_signatures_stays() {
    let image = Image::new().await;
    let index = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let layout = image.layout();
    let digest =
        layout.put_manifest(media_type::OCI_INDEX, index, Some(&image.tag())).await.unwrap();
    let error = sign(&image.signers(1)[0]).await.unwrap_err();
    assert!(matches!(error, VerbError::NotSignatures { .. }), "{error}");
    assert_eq!(layout.tagged(&image.tag()).await.unwrap().unwrap().digest(), digest);
    assert_eq!(image.bundles().await, 0);
}

#[tokio::test]
async fn pull_that_fails_takes_away_the_layout_that_it_made() {
    let image = Image::new().await;
    sign(&image.signers(1)[0]).await.unwrap();
    let broken = Digest::of(b"content");
    let blob = image.folder.path().join("images/blobs/sha256").join(broken.hex());
    std::fs::write(&blob, "CONTENT").unwrap();
    let copy = |name: &str| {
        let target = format!("oci:{}", image.folder.path().join(name).display());
        pull(CopyRequest {
            source: image.reference(),
            target: target.parse().unwrap(),
            access: Access::default(),
        })
    };
    let error = copy("new").await.unwrap_err();
    assert!(matches!(error, VerbError::Repository(_)), "{error}");
    assert!(!image.folder.path().join("new").exists());

    // One that was there keeps what it has.
    let there = image.folder.path().join("there");
    std::fs::create_dir(&there).unwrap();
    assert!(copy("there").await.is_err());
    assert!(there.join("index.json").exists());

    std::fs::write(&blob, "content").unwrap();
    copy("new").await.unwrap();
    assert!(image.folder.path().join("new/index.json").exists());
}
