//! The two people of every story: an author with a key, and a node with a loader of its own.
//!
//! Each has folders that nobody else uses, so tests run side by side and never touch the
//! machine's `/run/bpf-loader` or `/sys/fs/bpf`.

#![expect(clippy::expect_used, reason = "a fixture: what fails here fails the test that uses it")]

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::bins;
use crate::bpffs::Bpffs;
use crate::run::{RunOutput, run, succeed};
use crate::samples;

/// The password of every key that tests make.
pub const PASSWORD: &str = "correct horse";

/// Somebody who builds and signs images.
#[derive(Debug)]
pub struct Author {
    folder: TempDir,
}

impl Author {
    /// An author with a key pair, made by `bpf-image keygen`.
    ///
    /// # Panics
    /// When the key cannot be made: without it no test can go on.
    #[track_caller]
    pub fn new() -> Self {
        let author = Self { folder: TempDir::with_prefix("bpfimage-author-").expect("a folder") };
        succeed(author.bpf_image().arg("keygen")).expect("keygen");
        author
    }

    /// `bpf-image` in the author's folder, with the key's password; add arguments.
    ///
    /// # Panics
    /// When the program is not built.
    pub fn bpf_image(&self) -> Command {
        let mut command = Command::new(bins::bpf_image().expect("bpf-image is built"));
        command.current_dir(self.folder.path()).env("BPF_IMAGE_PASSWORD", PASSWORD);
        command
    }

    /// The author's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The private key's file.
    pub fn key(&self) -> PathBuf {
        self.folder().join("cosign.key")
    }

    /// The public key's file.
    pub fn public_key(&self) -> PathBuf {
        self.folder().join("cosign.pub")
    }

    /// A reference to `name` in an image layout in the author's folder.
    pub fn layout(&self, name: &str) -> String {
        format!("oci:{}/{name}:v1", self.folder().display())
    }

    /// Builds the sample `name` into `reference`, and pushes it if that is in a registry.
    ///
    /// # Panics
    /// When it cannot be built.
    #[track_caller]
    pub fn build(&self, name: &str, reference: &str) {
        let object = samples::object(name).expect("a compiled sample");
        let mut command = self.bpf_image();
        command.arg("build").arg(object).args(["-t", reference]);
        if !reference.starts_with("oci:") {
            command.arg("--push");
        }
        succeed(&mut command).expect("the image is built");
    }

    /// Signs `reference` with the author's key.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[track_caller]
    pub fn sign(&self, reference: &str) {
        succeed(self.bpf_image().arg("sign").arg("--key").arg(self.key()).arg(reference))
            .expect("the image is signed");
    }

    /// A signed image of the sample `name` in a layout.
    ///
    /// # Panics
    /// When it cannot be made.
    #[track_caller]
    pub fn signed_layout(&self, name: &str) -> String {
        let reference = self.layout(name);
        self.build(name, &reference);
        self.sign(&reference);
        reference
    }
}

impl Default for Author {
    fn default() -> Self {
        Self::new()
    }
}

/// A machine that loads images: its own records, store, policy, and pins on its own bpffs.
#[derive(Debug)]
pub struct Node {
    folder: TempDir,
    bpffs: Bpffs,
}

impl Node {
    /// A node that trusts nobody.
    ///
    /// # Panics
    /// Without root: a bpffs is mounted.
    #[track_caller]
    pub fn new() -> Self {
        Self {
            folder: TempDir::with_prefix("bpfimage-node-").expect("a folder"),
            bpffs: Bpffs::mount().expect("a bpffs"),
        }
    }

    /// A node that trusts `author` for `scope` (`registry/path`, or `oci:/absolute/path`).
    #[track_caller]
    pub fn trusting(author: &Author, scope: &str) -> Self {
        let node = Self::new();
        node.trust(author, scope);
        node
    }

