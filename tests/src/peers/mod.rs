//! Independent tools that judge our work, at versions of our choosing.
//!
//! They are Debian's packages, often of another release than this machine's, unpacked into the
//! cache and never installed: no service starts and nothing on the machine changes. apt checks the
//! archive's signatures. The cache lies outside the repository and is filled once; after that no
//! network is used.

pub(crate) mod apt;
mod launcher;
mod recipe;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repo;
use crate::run::RunError;
use crate::skip;

/// An independent tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Peer {
    /// cosign 2, which writes and reads signatures in legacy storage.
    Cosign2,
    /// cosign 3, which writes and reads bundles.
    Cosign3,
    /// oras.
    Oras,
    /// skopeo.
    Skopeo,
    /// docker-registry, the distribution project's registry 2.8.
    DockerRegistry,
    /// buildah; see [`buildah`].
    Buildah,
    /// A bpftool that knows TCX, netkit and big-endian objects, which that of bookworm does not.
    Bpftool,
    /// libbpf as a static library, with the headers and libraries to link a program that needs
    /// nothing else; see [`crate::vm`].
    Libbpf,
    /// busybox as one static program: all that runs in a virtual machine beside the tests.
    Busybox,
}

/// Why a peer is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// Peers come from Debian's archive, by apt.
    #[error("{name} is fetched by apt-get from Debian's archive, and this machine has none")]
    NotDebian {
        /// The peer.
        name: &'static str,
    },
    /// The machine's own apt has no source of Debian's archive.
    #[error("apt has no source of Debian's archive; as root: apt-get update")]
    NoMirror,
    /// apt-get or dpkg-deb failed.
    #[error("cannot fetch {name}")]
    Fetch {
        /// The peer.
        name: &'static str,
        /// How the tool ended.
        #[source]
        source: RunError,
    },
    /// The archive has moved on to a version that the tests do not know.
    #[error("{name} is now {found} in the archive, and the tests want {wanted}*")]
    Version {
        /// The peer.
        name: &'static str,
        /// How the version has to begin.
        wanted: &'static str,
        /// The version found.
        found: String,
    },
    /// What was unpacked does not hold what the recipe says.
    #[error("the packages of {name} hold no {what}")]
    Incomplete {
        /// The peer.
        name: &'static str,
        /// What is missing.
        what: String,
    },
    /// The cache could not be read or written.
    #[error("cannot use the cache {path}")]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Peer {
    /// Every peer.
    pub const ALL: [Self; 9] = [
        Self::Cosign2,
        Self::Cosign3,
        Self::Oras,
        Self::Skopeo,
        Self::DockerRegistry,
        Self::Buildah,
        Self::Bpftool,
        Self::Libbpf,
        Self::Busybox,
    ];

    /// Its name here, which is its folder's name in the cache.
    pub fn name(self) -> &'static str {
        recipe::of(self).name
    }

    /// The program to run, fetched first if the cache does not hold it.
    pub fn path(self) -> Result<PathBuf, PeerError> {
        fetch(&[self])?;
        Ok(self.program())
    }

    /// The program to run; without it, the calling test says that it is skipped and has to return.
    ///
    /// # Panics
    /// With `CI=true`, where every peer has to be there.
    #[track_caller]
    pub fn or_skip(self) -> Option<PathBuf> {
        self.path().inspect_err(|error| skip::because(Causes(error))).ok()
    }

    /// The version in the cache, as Debian writes it; none if it was not fetched.
    pub fn version(self) -> Option<String> {
        let record = std::fs::read(self.folder().join(RECORD)).ok()?;
        let record: serde_json::Value = serde_json::from_slice(&record).ok()?;
        Some(record.get("version")?.as_str()?.to_owned())
    }

    fn folder(self) -> PathBuf {
        peers_folder().join(self.name())
    }

    fn program(self) -> PathBuf {
        let recipe = recipe::of(self);
        launcher::program(&self.folder(), &recipe)
    }
}

/// Fetches those of `peers` that the cache does not hold.
pub fn fetch(peers: &[Peer]) -> Result<(), PeerError> {
    let missing = || peers.iter().copied().filter(|peer| !peer.folder().join(RECORD).exists());
    if missing().next().is_none() {
        return Ok(());
    }
    let lock = peers_folder().join(".lock");
    let _lock = repo::lock(&lock).map_err(|source| PeerError::Cache { path: lock, source })?;
    // Asked again under the lock: another process may have just fetched them.
    let mut todo: Vec<Peer> = missing().collect();
    while let Some(&first) = todo.first() {
        // One list of packages serves all that come from the same suites.
        let suites = recipe::of(first).suites;
        let (now, later) = todo.into_iter().partition(|&peer| recipe::of(peer).suites == suites);
        todo = later;
        let area = apt::Area::open(first.name(), suites)?;
        for peer in now {
            fetch_one(peer, &area)?;
        }
    }
    Ok(())
}

