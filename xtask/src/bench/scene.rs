//! The scene of a round: a registry with a signed image, two namespaces, and both sides' commands.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use bpf_image_tests::bpffs::Bpffs;
use bpf_image_tests::netns::{INTERFACE, Netns, Pair};
use bpf_image_tests::peers::{self, Peer};
use bpf_image_tests::registry::Registry;
use bpf_image_tests::{RunError, repo, samples, succeed};
use tempfile::TempDir;

use super::figures::Figures;
use super::line::{Call, Line};
use super::{Error, Side};

/// Files of the scene that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {path}", path = path.display())]
pub(crate) struct SceneError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// The tools that a user has at hand without us.
#[derive(Debug)]
pub(super) struct Tools {
    oras: PathBuf,
    cosigns: [Cosign; 2],
}

/// A cosign and what keeps it off the network.
#[derive(Debug, Clone)]
struct Cosign {
    program: PathBuf,
    version: String,
    offline: &'static str,
}

impl Tools {
    /// Gets those that the cache lacks.
    pub(super) fn fetch() -> Result<Self, Error> {
        peers::fetch(&[Peer::DockerRegistry, Peer::Oras, Peer::Cosign2, Peer::Cosign3])?;
        let cosign = |peer: Peer, offline| -> Result<Cosign, Error> {
            let version = peer.version().unwrap_or_default();
            Ok(Cosign { program: peer.path()?, version, offline })
        };
        let cosigns = [
            cosign(Peer::Cosign2, "--private-infrastructure")?,
            cosign(Peer::Cosign3, "--insecure-ignore-tlog")?,
        ];
        Ok(Self { oras: Peer::Oras.path()?, cosigns })
    }
}

/// Everything around the rounds; gone when dropped.
#[derive(Debug)]
pub(super) struct Scene {
    folder: TempDir,
    bpffs: Bpffs,
    pair: Pair,
    registry: Registry,
    oras: PathBuf,
    cosign: Cosign,
}

/// Any secret will do.
const PASSWORD: &str = "bench";

/// The instance's name.
const NAME: &str = "bench-counter";

impl Scene {
    /// Builds, pushes and signs the sample, and finds out which cosign is faster with it.
    pub(super) fn new(tools: &Tools) -> Result<Self, Error> {
        let folder = TempDir::with_prefix("bpfimage-bench-")
            .map_err(|source| SceneError { path: std::env::temp_dir(), source })?;
        let mut scene = Self {
            folder,
            bpffs: Bpffs::mount()?,
            pair: Pair::new()?,
            registry: Registry::start()?,
            oras: tools.oras.clone(),
            cosign: tools.cosigns[0].clone(),
        };
        scene.publish()?;
        scene.choose_cosign(&tools.cosigns)?;
        Ok(scene)
    }

    fn publish(&self) -> Result<(), Error> {
        let object = samples::object("xdp_counter_v1")?;
        let reference = self.reference();
        let author = || {
            let mut command = Command::new(released("bpf-image"));
            command.current_dir(self.folder.path()).env("BPF_IMAGE_PASSWORD", PASSWORD);
            command
        };
        succeed(author().arg("keygen"))?;
        succeed(author().arg("build").arg(object).args(["-t", &reference, "--push"]))?;
        succeed(author().args(["sign", "--key", "cosign.key", &reference]))?;
        let key = self.folder.path().join("cosign.pub");
        let key = fs::read_to_string(&key).map_err(|source| SceneError { path: key, source })?;
        let scope = self.registry.reference("bench");
        let policy = format!(
            "version = 1\n[[scope]]\nmatch = \"{scope}\"\n[[scope.signer]]\nname = \"release\"\n\
             key = \"\"\"\n{key}\"\"\"\n"
        );
        let path = self.folder.path().join("policy.toml");
        fs::write(&path, policy).map_err(|source| SceneError { path, source })?;
        Ok(())
    }

    /// Two formats of signatures are about, and a cosign for each; the line gets the faster one.
    fn choose_cosign(&mut self, cosigns: &[Cosign]) -> Result<(), Error> {
        let mut best = f64::MAX;
        for cosign in cosigns {
            let verify = Line(vec![self.verify(cosign)]);
            let mut taken = Figures::default();
            for _ in 0..5 {
                verify.time()?.into_iter().for_each(|time| taken.push_ms(time));
            }
            println!("    cosign {} verifies in {:.0} ms", cosign.version, taken.median());
            if taken.median() < best {
                best = taken.median();
                self.cosign = cosign.clone();
            }
        }
        Ok(())
    }

