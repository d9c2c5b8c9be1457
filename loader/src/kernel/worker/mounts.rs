//! bpffs and tracefs: mounted where everyone has them, if they are missing.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::statfs;
use rustix::mount::{MountFlags, mount};

use crate::kernel::error::KernelError;

/// `BPF_FS_MAGIC` (uapi/linux/magic.h).
const BPF_FS_MAGIC: u64 = 0xcafe_4a11;

/// Where everyone mounts bpffs.
const BPFFS: &str = "/sys/fs/bpf";

/// Whether `path`, or the nearest directory above it that exists, is on a bpffs.
pub(super) fn on_bpffs(path: &Path) -> bool {
    path.ancestors()
        .find_map(|existing| statfs(existing).ok())
        .is_some_and(|fs| u64::try_from(fs.f_type).is_ok_and(|magic| magic == BPF_FS_MAGIC))
}

/// Makes sure that `pins` is on a bpffs; only the usual place is ever mounted.
pub(super) fn require_bpffs(pins: &Path) -> Result<(), KernelError> {
    if on_bpffs(pins) {
        return Ok(());
    }
    let failed = |cause: String| KernelError::Mount {
        what: "bpffs".to_owned(),
        path: PathBuf::from(pins),
        cause,
    };
    if !in_first_mount_namespace() {
        return Err(failed(
            "this mount namespace is not the machine's, and pins would vanish with it".to_owned(),
        ));
    }
    if !pins.starts_with(BPFFS) {
        return Err(failed("only /sys/fs/bpf is mounted on demand".to_owned()));
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("bpffs", BPFFS, "bpf", flags, Some(c"mode=0700"))
        .map_err(|error| failed(error.to_string()))
}

/// `ip netns exec`, for one, gives each command a /sys of its own that ends with it.
fn in_first_mount_namespace() -> bool {
    let id = |path: &str| std::fs::metadata(path).map(|ns| (ns.dev(), ns.ino())).ok();
    let own = id("/proc/self/ns/mnt");
    own.is_some() && own == id("/proc/1/ns/mnt")
}

/// Where tracefs is; the second is where it was before Linux 4.1.
const TRACEFS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// The tracefs that is mounted, or is now.
pub(super) fn require_tracefs() -> Result<&'static Path, KernelError> {
    let mounted = || TRACEFS.map(Path::new).into_iter().find(|dir| dir.join("events").exists());
    if let Some(dir) = mounted() {
        return Ok(dir);
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let tried = mount("tracefs", TRACEFS[0], "tracefs", flags, None);
    mounted().ok_or_else(|| KernelError::Mount {
        what: "tracefs".to_owned(),
        path: PathBuf::from(TRACEFS[0]),
        cause: tried.err().map_or_else(|| "it has no events".to_owned(), |e| e.to_string()),
    })
}
