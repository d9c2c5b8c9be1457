//! One virtual machine, from boot to power-off.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::{Kernel, Series, VmError, initrd};
use crate::run::run_with;
use crate::setup;

/// Ten times what a run takes on an idle machine.
const DEADLINE: Duration = Duration::from_mins(4);

const COMMAND_LINE: &str = "console=ttyS0 panic=-1 quiet loglevel=3 lsm=lockdown,yama,apparmor,bpf";

/// A machine to be booted.
#[derive(Debug)]
pub struct Machine<'a> {
    kernel: &'a Kernel,
    payload: Vec<PathBuf>,
    script: String,
}

impl<'a> Machine<'a> {
    /// A machine with `kernel` that will run a shell script (busybox's) in `/payload`, where
    /// `payload`'s files are.
    pub fn new(kernel: &'a Kernel, payload: Vec<PathBuf>, script: &str) -> Self {
        Self { kernel, payload, script: script.to_owned() }
    }

    /// Boots, runs the script, and gives the lines it printed. What the machine said is kept in a
    /// temporary folder when it did not come to the script's end.
    pub fn run(&self) -> Result<Vec<String>, VmError> {
        match self.boot() {
            // Emulated processors are not without faults: a panic that is the kernel's comes again.
            Err(VmError::Unfinished { .. }) => self.boot(),
            other => other,
        }
    }

    fn boot(&self) -> Result<Vec<String>, VmError> {
        let folder = folder()?;
        let results = folder.path().join("results");
        let mut qemu = self.qemu(folder.path(), "")?;
        qemu.arg("-serial").arg(format!("file:{}", results.display()));
        let ended = run_with(&mut qemu, b"", DEADLINE);
        let said = std::fs::read_to_string(&results).unwrap_or_default();
        let mut lines: Vec<String> = said.lines().map(|line| line.trim_end().to_owned()).collect();
        let series = self.kernel.series;
        match ended {
            Ok(output) if output.code == 0 => {
                if lines.pop().is_some_and(|last| last == "@@ done") {
                    return Ok(lines);
                }
                let output = keep(folder, &output.stdout)?;
                Err(VmError::Unfinished { series, output })
            }
            Ok(output) => {
                let kept = keep(folder, &output.transcript())?;
                let source = crate::RunError::Failed { output: Box::new(output) };
                Err(VmError::Machine { series, output: kept, source })
            }
            Err(source) => {
                let console = match &source {
                    crate::RunError::Deadline { output, .. } => output.transcript(),
                    other => other.to_string(),
                };
                Err(VmError::Machine { series, output: keep(folder, &console)?, source })
            }
        }
    }

    /// Boots into a shell on this terminal, until the user leaves it.
    pub fn shell(&self) -> Result<(), VmError> {
        let folder = folder()?;
        let mut qemu = self.qemu(folder.path(), " vm.shell")?;
        qemu.status()
            .map_err(|source| VmError::Disk { path: "qemu-system-x86_64".into(), source })?;
        Ok(())
    }

    fn qemu(&self, folder: &Path, more: &str) -> Result<Command, VmError> {
        let program = setup::program("qemu-system-x86_64").ok_or(VmError::NoQemu)?;
        let disk = |source| VmError::Disk { path: folder.to_owned(), source };
        let scratch = folder.join("initrd.d");
        std::fs::create_dir(&scratch).map_err(disk)?;
        let archive = folder.join("initrd");
        initrd::write(&archive, &scratch, self.kernel, &self.payload, &self.script)?;
        std::fs::remove_dir_all(&scratch).map_err(disk)?;

        let mut qemu = Command::new(program);
        // No acceleration: it is not to be had in most CI, and stock kernels do not boot with ours.
        qemu.args(["-machine", "q35", "-accel", "tcg,thread=multi"]);
        // qemu 7.2 now and then spoils the flags of an interrupted cmpxchg16b, and the kernel
        // panics at boot; without cx16 it uses a lock. From 6.18 on arenas need it.
        let cx16 = if self.kernel.series < Series::new(6, 18) { "max,-cx16" } else { "max" };
        qemu.args(["-cpu", cx16]);
        qemu.args(["-m", "768", "-smp", "2", "-display", "none", "-no-reboot", "-nodefaults"]);
        qemu.arg("-kernel").arg(self.kernel.image()).arg("-initrd").arg(archive);
        qemu.arg("-append").arg(format!("{COMMAND_LINE}{more}")).args(["-serial", "stdio"]);
        Ok(qemu)
    }
}

fn folder() -> Result<TempDir, VmError> {
    TempDir::with_prefix("bpfimage-vm-")
        .map_err(|source| VmError::Disk { path: std::env::temp_dir(), source })
}

/// Keeps a machine's folder for a person to look at; gives the path of what the console showed.
fn keep(folder: TempDir, console: &str) -> Result<PathBuf, VmError> {
    let path = folder.keep();
    let _ = std::fs::remove_file(path.join("initrd"));
    let file = path.join("console");
    std::fs::write(&file, console)
        .map_err(|source| VmError::Disk { path: file.clone(), source })?;
    Ok(file)
}
