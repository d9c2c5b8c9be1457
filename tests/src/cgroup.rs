//! A control group of a test's own, wherever this machine has cgroup2.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repo::unique_name;

/// A control group until it is dropped, by when its processes must have ended.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
}

/// Why there is no control group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CgroupError {
    /// The list of mounts cannot be read.
    #[error("cannot read /proc/self/mountinfo")]
    Mountinfo(#[source] io::Error),
    /// No cgroup2 is mounted.
    #[error("cgroup2 is not mounted; as root: mount -t cgroup2 cgroup2 DIR")]
    NotMounted,
    /// The group could not be made.
    #[error("cannot make the control group {path}")]
    Make {
        /// Its folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Cgroup {
    /// Makes an empty group below the root of cgroup2.
    pub fn new() -> Result<Self, CgroupError> {
        let path = mount_point()?.join(unique_name());
        std::fs::create_dir(&path)
            .map_err(|source| CgroupError::Make { path: path.clone(), source })?;
        Ok(Self { path })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command that runs `program` inside the group from its first instruction; add arguments.
    pub fn command(&self, program: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"echo $$ > "$0/cgroup.procs" && exec "$@""#]);
        shell.arg(&self.path).arg(program);
        shell
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.path);
    }
}

/// Where cgroup2 is mounted: `/sys/fs/cgroup` or, on a hybrid layout, below it.
pub fn mount_point() -> Result<PathBuf, CgroupError> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").map_err(CgroupError::Mountinfo)?;
    cgroup2_in(&mounts).ok_or(CgroupError::NotMounted)
}

/// proc(5): the mount point is the fifth field, the type the first after the lone dash.
fn cgroup2_in(mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        kind.starts_with("cgroup2 ").then_some(PathBuf::from(mount.split(' ').nth(4)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_cgroup2_in_a_hybrid_layout() {
        let mounts = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
                      32 31 0:29 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n";
        assert_eq!(cgroup2_in(mounts), Some(PathBuf::from("/sys/fs/cgroup/unified")));
        assert_eq!(cgroup2_in("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"), None);
    }

    #[test]
    fn runs_a_command_inside() {
        if crate::skip::without_root() {
            return;
        }
        let group = Cgroup::new().unwrap();
        let output = crate::succeed(group.command("cat").arg("/proc/self/cgroup")).unwrap();
        let name = group.path().file_name().unwrap().to_str().unwrap();
        output.assert_stdout_has(name);
        let path = group.path().to_owned();
        drop(group);
        assert!(!path.exists());
    }
}
