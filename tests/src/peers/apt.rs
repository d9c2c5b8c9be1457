//! apt-get in an area of its own: other suites than the machine's, nothing installed.
//!
//! The mirror is the one that the machine's apt uses. Every file that apt writes lies in the area,
//! and an empty dpkg status keeps it from reasoning about what is installed here.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{PeerError, peers_folder};
use crate::run::succeed;
use crate::setup;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Package lists of some suites.
pub(crate) struct Area {
    name: &'static str,
    folder: TempDir,
}

/// A package that was unpacked.
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version, as Debian writes it.
    pub(crate) version: String,
    /// SHA-256 of the file, in hexadecimal.
    pub(crate) sha256: String,
}

impl Area {
    /// Fetches the lists of `suites`; `name` is what errors speak of.
    pub(crate) fn open(name: &'static str, suites: &[&str]) -> Result<Self, PeerError> {
        if setup::program("apt-get").is_none() || !Path::new(KEYRING).exists() {
            return Err(PeerError::NotDebian { name });
        }
        let mirror = mirror(name)?;
        let parent = peers_folder();
        std::fs::create_dir_all(&parent)
            .map_err(|source| PeerError::Cache { path: parent.clone(), source })?;
        let cache = |source: io::Error| PeerError::Cache { path: parent.clone(), source };
        let folder = TempDir::with_prefix_in("apt-", &parent).map_err(cache)?;
        for part in ["state/lists/partial", "cache/archives/partial", "etc"] {
            std::fs::create_dir_all(folder.path().join(part)).map_err(cache)?;
        }
        let sources = suites.iter().map(|suite| {
            // A mirror that lags or is frozen is as good: what matters is the signature.
            format!("deb [signed-by={KEYRING} check-valid-until=no] {mirror} {suite} main\n")
        });
        let list = folder.path().join("etc/sources.list");
        std::fs::write(list, sources.collect::<String>()).map_err(cache)?;

        let area = Self { name, folder };
        succeed(area.apt("apt-get").arg("update"))
            .map_err(|source| PeerError::Fetch { name, source })?;
        Ok(area)
    }

    /// Names of the packages that begin so, unordered.
    pub(crate) fn names(&self, prefix: &str) -> Result<Vec<String>, PeerError> {
        let fetch = |source| PeerError::Fetch { name: self.name, source };
        let output =
            succeed(self.apt("apt-cache").args(["pkgnames", prefix])).map_err(fetch)?.stdout;
        Ok(output.lines().map(str::to_owned).collect())
    }

    /// Unpacks packages, each `NAME` or `NAME/SUITE`, into `root`; `name` is what errors speak of.
    pub(crate) fn unpack(
        &self,
        name: &'static str,
        packages: &[String],
        root: &Path,
    ) -> Result<Vec<Package>, PeerError> {
        let fetch = |source| PeerError::Fetch { name, source };
        let cache = |source| PeerError::Cache { path: root.to_owned(), source };
        let debs = TempDir::with_prefix_in("debs-", self.folder.path()).map_err(cache)?;
        let mut download = self.apt("apt-get");
        download.arg("download").args(packages).current_dir(&debs);
        succeed(&mut download).map_err(fetch)?;

        let mut unpacked = Vec::new();
        for entry in std::fs::read_dir(&debs).map_err(cache)? {
            let file = entry.map_err(cache)?.path();
            succeed(Command::new("dpkg-deb").arg("-x").arg(&file).arg(root)).map_err(fetch)?;
            let field = |field: &str| {
                succeed(Command::new("dpkg-deb").arg("-f").arg(&file).arg(field))
                    .map(|output| output.stdout.trim().to_owned())
                    .map_err(fetch)
            };
            let sum = succeed(Command::new("sha256sum").arg("-b").arg(&file)).map_err(fetch)?;
            unpacked.push(Package {
                name: field("Package")?,
                version: field("Version")?,
                sha256: sum.stdout.split(' ').next().unwrap_or_default().to_owned(),
            });
        }
        unpacked.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(unpacked)
    }

    fn apt(&self, program: &str) -> Command {
        let at = |part: &str| self.folder.path().join(part).display().to_string();
        let mut command = Command::new(program);
        for option in [
            format!("Dir::State={}", at("state")),
            format!("Dir::Cache={}", at("cache")),
            format!("Dir::Etc::sourcelist={}", at("etc/sources.list")),
            "Dir::Etc::sourceparts=-".to_owned(),
            "Dir::State::status=/dev/null".to_owned(),
            // The user _apt cannot write here, and need not.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        command
    }
}

/// The address of Debian's archive that the machine's apt uses most.
fn mirror(name: &'static str) -> Result<String, PeerError> {
    let ask = || {
        let mut targets = Command::new("apt-get");
        targets.args(["indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"]);
        targets.arg("Created-By: Packages");
        succeed(&mut targets).map(|output| main_archive(&output.stdout))
    };
    let fetch = |source| PeerError::Fetch { name, source };
    if let Some(mirror) = ask().map_err(fetch)? {
        return Ok(mirror);
    }
    // apt names no repository before it has read its first list.
    succeed(&mut setup::update()).map_err(fetch)?;
    ask().map_err(fetch)?.ok_or(PeerError::NoMirror)
}

/// The first line of Debian's own archive; its security archive has another label.
fn main_archive(targets: &str) -> Option<String> {
    targets.lines().find_map(|line| line.strip_prefix("Debian|Debian|").map(str::to_owned))
}

/// The folder of a package's shared libraries inside an unpacked root, both spellings.
pub(super) fn library_folders(root: &Path) -> Vec<PathBuf> {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    let both = ["usr/lib", "lib"].map(|lib| root.join(lib).join(&triplet));
    both.into_iter().filter(|folder| folder.is_dir()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_debians_own_archive() {
        let targets = "nodistro|x|https://example.org/other/\n\
                       Debian|Debian-Security|http://mirror.example/debian-security/\n\
                       Debian|Debian|http://mirror.example/debian/\n";
        assert_eq!(main_archive(targets).as_deref(), Some("http://mirror.example/debian/"));
        assert_eq!(main_archive(""), None);
    }
}