    /// The commands of `side`.
    pub(super) fn line(&self, side: Side) -> Line {
        match side {
            Side::Ours => Line(vec![self.run(&[])]),
            Side::Theirs => self.theirs(),
        }
    }

    /// Ours, saying when it does what.
    pub(super) fn verbose(&self) -> Call {
        self.run(&["--verbose"]).env("NO_COLOR", "1")
    }

    fn run(&self, flags: &[&str]) -> Call {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let point = format!("xdp_counter=xdp:{INTERFACE},netns={}", self.netns().name());
        let (reference, attach) = (self.reference(), ["--name", NAME, "--attach", &point]);
        let arguments = [&["run", &reference], &attach[..], flags].concat();
        Call::new("bpf-loader run", released("bpf-loader"), &arguments)
            .env("BPF_LOADER_STATE_DIR", at("state"))
            .env("BPF_LOADER_RUN_DIR", at("run"))
            .env("BPF_LOADER_POLICY", at("policy.toml"))
            .env("BPF_LOADER_PIN_DIR", self.bpffs.path().join("pins").display().to_string())
    }

    fn theirs(&self) -> Line {
        let pulled = self.pulled().display().to_string();
        let object = self.pulled().join("xdp_counter_v1.o").display().to_string();
        let pin = self.pin().display().to_string();
        let netns = format!("--net={}", self.netns().path().display());
        let attach = [&netns, "--", "bpftool", "net", "attach", "xdp"];
        let attach = [&attach[..], &["pinned", &pin, "dev", INTERFACE]].concat();
        let reference = self.reference();
        Line(vec![
            Call::new(
                "oras pull",
                &self.oras,
                &["pull", "--plain-http", &reference, "-o", &pulled],
            ),
            self.verify(&self.cosign),
            Call::new("bpftool prog load", "bpftool", &["prog", "load", &object, &pin]),
            Call::new("bpftool net attach", "nsenter", &attach),
        ])
    }

    fn verify(&self, cosign: &Cosign) -> Call {
        let home = self.folder.path().display().to_string();
        let key = self.folder.path().join("cosign.pub").display().to_string();
        let reference = self.reference();
        let arguments = ["verify", "--key", &key, "--allow-http-registry", cosign.offline];
        let arguments = [&arguments[..], &[&reference]].concat();
        // No login of the machine's user has a say.
        Call::new("cosign verify", &cosign.program, &arguments)
            .env("HOME", &home)
            .env("DOCKER_CONFIG", home)
    }

    /// Takes away what a round of `side` made, so that the next one starts from nothing.
    pub(super) fn clear(&self, side: Side) -> Result<(), Error> {
        match side {
            Side::Ours => {
                succeed(&mut self.run(&[]).instead(&["unload", NAME]))?;
                self.remove("state")
            }
            Side::Theirs => {
                let mut detach = self.netns().command("bpftool");
                succeed(detach.args(["net", "detach", "xdp", "dev", INTERFACE]))?;
                let pin = self.pin();
                fs::remove_file(&pin).map_err(|source| SceneError { path: pin, source })?;
                self.remove("pulled")
            }
        }
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.folder.path().join(name);
        fs::remove_dir_all(&path).map_err(|source| SceneError { path, source })?;
        Ok(())
    }

    fn reference(&self) -> String {
        self.registry.reference("bench/counter:v1")
    }

    fn netns(&self) -> &Netns {
        &self.pair.right
    }

    fn pulled(&self) -> PathBuf {
        self.folder.path().join("pulled")
    }

    fn pin(&self) -> PathBuf {
        self.bpffs.path().join("do-it-yourself")
    }
}

impl Drop for Scene {
    /// After a failed round: a program on the hook would outlive its namespace's name.
    fn drop(&mut self) {
        let _: Result<_, RunError> = succeed(&mut self.run(&[]).instead(&["unload", NAME]));
    }
}

/// A program of ours as it is released.
pub(super) fn released(name: &str) -> PathBuf {
    repo::target().join("release").join(Path::new(name))
}
