//! Both cosigns as signers and judges, with the flags that keep them off the network: no
//! transparency log, plain HTTP.
//!
//! cosign 2 reads and writes legacy storage, cosign 3 bundles. What cosign prints of a signature
//! tells which of the two it judged.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::path::PathBuf;
use std::process::Command;

use crate::node::{Author, PASSWORD};
use crate::peers::Peer;
use crate::run::{RunOutput, run, succeed};

/// The `type` in what cosign prints of a signature in legacy storage.
pub const LEGACY_TYPE: &str = r#""type":"cosign container image signature""#;
/// The `type` in what it prints of a bundle.
pub const BUNDLE_TYPE: &str = r#""type":"https://sigstore.dev/cosign/sign/v1""#;

/// One of the two.
#[derive(Debug)]
pub struct Cosign {
    program: PathBuf,
    peer: Peer,
}

impl Cosign {
    /// cosign 2; without it, the calling test says that it is skipped and has to return.
    ///
    /// # Panics
    /// With `CI=true`, where it has to be there.
    #[track_caller]
    pub fn v2_or_skip() -> Option<Self> {
        Self::or_skip(Peer::Cosign2)
    }

    /// The same of cosign 3.
    ///
    /// # Panics
    /// With `CI=true`, where it has to be there.
    #[track_caller]
    pub fn v3_or_skip() -> Option<Self> {
        Self::or_skip(Peer::Cosign3)
    }

    #[track_caller]
    fn or_skip(peer: Peer) -> Option<Self> {
        Some(Self { program: peer.or_skip()?, peer })
    }

    /// An author whose key pair this cosign made.
    ///
    /// # Panics
    /// When the key pair cannot be made.
    #[track_caller]
    pub fn author(&self) -> Author {
        let author = Author::new();
        for file in [author.key(), author.public_key()] {
            std::fs::remove_file(file).expect("the key of bpf-image");
        }
        succeed(&mut self.command(&author, "generate-key-pair")).expect("a key pair of cosign");
        author
    }

    /// Signs `reference` with the author's key; `flags` come first.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[track_caller]
    pub fn sign(&self, author: &Author, flags: &[&str], reference: &str) {
        let mut command = self.signing(author, "sign");
        succeed(command.args(flags).arg(reference)).expect("cosign signs");
    }

    /// Attests a custom predicate of `reference` with the author's key.
    ///
    /// # Panics
    /// When it cannot.
    #[track_caller]
    pub fn attest(&self, author: &Author, reference: &str) {
        std::fs::write(author.folder().join("predicate.json"), "{}").expect("a predicate");
        let mut command = self.signing(author, "attest");
        command.args(["--type", "custom", "--predicate", "predicate.json"]);
        succeed(command.arg(reference)).expect("cosign attests");
    }

    /// Verifies `reference` with the author's public key; `flags` come first.
    ///
    /// # Panics
    /// When cosign could not be started or hung.
    #[track_caller]
    pub fn verify(&self, author: &Author, flags: &[&str], reference: &str) -> RunOutput {
        let mut command = self.command(author, "verify");
        command.arg("--key").arg(author.public_key()).arg("--allow-http-registry");
        command.arg(match self.peer {
            Peer::Cosign2 => "--private-infrastructure",
            _ => "--insecure-ignore-tlog",
        });
        run(command.args(flags).arg(reference)).expect("cosign ends")
    }

    fn signing(&self, author: &Author, verb: &str) -> Command {
        let mut command = self.command(author, verb);
        command.arg("--key").arg(author.key());
        command.args(["--yes", "--allow-http-registry", "--tlog-upload=false"]);
        if self.peer == Peer::Cosign3 {
            command.arg("--use-signing-config=false");
        }
        command
    }

    /// cosign in the author's folder, which is its home too: no login or cache of the machine's
    /// user has a say.
    fn command(&self, author: &Author, verb: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(verb).current_dir(author.folder()).env("COSIGN_PASSWORD", PASSWORD);
        for variable in ["HOME", "DOCKER_CONFIG"] {
            command.env(variable, author.folder());
        }
        command
    }
}
