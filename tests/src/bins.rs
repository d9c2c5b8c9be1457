//! The built programs under test.

use std::path::PathBuf;

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

fn find(name: &'static str, variable: &'static str) -> Result<PathBuf, NotBuilt> {
    let path = std::env::var_os(variable)
        .map_or_else(|| repo::target().join("debug").join(name), PathBuf::from);
    if path.is_file() {
        Ok(path)
    } else {
        Err(NotBuilt { name, variable, path: path.display().to_string() })
    }
}
