//! Objects by clang, compiled when a test needs them.

#![allow(dead_code, reason = "each test uses what it needs")]

use std::path::Path;
use std::process::Command;

/// Compiles a source beside this file; `None`, loudly, where clang is missing.
pub(crate) fn compile(source: &str, target: &str, options: &[&str]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("object.o");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let status = Command::new("clang")
        .args(["-g", "-O2", "-Wall", "-target", target])
        .args(options)
        // Debian keeps asm/types.h apart by architecture, which the target BPF does not know.
        .arg(format!("-I/usr/include/{}-linux-gnu", std::env::consts::ARCH))
        .arg("-c")
        .arg(&source)
        .arg("-o")
        .arg(&out)
        .status();
    if status.is_err() && std::env::var_os("CI").is_none() {
        eprintln!("SKIPPED: no clang; apt-get install clang libbpf-dev");
        return None;
    }
    assert!(status.unwrap().success(), "clang failed on {}", source.display());
    Some(std::fs::read(out).unwrap())
}

/// The object without DWARF; `None` where the tool is missing.
pub(crate) fn stripped(object: &[u8]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("object.o");
    std::fs::write(&path, object).unwrap();
    let status = Command::new("llvm-strip").arg("-g").arg(&path).status().ok()?;
    assert!(status.success());
    Some(std::fs::read(&path).unwrap())
}