    /// A node that trusts `author` for the layouts in the author's folder.
    #[track_caller]
    pub fn trusting_layouts(author: &Author) -> Self {
        Self::trusting(author, &format!("oci:{}", author.folder().display()))
    }

    /// Writes a policy of one scope and one key.
    ///
    /// # Panics
    /// When the key or the policy file cannot be read or written.
    #[track_caller]
    pub fn trust(&self, author: &Author, scope: &str) {
        let key = std::fs::read_to_string(author.public_key()).expect("a public key");
        self.write_policy(&format!(
            "version = 1\n[[scope]]\nmatch = \"{scope}\"\n[[scope.signer]]\nname = \"release\"\n\
             key = \"\"\"\n{key}\"\"\"\n"
        ));
    }

    /// Writes the policy file.
    ///
    /// # Panics
    /// When it cannot be written.
    #[track_caller]
    pub fn write_policy(&self, text: &str) {
        std::fs::write(self.policy(), text).expect("a policy file");
    }

    /// The policy file.
    pub fn policy(&self) -> PathBuf {
        self.folder.path().join("policy.toml")
    }

    /// Where records are.
    pub fn run_dir(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Where the image store is.
    pub fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Where pins are.
    pub fn pin_dir(&self) -> PathBuf {
        self.bpffs.path().join("pins")
    }

    /// `bpf-loader` of this node; add arguments.
    ///
    /// # Panics
    /// When the program is not built.
    pub fn bpf_loader(&self) -> Command {
        let mut command = Command::new(bins::bpf_loader().expect("bpf-loader is built"));
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command
    }

    /// What makes `bpf-loader` this node's: for tests that run it through another program.
    pub fn environment(&self) -> [(&'static str, PathBuf); 4] {
        [
            ("BPF_LOADER_STATE_DIR", self.state_dir()),
            ("BPF_LOADER_RUN_DIR", self.run_dir()),
            ("BPF_LOADER_PIN_DIR", self.pin_dir()),
            ("BPF_LOADER_POLICY", self.policy()),
        ]
    }

    /// Runs `bpf-loader` with `arguments` and gives what it said.
    ///
    /// # Panics
    /// When it could not be started or hung.
    #[track_caller]
    pub fn loader(&self, arguments: &[&str]) -> RunOutput {
        run(self.bpf_loader().args(arguments)).expect("bpf-loader ends")
    }

    /// The same, with JSON for output.
    ///
    /// # Panics
    /// When it fails or its output is not JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.loader(&[arguments, &["-o", "json"]].concat());
        output.assert_code(0);
        serde_json::from_str(&output.stdout).expect("JSON on standard output")
    }

    /// Sum over all CPUs of the only entry of an instance's map.
    ///
    /// # Panics
    /// When there is no such map.
    #[track_caller]
    pub fn counter(&self, instance: &str, map: &str) -> u64 {
        let shown = self.json(&["show", instance]);
        let maps = shown["maps"].as_array().expect("maps");
        let map = maps.iter().find(|entry| entry["name"] == map).expect("the map");
        let values = map["entries"][0]["values"].as_array().expect("values");
        values.iter().filter_map(serde_json::Value::as_u64).sum()
    }

    /// Asserts that neither records nor pins are left.
    ///
    /// # Panics
    /// When there are.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let listed = self.json(&["list"]);
        assert_eq!(listed, serde_json::json!({"broken": [], "instances": [], "orphans": []}));
        assert!(!self.pin_dir().exists(), "pins are left in {}", self.pin_dir().display());
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Node {
    /// A test that failed half-way must not leave programs on the machine's hooks.
    fn drop(&mut self) {
        let Ok(output) = run(self.bpf_loader().args(["list", "-o", "json"])) else { return };
        let Ok(listed) = serde_json::from_str::<serde_json::Value>(&output.stdout) else { return };
        for instance in listed["instances"].as_array().into_iter().flatten() {
            if let Some(id) = instance["id"].as_str() {
                let _ = run(self.bpf_loader().args(["unload", id]));
            }
        }
    }
}
