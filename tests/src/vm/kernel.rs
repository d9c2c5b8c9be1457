//! Debian's kernels, chosen by series: which suite has one, and how it gets into the cache.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::VmError;
use crate::peers::apt::{Area, Package};
use crate::repo;

/// A series of kernels, such as 6.12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    major: u16,
    minor: u16,
}

impl Series {
    /// The series that the tests run on, the oldest first.
    pub const ALL: [Self; 5] =
        [Self::new(5, 10), Self::new(6, 1), Self::new(6, 12), Self::new(6, 18), Self::new(7, 2)];

    /// `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// The series of a release as uname(2) gives it.
    pub fn of_release(release: &str) -> Option<Self> {
        let (major, rest) = release.split_once('.')?;
        let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some(Self::new(major.parse().ok()?, minor.parse().ok()?))
    }

    /// The series of the kernel that runs here.
    pub fn running() -> Option<Self> {
        Self::of_release(&std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?)
    }

    /// The suite whose archive has it. Backports keep every series since the release.
    fn suite(self) -> &'static str {
        match (self.major, self.minor) {
            (5, _) => "bullseye",
            (6, 1) => "bookworm",
            (6, 12) => "trixie",
            _ => "trixie-backports",
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Series {
    type Err = VmError;

    fn from_str(text: &str) -> Result<Self, VmError> {
        let series = Self::of_release(text).filter(|series| series.to_string() == text);
        series.ok_or_else(|| VmError::Series { text: text.to_owned() })
    }
}

/// A kernel in the cache.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// Its series; a younger one than asked for where the archive has moved on.
    pub series: Series,
    /// What uname(2) says in it.
    pub release: String,
    folder: PathBuf,
}

/// Written last into a kernel's folder.
const RECORD: &str = "record.json";

impl Kernel {
    /// The newest kernel of a series, fetched if the cache has none.
    pub fn get(series: Series) -> Result<Self, VmError> {
        if std::env::consts::ARCH != "x86_64" {
            return Err(VmError::Architecture { found: std::env::consts::ARCH });
        }
        let folder = repo::cache().join("kernels-1").join(series.to_string());
        if let Some(kernel) = Self::cached(&folder) {
            return Ok(kernel);
        }
        let disk = |source| VmError::Disk { path: folder.clone(), source };
        let _lock = repo::lock(&folder.with_file_name(format!("{series}.lock"))).map_err(disk)?;
        // Asked again under the lock: another process may have just fetched it.
        if let Some(kernel) = Self::cached(&folder) {
            return Ok(kernel);
        }
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(disk(error)),
            _ => std::fs::create_dir_all(&folder).map_err(disk)?,
        }
        fetch(series, &folder)?;
        Self::cached(&folder).ok_or_else(|| VmError::Input {
            what: format!("the packages of kernel {series} hold no kernel"),
        })
    }

    /// The file to boot.
    pub(super) fn image(&self) -> PathBuf {
        self.folder.join("vmlinuz")
    }

    /// The file of a module, packed or not, wherever it lies; none where the kernel has it built
    /// in, or lacks it.
    pub(super) fn module(&self, name: &str) -> Option<PathBuf> {
        let stem = format!("{name}.ko");
        find(&self.folder.join("modules"), &|file| {
            file == stem || file.strip_prefix(&stem).is_some_and(|rest| rest.starts_with('.'))
        })
    }

    fn cached(folder: &Path) -> Option<Self> {
        let record: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join(RECORD)).ok()?).ok()?;
        let release = record.get("release")?.as_str()?.to_owned();
        let series = Series::of_release(&release)?;
        Some(Self { series, release, folder: folder.to_owned() })
    }
}