/// buildah with its storage in `storage`, set up for this machine: no containers, no network.
///
/// buildah also keeps a cache of its own in /var/lib/containers/cache, which no option moves.
pub fn buildah(program: &Path, storage: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--root").arg(storage.join("root")).arg("--runroot").arg(storage.join("run"));
    command.args(["--storage-driver", "vfs"]).env("BUILDAH_ISOLATION", "chroot");
    command
}

/// Written last into a peer's folder.
const RECORD: &str = "record.json";

/// The number is raised when a change of a recipe makes older caches unfit.
fn peers_folder() -> PathBuf {
    repo::cache().join("peers-1")
}

fn fetch_one(peer: Peer, area: &apt::Area) -> Result<(), PeerError> {
    let recipe = recipe::of(peer);
    let folder = peer.folder();
    let cache = |source| PeerError::Cache { path: folder.clone(), source };
    // What an interrupted fetch left has no record, and nobody uses it.
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cache(error)),
        _ => std::fs::create_dir_all(&folder).map_err(cache)?,
    }
    let unpacked = area.unpack(recipe.name, &packages(&recipe), &folder.join(launcher::ROOT))?;
    let own = unpacked.into_iter().find(|package| package.name == recipe.package);
    let version = own.map(|package| package.version).unwrap_or_default();
    if !version.starts_with(recipe.version) {
        return Err(PeerError::Version {
            name: recipe.name,
            wanted: recipe.version,
            found: version,
        });
    }
    launcher::write(&folder, &recipe)?;
    let record = serde_json::json!({ "version": version, "suites": recipe.suites });
    let beside = folder.join("record.part");
    std::fs::write(&beside, record.to_string()).map_err(cache)?;
    std::fs::rename(&beside, folder.join(RECORD)).map_err(cache)
}

/// What to ask apt for.
fn packages(recipe: &recipe::Recipe) -> Vec<String> {
    // The suite decides, not which version is higher.
    let suite = recipe.suites.first().copied().unwrap_or_default();
    let own = format!("{}/{suite}", recipe.package);
    std::iter::once(own).chain(recipe.libraries.iter().map(ToString::to_string)).collect()
}

/// An error and its causes on one line.
struct Causes<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut error = self.0;
        while let Some(cause) = error.source() {
            write!(f, ": {cause}")?;
            error = cause;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::succeed;

    fn says(peer: Peer, arguments: &[&str], text: &str) {
        let Some(program) = peer.or_skip() else { return };
        let output = succeed(Command::new(program).args(arguments)).unwrap();
        assert!((output.stdout.clone() + &output.stderr).contains(text), "{}", output.transcript());
    }

    #[test]
    fn cosign_2_runs() {
        // Debian's build does not set cosign's own version.
        says(Peer::Cosign2, &["version"], "GitVersion:");
        says(Peer::Cosign2, &["sign", "--help"], "--tlog-upload");
    }

    #[test]
    fn cosign_3_runs() {
        says(Peer::Cosign3, &["sign", "--help"], "--signing-config");
    }

    #[test]
    fn oras_runs() {
        says(Peer::Oras, &["version"], "1.");
    }

    #[test]
    fn skopeo_runs_with_its_own_libraries() {
        says(Peer::Skopeo, &["--version"], "skopeo version 1.");
    }

    #[test]
    fn docker_registry_runs() {
        says(Peer::DockerRegistry, &["--version"], "2.8");
    }

    #[test]
    fn bpftool_knows_netkit() {
        says(Peer::Bpftool, &["version"], "bpftool v7.");
        says(Peer::Bpftool, &["net", "help"], "tcx_ingress");
    }

    #[test]
    fn buildah_builds_from_scratch() {
        if skip::without_root() {
            return;
        }
        let Some(program) = Peer::Buildah.or_skip() else { return };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("prog.o"), "object").unwrap();
        std::fs::write(
            folder.path().join("Containerfile"),
            "FROM scratch\nARG NAME\nLABEL name=$NAME\nCOPY prog.o /prog.o\n",
        )
        .unwrap();
        let storage = folder.path().join("storage");
        succeed(
            buildah(&program, &storage)
                .args(["build", "--build-arg", "NAME=x", "-t", "localhost/x:1"])
                .arg(folder.path()),
        )
        .unwrap();
        let layout = folder.path().join("layout");
        succeed(
            buildah(&program, &storage)
                .args(["push", "localhost/x:1"])
                .arg(format!("oci:{}:1", layout.display())),
        )
        .unwrap();
        assert!(layout.join("index.json").exists());
    }

    #[test]
    fn the_record_tells_the_version() {
        if Peer::Cosign3.or_skip().is_some() {
            assert!(Peer::Cosign3.version().unwrap().starts_with("3."));
        }
    }
}
