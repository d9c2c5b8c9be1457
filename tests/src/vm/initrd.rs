//! What a machine boots into: busybox, an init script, the caller's files and a few modules.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Kernel, VmError};
use crate::peers::Peer;
use crate::run::{quote, run, succeed};

/// Modules that Debian's kernels do not have built in, in the order in which they go in.
const MODULES: [&str; 4] = ["veth", "sch_ingress", "cls_bpf", "netkit"];

/// The second serial port carries results: the kernel's own messages go to the first.
///
/// With `vm.shell` on the kernel's command line a person gets a shell instead of the script.
const INIT: &str = r"#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
for module in /modules/*.ko; do
    insmod $module 2>/dev/null
done
cd /payload
if grep -q vm.shell /proc/cmdline; then
    echo 'The files are in /payload, the script is /script; exit or ^D ends the machine.'
    setsid cttyhack sh
else
    sh /script >/dev/ttyS1 2>&1
    echo '@@ done' >/dev/ttyS1
fi
poweroff -f
";

/// Writes the archive `file`; `scratch` is an empty folder for it.
pub(super) fn write(
    file: &Path,
    scratch: &Path,
    kernel: &Kernel,
    payload: &[PathBuf],
    script: &str,
) -> Result<(), VmError> {
    let busybox = Peer::Busybox
        .path()
        .map_err(|source| VmError::Fetch { what: "busybox".to_owned(), source })?;
    let disk = |source| VmError::Disk { path: scratch.to_owned(), source };
    let make = |source| VmError::Make { what: file.display().to_string(), source };
    for folder in ["bin", "proc", "sys", "dev", "tmp", "modules", "payload"] {
        std::fs::create_dir(scratch.join(folder)).map_err(disk)?;
    }
    std::fs::copy(&busybox, scratch.join("bin/busybox")).map_err(disk)?;
    symlink("busybox", scratch.join("bin/sh")).map_err(disk)?;
    let init = scratch.join("init");
    std::fs::write(&init, INIT).map_err(disk)?;
    std::fs::set_permissions(&init, std::fs::Permissions::from_mode(0o755)).map_err(disk)?;
    std::fs::write(scratch.join("script"), script).map_err(disk)?;
    for path in payload {
        let name = path.file_name().unwrap_or_default();
        std::fs::copy(path, scratch.join("payload").join(name)).map_err(disk)?;
    }
    for (at, name) in MODULES.iter().enumerate() {
        if let Some(packed) = kernel.module(name) {
            let to = scratch.join(format!("modules/{at}-{name}.ko"));
            unpack(&busybox, &packed, &to)?;
        }
    }
    let text = |path: &Path| quote(&path.to_string_lossy());
    let pack = format!("find . | {} cpio -o -H newc >{}", text(&busybox), text(file));
    succeed(Command::new("sh").args(["-c", &pack]).current_dir(scratch)).map_err(make)?;
    Ok(())
}

/// Modules are packed by xz in some releases and not at all in others.
fn unpack(busybox: &Path, packed: &Path, to: &Path) -> Result<(), VmError> {
    let disk = |source| VmError::Disk { path: to.to_owned(), source };
    let copy = to.with_extension("ko.xz");
    let is_packed = packed.extension().is_some_and(|extension| extension == "xz");
    std::fs::copy(packed, if is_packed { &copy } else { to }).map_err(disk)?;
    if is_packed {
        let mut command = Command::new(busybox);
        let output = run(command.arg("unxz").arg(&copy));
        output.map_err(|source| VmError::Make { what: to.display().to_string(), source })?;
    }
    Ok(())
}