/// Fills a kernel's folder: `vmlinuz`, `config`, `modules`, and the record.
fn fetch(series: Series, folder: &Path) -> Result<(), VmError> {
    let what = || format!("kernel {series}");
    let archive = |source| VmError::Fetch { what: what(), source };
    let disk = |source| VmError::Disk { path: folder.to_owned(), source };
    let area = Area::open("linux", &[series.suite()]).map_err(archive)?;
    let mut names = area.names("linux-image-").map_err(archive)?;
    // From 7.x on the kernel and its modules have packages of their own.
    names.extend(area.names("linux-binary-").map_err(archive)?);
    names.extend(area.names("linux-modules-").map_err(archive)?);
    let Some(release) = newest(&names, series) else {
        return Err(VmError::NoKernel { series, suite: series.suite() });
    };
    let wanted: Vec<String> = ["linux-image-", "linux-binary-", "linux-modules-"]
        .iter()
        .map(|prefix| format!("{prefix}{release}"))
        .filter(|name| names.contains(name))
        .collect();
    let root = folder.join("unpacked");
    std::fs::create_dir_all(&root).map_err(disk)?;
    let packages = area.unpack("linux", &wanted, &root).map_err(archive)?;

    // Where things lie has changed with Debian's releases; what they are called has not.
    let image = find(&root, &|file| file == "vmlinuz" || file.starts_with("vmlinuz-"));
    if let Some(image) = image {
        std::fs::rename(image, folder.join("vmlinuz")).map_err(disk)?;
        if let Some(config) = find(&root, &|file| file == "config" || file.starts_with("config-")) {
            std::fs::rename(config, folder.join("config")).map_err(disk)?;
        }
        let modules = ["lib/modules", "usr/lib/modules"].map(|lib| root.join(lib).join(&release));
        // The archive has lost the modules of some backports; most cases need none.
        if let Some(modules) = modules.iter().find(|folder| folder.is_dir()) {
            std::fs::rename(modules, folder.join("modules")).map_err(disk)?;
        }
        write_record(folder, &release, series.suite(), &packages).map_err(disk)?;
    }
    std::fs::remove_dir_all(&root).map_err(disk)
}

fn write_record(folder: &Path, release: &str, suite: &str, packages: &[Package]) -> io::Result<()> {
    let packages = packages.iter().map(|package| {
        serde_json::json!({
            "name": package.name,
            "version": package.version,
            "sha256": package.sha256,
        })
    });
    let packages: Vec<_> = packages.collect();
    let record = serde_json::json!({ "release": release, "suite": suite, "packages": packages });
    let beside = folder.join("record.part");
    std::fs::write(&beside, record.to_string())?;
    std::fs::rename(&beside, folder.join(RECORD))
}

/// The release of the newest cloud kernel of a series, among packages' names; where there is none,
/// of the nearest younger series.
fn newest(names: &[String], series: Series) -> Option<String> {
    let releases = names.iter().filter_map(|name| {
        let release = name.strip_prefix("linux-image-")?;
        release.ends_with("-cloud-amd64").then_some(release)
    });
    let mut found: Vec<(Series, Vec<u32>, &str)> = releases
        .filter_map(|release| Some((Series::of_release(release)?, numbers(release), release)))
        .filter(|(of, ..)| *of >= series)
        .collect();
    found.sort();
    let nearest = found.first()?.0;
    found.iter().rev().find(|(of, ..)| *of == nearest).map(|(.., release)| (*release).to_owned())
}

fn numbers(release: &str) -> Vec<u32> {
    release.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// The first file below `folder` whose name fits.
fn find(folder: &Path, fits: &dyn Fn(&str) -> bool) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.filter_map(Result::ok) {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_str().is_some_and(fits) {
                return Some(entry.path());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_the_series_is_chosen_by_number() {
        let names = [
            "linux-image-6.12.94+deb13-cloud-amd64",
            "linux-image-6.12.107+deb13-cloud-amd64",
            "linux-image-6.12.107+deb13-cloud-amd64-dbg",
            "linux-image-6.12.107+deb13-cloud-amd64-unsigned",
            "linux-image-6.13.1+deb13-cloud-amd64",
            "linux-image-6.12.200+deb13-amd64",
            "linux-image-cloud-amd64",
        ]
        .map(str::to_owned);
        let chosen = |major, minor| newest(&names, Series::new(major, minor));
        assert_eq!(chosen(6, 12).as_deref(), Some("6.12.107+deb13-cloud-amd64"));
        assert_eq!(chosen(6, 1).as_deref(), Some("6.12.107+deb13-cloud-amd64"));
        assert_eq!(chosen(6, 13).as_deref(), Some("6.13.1+deb13-cloud-amd64"));
        assert_eq!(chosen(6, 14), None);
    }

    #[test]
    fn a_series_is_two_numbers() {
        assert_eq!("6.12".parse::<Series>().unwrap(), Series::new(6, 12));
        assert_eq!(Series::of_release("5.10.0-32-cloud-amd64"), Some(Series::new(5, 10)));
        for wrong in ["6", "6.12.1", "six", "6.012", ""] {
            assert!(wrong.parse::<Series>().is_err(), "{wrong}");
        }
    }
}
