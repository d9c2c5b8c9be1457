//! `linux/bpf.h` as kernels of several Debian releases have it, fetched and never installed.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::peers::PeerError;
use crate::peers::apt::Area;

/// A header with where it came from.
#[derive(Debug, Clone)]
pub struct Header {
    /// `MAJOR`, `MINOR` of the kernel.
    pub kernel: (u16, u16),
    /// Debian suite.
    pub suite: &'static str,
    /// Version of the package `linux-libc-dev`.
    pub version: String,
    /// SHA-256 of the package.
    pub sha256: String,
    /// The header's text.
    pub text: String,
}

const PACKAGE: &str = "linux-libc-dev";
const PLACE: &str = "usr/include/linux/bpf.h";

/// The header in each of `suites`.
pub fn fetch(suites: &[&'static str]) -> Result<Vec<Header>, PeerError> {
    suites.iter().map(|suite| fetch_one(suite)).collect()
}

fn fetch_one(suite: &'static str) -> Result<Header, PeerError> {
    // An area for each: what two suites call by one name cannot be told apart in one.
    let area = Area::open(PACKAGE, &[suite])?;
    let at = || std::env::temp_dir();
    let root = TempDir::new().map_err(|source| PeerError::Cache { path: at(), source })?;
    let packages = area.unpack(PACKAGE, &[PACKAGE.to_owned()], root.path())?;
    let incomplete = |what: &str| PeerError::Incomplete { name: PACKAGE, what: what.to_owned() };
    let package = packages.into_iter().next().ok_or_else(|| incomplete("package"))?;
    let path: PathBuf = root.path().join(PLACE);
    let text =
        std::fs::read_to_string(&path).map_err(|source| PeerError::Cache { path, source })?;
    let mut numbers = package.version.split(['.', '-', '~']).map(str::parse::<u16>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return Err(incomplete(&format!("kernel version in {}", package.version)));
    };
    let (version, sha256) = (package.version, package.sha256);
    Ok(Header { kernel: (major, minor), suite, version, sha256, text })
}
