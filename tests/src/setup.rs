//! What a Debian machine with only the Rust toolchain lacks, and how it is got.
//!
//! A [`Plan`] is made before anything happens, so that its commands can be shown first. Services
//! are never installed: what would start one is a [`crate::peers::Peer`], unpacked into the cache.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::command_line;

/// A package, and what shows that it (or another provider of the same) is there.
#[derive(Debug)]
struct Need {
    package: &'static str,
    shown_by: Sign,
}

#[derive(Debug)]
enum Sign {
    Program(&'static str),
    Header(&'static str),
}

const NEEDS: [Need; 12] = [
    Need { package: "gcc", shown_by: Sign::Program("cc") },
    Need { package: "g++", shown_by: Sign::Program("c++") },
    Need { package: "libc6-dev", shown_by: Sign::Header("stdio.h") },
    Need { package: "linux-libc-dev", shown_by: Sign::Header("linux/bpf.h") },
    Need { package: "clang", shown_by: Sign::Program("clang") },
    Need { package: "llvm", shown_by: Sign::Program("llvm-strip") },
    Need { package: "libbpf-dev", shown_by: Sign::Header("bpf/bpf_helpers.h") },
    Need { package: "bpftool", shown_by: Sign::Program("bpftool") },
    Need { package: "iproute2", shown_by: Sign::Program("ip") },
    Need { package: "iputils-ping", shown_by: Sign::Program("ping") },
    Need { package: "util-linux", shown_by: Sign::Program("nsenter") },
    Need { package: "strace", shown_by: Sign::Program("strace") },
];

/// What [`crate::vm`] needs beside [`NEEDS`]; the other jobs do without.
const VM_NEEDS: [Need; 1] =
    [Need { package: "qemu-system-x86", shown_by: Sign::Program("qemu-system-x86_64") }];

/// Why a machine could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The packages' names are Debian's.
    #[error("this is not Debian; install what it calls {}", packages.join(", "))]
    NotDebian {
        /// What is missing, by Debian's names.
        packages: Vec<&'static str>,
    },
    /// Packages are missing and only root can install them.
    #[error("packages are missing; as root: {}", commands.join(" && "))]
    NotRoot {
        /// The commands that root would give.
        commands: Vec<String>,
    },
    /// apt-get did not do it.
    #[error("packages are still missing after `apt-get install`: {}", packages.join(", "))]
    StillMissing {
        /// What is missing.
        packages: Vec<&'static str>,
    },
}

/// What is missing on this machine.
#[derive(Debug)]
pub struct Plan {
    needs: &'static [Need],
    packages: Vec<&'static str>,
}

impl Plan {
    /// Looks at the machine; changes nothing.
    pub fn for_this_machine() -> Self {
        Self::of(&NEEDS)
    }

    /// Looks for what virtual machines take; changes nothing.
    pub fn for_virtual_machines() -> Self {
        Self::of(&VM_NEEDS)
    }

    fn of(needs: &'static [Need]) -> Self {
        let missing = needs.iter().filter(|need| !need.is_met());
        Self { needs, packages: missing.map(|need| need.package).collect() }
    }

    /// The packages to install; none on a machine that is ready.
    pub fn packages(&self) -> &[&'static str] {
        &self.packages
    }

    /// The commands of [`Plan::carry_out`]; none on a machine that is ready.
    pub fn commands(&self) -> Vec<String> {
        self.steps().iter().map(command_line).collect()
    }

    /// Installs the packages, with apt-get's output where the caller's goes.
    pub fn carry_out(&self) -> Result<(), SetupError> {
        if self.packages.is_empty() {
            return Ok(());
        }
        if !Path::new("/etc/debian_version").exists() {
            return Err(SetupError::NotDebian { packages: self.packages.clone() });
        }
        if !is_root() {
            return Err(SetupError::NotRoot { commands: self.commands() });
        }
        for mut step in self.steps() {
            // `update` also fails over a repository of others that we do not need, so success is
            // measured by what is there in the end.
            let _ = step.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).status();
        }
        let left = Self::of(self.needs);
        if left.packages.is_empty() {
            Ok(())
        } else {
            Err(SetupError::StillMissing { packages: left.packages })
        }
    }

    fn steps(&self) -> Vec<Command> {
        if self.packages.is_empty() {
            return Vec::new();
        }
        let mut install = Command::new("apt-get");
        // Another apt may be at work, as on a machine that has just booted.
        install.args(["-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends"]);
        install.args(&self.packages);
        vec![update(), install]
    }
}

/// `apt-get update`.
pub(crate) fn update() -> Command {
    let mut update = Command::new("apt-get");
    update.arg("update");
    update
}

impl Need {
    fn is_met(&self) -> bool {
        match self.shown_by {
            Sign::Program(name) => program(name).is_some(),
            Sign::Header(name) => include_folders().iter().any(|folder| folder.join(name).exists()),
        }
    }
}

/// Where a program is, in `PATH` or a folder of the administrator's that `PATH` may lack.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let admin = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(admin).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// The folders of C headers: common, and of this architecture.
pub(crate) fn include_folders() -> [PathBuf; 2] {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    [PathBuf::from("/usr/include"), Path::new("/usr/include").join(triplet)]
}

/// Whether this process is root.
pub fn is_root() -> bool {
    // The owner of /proc/self is the effective user, with no call into libc for it.
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The command that makes tracepoints reachable, if they are not: tracefs may not be mounted.
pub fn tracefs_mount() -> Option<Command> {
    let there = Path::new("/sys/kernel/tracing/events").exists()
        || Path::new("/sys/kernel/debug/tracing/events").exists();
    if there {
        return None;
    }
    let mut mount = Command::new("mount");
    mount.args(["-t", "tracefs", "tracefs", "/sys/kernel/tracing"]);
    Some(mount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_says_what_it_will_do() {
        let plan = Plan { needs: &[], packages: vec!["clang", "llvm"] };
        let commands = plan.commands();
        assert_eq!(commands[0], "apt-get update");
        assert!(commands[1].ends_with("--no-install-recommends clang llvm"), "{commands:?}");
    }

    #[test]
    fn a_ready_machine_needs_no_command() {
        let plan = Plan { needs: &[], packages: Vec::new() };
        assert!(plan.commands().is_empty());
        assert!(plan.carry_out().is_ok());
    }

    #[test]
    fn finds_programs_and_misses_others() {
        assert!(program("sh").is_some());
        assert!(program("no-such-program").is_none());
    }
}
