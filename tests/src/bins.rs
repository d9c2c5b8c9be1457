//! The built programs under test.

use std::path::PathBuf;
use std::process::Command;

use crate::repo;

/// A program that is not built yet.
#[derive(Debug, thiserror::Error)]
#[error("{path} is not there; build it with `cargo build -p {name}`, or set {variable}")]
pub struct NotBuilt {
    name: &'static str,
    variable: &'static str,
    path: String,
}

/// The `bpf-image` program: `$BPF_IMAGE_BIN`, or the one in cargo's debug folder.
pub fn bpf_image() -> Result<PathBuf, NotBuilt> {
    find("bpf-image", "BPF_IMAGE_BIN")
}

/// The `bpf-loader` program: `$BPF_LOADER_BIN`, or the one in cargo's debug folder.
pub fn bpf_loader() -> Result<PathBuf, NotBuilt> {
    find("bpf-loader", "BPF_LOADER_BIN")
}

/// Builds both.
pub fn build() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "-p", "bpf-image", "-p", "bpf-loader"]);
    cargo.current_dir(repo::root());
    cargo
}

fn find(name: &'static str, variable: &'static str) -> Result<PathBuf, NotBuilt> {
    let path = std::env::var_os(variable)
        .map_or_else(|| repo::target().join("debug").join(name), PathBuf::from);
    if path.is_file() {
        Ok(path)
    } else {
        Err(NotBuilt { name, variable, path: path.display().to_string() })
    }
}
