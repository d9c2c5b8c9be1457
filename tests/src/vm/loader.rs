//! `load-object`, our small program over libbpf that has a kernel load objects.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::VmError;
use crate::peers::Peer;
use crate::repo;
use crate::run::succeed;

/// The program, linked statically, made anew when its source is newer.
pub fn load_object() -> Result<PathBuf, VmError> {
    let source = repo::root().join("tests/vm/load_object.c");
    let folder = folder()?;
    let program = folder.join("load-object");
    let disk = |source: io::Error| VmError::Disk { path: folder.clone(), source };
    let _lock = repo::lock(&folder.join(".lock")).map_err(disk)?;
    if repo::is_newer(&program, &[&source]) {
        return Ok(program);
    }
    let usr = sysroot()?;
    let libraries = usr.join("lib/x86_64-linux-gnu");
    let make = |source| VmError::Make { what: "load-object".to_owned(), source };
    let own = succeed(Command::new("cc").arg("-print-file-name=include")).map_err(make)?;
    let beside = folder.join(".load-object.part");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-static", "-nostdinc"]);
    // libbpf, libc and its headers are of one release, which is not this machine's.
    for include in [Path::new(own.stdout.trim()).to_owned()].into_iter().chain(includes(&usr)) {
        cc.arg("-isystem").arg(include);
    }
    cc.arg("-L").arg(&libraries).arg("-B").arg(&libraries).arg(&source).arg("-o").arg(&beside);
    succeed(cc.args(["-lbpf", "-lelf", "-lz"])).map_err(make)?;
    std::fs::rename(&beside, &program).map_err(disk)?;
    Ok(program)
}

/// The folder `usr` that libbpf was unpacked into.
pub(super) fn sysroot() -> Result<PathBuf, VmError> {
    let archive = Peer::Libbpf
        .path()
        .map_err(|source| VmError::Fetch { what: "libbpf".to_owned(), source })?;
    // usr/lib/TRIPLET/libbpf.a
    Ok(archive.ancestors().nth(3).unwrap_or(&archive).to_owned())
}

/// The folders of its headers.
pub(super) fn includes(usr: &Path) -> [PathBuf; 2] {
    [usr.join("include"), usr.join("include/x86_64-linux-gnu")]
}

/// Where what is made for machines lies.
pub(super) fn folder() -> Result<PathBuf, VmError> {
    let folder = repo::target().join("vm");
    std::fs::create_dir_all(&folder)
        .map_err(|source| VmError::Disk { path: folder.clone(), source })?;
    Ok(folder)
}
