//! An image layout edited by hand, as an attacker would: none of our code takes part in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use bpf_image_spec::Digest;
use bpf_image_tests::node::Author;
use bpf_image_tests::succeed;
use serde_json::{Value, json};

const REF_NAME: &str = "org.opencontainers.image.ref.name";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A layout in an author's folder.
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    /// The layout of [`Author::layout`] by that name, which must be there.
    pub(crate) fn of(author: &Author, name: &str) -> Self {
        Self { dir: author.folder().join(name) }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The digest behind a tag.
    #[track_caller]
    pub(crate) fn digest(&self, tag: &str) -> String {
        self.entry(tag)["digest"].as_str().unwrap().to_owned()
    }

    /// The manifest or index behind a tag.
    #[track_caller]
    pub(crate) fn document(&self, tag: &str) -> Value {
        self.json(&self.digest(tag))
    }

    /// The JSON blob with `digest`.
    #[track_caller]
    pub(crate) fn json(&self, digest: &str) -> Value {
        serde_json::from_slice(&self.blob(digest)).unwrap()
    }

    /// The blob with `digest`.
    #[track_caller]
    pub(crate) fn blob(&self, digest: &str) -> Vec<u8> {
        std::fs::read(self.path(digest)).unwrap()
    }

    /// The digest of the first layer of `tag`'s manifest.
    #[track_caller]
    pub(crate) fn layer(&self, tag: &str) -> String {
        self.document(tag)["layers"][0]["digest"].as_str().unwrap().to_owned()
    }

    /// Stores `bytes` and describes them.
    pub(crate) fn put(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes).to_string();
        std::fs::write(self.path(&digest), bytes).unwrap();
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// Stores a manifest or index and lets `tag` name it.
    #[track_caller]
    pub(crate) fn tag(&self, tag: &str, media_type: &str, document: &Value) {
        let mut entry = self.put(media_type, document.to_string().as_bytes());
        entry["annotations"] = json!({ REF_NAME: tag });
        self.list(|entries| {
            entries.retain(|old| old["annotations"][REF_NAME] != tag);
            entries.push(entry);
        });
    }

    /// Lets the tag `old` be called `new`.
    #[track_caller]
    pub(crate) fn rename(&self, old: &str, new: &str) {
        self.list(|entries| {
            let entry = entries.iter_mut().find(|entry| entry["annotations"][REF_NAME] == old);
            entry.unwrap()["annotations"][REF_NAME] = json!(new);
        });
    }

    /// Replaces the first layer of `v1`'s manifest by `bytes`, and what is declared of it.
    #[track_caller]
    pub(crate) fn replace_layer(&self, bytes: &[u8]) {
        let mut manifest = self.document("v1");
        let media_type = manifest["layers"][0]["mediaType"].as_str().unwrap().to_owned();
        manifest["layers"][0] = self.put(&media_type, bytes);
        self.tag("v1", MANIFEST, &manifest);
    }

    /// Changes the config of `v1`'s manifest.
    #[track_caller]
    pub(crate) fn edit_config(&self, edit: impl FnOnce(&mut Value)) {
        let mut manifest = self.document("v1");
        let media_type = manifest["config"]["mediaType"].as_str().unwrap().to_owned();
        let mut config = self.json(manifest["config"]["digest"].as_str().unwrap());
        edit(&mut config);
        manifest["config"] = self.put(&media_type, config.to_string().as_bytes());
        self.tag("v1", MANIFEST, &manifest);
    }

    fn entry(&self, tag: &str) -> Value {
        let index = self.index();
        let mut entries = index["manifests"].as_array().unwrap().iter();
        entries.find(|entry| entry["annotations"][REF_NAME] == tag).unwrap().clone()
    }

    fn list(&self, edit: impl FnOnce(&mut Vec<Value>)) {
        let mut index = self.index();
        edit(index["manifests"].as_array_mut().unwrap());
        std::fs::write(self.dir.join("index.json"), index.to_string()).unwrap();
    }

    fn index(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.dir.join("index.json")).unwrap()).unwrap()
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.dir.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))
    }
}

/// Bytes that a shell script writes to its standard output, in a folder of its own.
#[track_caller]
pub(crate) fn output_of(script: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("mkdir work && cd work && {{ {script}; }} > ../output");
    succeed(Command::new("sh").args(["-ec", &script]).current_dir(folder.path())).unwrap();
    std::fs::read(folder.path().join("output")).unwrap()
}
