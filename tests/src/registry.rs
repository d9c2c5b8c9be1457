//! A registry of a test's own: docker-registry on a free port of the loopback interface.
//!
//! Its storage is a temporary folder that a test may look into, and tamper with.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::peers::{Peer, PeerError};
use crate::skip;

/// The one user of a registry with a login.
pub const USER: &str = "tester";
/// That user's password.
pub const PASSWORD: &str = "secret";
/// The same as an htpasswd line; the lowest cost, since it protects nothing.
const HTPASSWD: &str = "tester:$2y$04$bpfimagetestsharnessAuQto66WevbMI0twZ9l.3ni57HYAq/F62\n";
/// The same as the `auth` of a docker config, base64 of `tester:secret`.
const DOCKER_AUTH: &str = "dGVzdGVyOnNlY3JldA==";

/// A running registry, until it is dropped.
#[derive(Debug)]
pub struct Registry {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

/// Why there is no registry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// docker-registry is not there.
    #[error("docker-registry is not at hand")]
    Peer(#[source] PeerError),
    /// No port, no folder, or the program does not start.
    #[error("cannot start docker-registry")]
    Start(#[source] io::Error),
    /// It ended, or never answered.
    #[error("docker-registry does not answer at {address}; its log ends: {log}")]
    Silent {
        /// Where it should listen.
        address: SocketAddr,
        /// The last line of its log.
        log: String,
    },
}

impl Registry {
    /// Starts one that anybody may use.
    pub fn start() -> Result<Self, RegistryError> {
        Self::start_with("")
    }

    /// Starts one that anybody may use; without docker-registry, the calling test says that it is
    /// skipped and has to return.
    ///
    /// # Panics
    /// With `CI=true`, where it has to be there.
    #[track_caller]
    pub fn or_skip() -> Option<Self> {
        Self::start().inspect_err(|error| skip::because(error)).ok()
    }

    /// Starts one that asks for [`USER`] and [`PASSWORD`], even to read.
    pub fn start_with_login() -> Result<Self, RegistryError> {
        Self::start_with("auth:\n  htpasswd:\n    realm: tests\n    path: FOLDER/htpasswd\n")
    }

    /// Its `host:port`, as a reference begins.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// A repository's or image's name in it: `host:port/NAME`.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// The file in which it keeps a blob or manifest, whose digest is `sha256:…`.
    pub fn blob_file(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let shard = hex.get(..2).unwrap_or_default();
        let blobs = self.folder.path().join("storage/docker/registry/v2/blobs/sha256");
        blobs.join(shard).join(hex).join("data")
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Writes a docker `config.json` with the login into `folder`, to be named by `DOCKER_CONFIG`.
    pub fn write_docker_config(&self, folder: &Path) -> io::Result<()> {
        let host = self.host();
        let config = serde_json::json!({ "auths": { host: { "auth": DOCKER_AUTH } } });
        std::fs::write(folder.join("config.json"), config.to_string())
    }

    fn start_with(auth: &str) -> Result<Self, RegistryError> {
        let program = Peer::DockerRegistry.path().map_err(RegistryError::Peer)?;
        let mut attempts = 5;
        loop {
            let mut registry = Self::spawn(&program, auth).map_err(RegistryError::Start)?;
            if registry.answers() {
                return Ok(registry);
            }
            attempts -= 1;
            // Between our choice of the port and its listening somebody else may have taken it.
            if attempts == 0 || !registry.log().contains("address already in use") {
                let log = registry.log().trim_end().lines().last().unwrap_or_default().to_owned();
                return Err(RegistryError::Silent { address: registry.address, log });
            }
        }
    }

    fn spawn(program: &Path, auth: &str) -> io::Result<Self> {
        let folder = TempDir::with_prefix("bpfimage-registry-")?;
        let address = free_port()?;
        let at = |part: &str| folder.path().join(part);
        // No blob cache: a blob that a test changes on disk has to be what is served.
        let config = format!(
            "version: 0.1\n\
             log:\n  level: info\n  accesslog:\n    disabled: false\n\
             storage:\n  filesystem:\n    rootdirectory: FOLDER/storage\n  delete:\n    enabled: true\n\
             http:\n  addr: {address}\n  secret: tests\n\
             {auth}"
        );
        let config = config.replace("FOLDER", &folder.path().to_string_lossy());
        std::fs::write(at("config.yml"), config)?;
        std::fs::write(at("htpasswd"), HTPASSWD)?;
        let log = std::fs::File::create(at("log"))?;
        let process = Command::new(program)
            .arg("serve")
            .arg(at("config.yml"))
            // Variables named REGISTRY_… would override the file.
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self { process, address, folder })
    }

    /// Waits until it speaks HTTP; false when it ended or stays silent.
    fn answers(&mut self) -> bool {
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return false;
            }
            if speaks_http(self.address) {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Killing fails only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port on the loopback interface that nobody listens on at this moment.
pub fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn speaks_http(address: SocketAddr) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /v2/ HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut start = [0_u8; 5];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{run, succeed};

    const MEDIA_TYPE: &str = "application/vnd.example.test";

    fn push(oras: &Path, registry: &Registry, folder: &Path) -> Command {
        std::fs::write(folder.join("blob"), "content").unwrap();
        let mut push = Command::new(oras);
        push.args(["push", "--plain-http", "--artifact-type", MEDIA_TYPE]);
        push.arg(registry.reference("some/image:1")).arg("blob").current_dir(folder);
        push
    }

    #[test]
    fn keeps_what_oras_pushes_and_ends_when_dropped() {
        let Some(oras) = Peer::Oras.or_skip() else { return };
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start().unwrap();
        succeed(&mut push(&oras, &registry, folder.path())).unwrap();

        // sha256 of "content"
        let digest = "sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
        assert_eq!(std::fs::read(registry.blob_file(digest)).unwrap(), b"content");

        let (address, storage) = (registry.address, registry.folder.path().to_owned());
        drop(registry);
        assert!(!speaks_http(address));
        assert!(!storage.exists());
    }

    #[test]
    fn a_login_is_asked_for_and_accepted() {
        let Some(oras) = Peer::Oras.or_skip() else { return };
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start_with_login().unwrap();

        let mut anonymous = push(&oras, &registry, folder.path());
        run(anonymous.env("DOCKER_CONFIG", folder.path())).unwrap().assert_code(1);

        registry.write_docker_config(folder.path()).unwrap();
        let mut known = push(&oras, &registry, folder.path());
        succeed(known.env("DOCKER_CONFIG", folder.path())).unwrap();
    }
}
