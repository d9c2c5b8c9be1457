//! How an unpacked program is started: as it is, or by a small script beside it.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::PeerError;
use super::apt::library_folders;
use super::recipe::{Recipe, Start};
use crate::run::quote;

/// Where a peer's packages are unpacked, inside its folder.
pub(super) const ROOT: &str = "root";

/// What to run for a peer in `folder`.
pub(super) fn program(folder: &Path, recipe: &Recipe) -> PathBuf {
    match recipe.start {
        Start::AsIs => folder.join(ROOT).join(recipe.program),
        Start::OwnLoader | Start::LibraryPath => folder.join(recipe.package),
    }
}

/// Checks what was unpacked and writes the script if there is to be one.
pub(super) fn write(folder: &Path, recipe: &Recipe) -> Result<(), PeerError> {
    let root = folder.join(ROOT);
    let real = root.join(recipe.program);
    let incomplete =
        |what: &str| PeerError::Incomplete { name: recipe.name, what: what.to_owned() };
    if !real.is_file() {
        return Err(incomplete(recipe.program));
    }
    let libraries = library_folders(&root);
    let text = |path: &Path| quote(&path.to_string_lossy());
    let path =
        quote(&libraries.iter().map(|lib| lib.to_string_lossy()).collect::<Vec<_>>().join(":"));
    let start = match recipe.start {
        Start::AsIs => return Ok(()),
        Start::OwnLoader => {
            let loader = loader(&libraries).ok_or_else(|| incomplete("dynamic loader"))?;
            let name = recipe.package;
            format!("exec {} --library-path {path} --argv0 {name}", text(&loader))
        }
        Start::LibraryPath => format!("LD_LIBRARY_PATH={path} exec"),
    };
    // With this home the tool reads its policy here, and no settings of the machine's user.
    let home = folder.join("home");
    let script =
        format!("#!/bin/sh\nHOME={}; export HOME\n{start} {} \"$@\"\n", text(&home), text(&real));
    let cache = |source: io::Error| PeerError::Cache { path: folder.to_owned(), source };
    let containers = home.join(".config/containers");
    std::fs::create_dir_all(&containers).map_err(cache)?;
    // These tools refuse to work without a policy. Trust is judged elsewhere: by cosign and us.
    let policy = r#"{"default":[{"type":"insecureAcceptAnything"}]}"#;
    std::fs::write(containers.join("policy.json"), policy).map_err(cache)?;
    let file = program(folder, recipe);
    std::fs::write(&file, script).map_err(cache)?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).map_err(cache)
}

/// The dynamic loader, whose name differs by architecture.
fn loader(libraries: &[PathBuf]) -> Option<PathBuf> {
    let entries = libraries.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    entries.filter_map(Result::ok).map(|entry| entry.path()).find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
    })
}
