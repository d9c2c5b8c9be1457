//! House rules that no other tool checks, on the text of each file.

use std::path::Path;
use std::process::Command;

use bpf_image_tests::{RunError, repo, succeed};

/// Cargo.lock's name for the default registry: an identifier, whatever mirror serves it.
const LOCK_REGISTRY: &str = concat!("github.com/rust-lang/crates", ".io-index");

const SPDX: &str = "// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause";

/// Hosts of package registries, in two parts so that this file does not name them either. A
/// machine's own settings say where packages come from; a mirror must be enough.
const REGISTRY_HOSTS: [(&str, &str); 9] = [
    ("crates", "io"),
    ("deb.debian", "org"),
    ("security.debian", "org"),
    ("snapshot.debian", "org"),
    ("proxy.golang", "org"),
    ("sum.golang", "org"),
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("registry.npmjs", "org"),
];

/// Complaints about the files that are, or are about to be, in the repository.
pub(super) fn check_repository() -> Result<Vec<String>, RunError> {
    let mut list = Command::new("git");
    // A container's root is often not the owner of the clone, and git would refuse to list it.
    list.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]);
    let files = succeed(list.arg("--exclude-standard").current_dir(repo::root()))?;
    let mut complaints = Vec::new();
    for file in files.stdout.split_terminator('\0') {
        // Not UTF-8 or just deleted: nothing to judge.
        if let Ok(text) = std::fs::read_to_string(repo::root().join(file)) {
            complaints.extend(check(file, &text).map(|complaint| format!("{file}: {complaint}")));
        }
    }
    Ok(complaints)
}

fn check(file: &str, text: &str) -> impl Iterator<Item = String> {
    let path = Path::new(file);
    let is = |extension: &str| path.extension().is_some_and(|found| found == extension);
    let head = (is("rs") && !text.starts_with("//!"))
        .then(|| "does not open with `//!`, saying what the file is for".to_owned());
    let spdx = (is("c") && path.starts_with("sample-progs") && !text.starts_with(SPDX))
        .then(|| format!("does not open with `{SPDX}`"));
    head.into_iter().chain(spdx).chain(registry_hosts(text))
}

fn registry_hosts(text: &str) -> Vec<String> {
    let text = text.replace(LOCK_REGISTRY, "");
    let hosts = REGISTRY_HOSTS.iter().map(|(name, top)| format!("{name}.{top}"));
    hosts
        .filter(|host| text.contains(host))
        .map(|host| format!("names the package registry host `{host}`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(file: &str, text: &str) -> Vec<String> {
        check(file, text).collect()
    }

    #[test]
    fn a_rust_file_opens_with_its_purpose() {
        assert!(complaints("a/b.rs", "//! Adds.\n").is_empty());
        assert_eq!(complaints("a/b.rs", "use std::fs;\n").len(), 1);
        assert!(complaints("notes.md", "use std::fs;\n").is_empty());
    }

    #[test]
    fn a_bpf_source_opens_with_its_licence() {
        assert!(complaints("sample-progs/x.c", &format!("{SPDX}\nint x;\n")).is_empty());
        assert_eq!(complaints("sample-progs/x.c", "int x;\n").len(), 1);
    }

    #[test]
    fn a_registry_host_is_seen_and_the_lock_file_may_stay() {
        let (name, top) = REGISTRY_HOSTS[0];
        assert_eq!(complaints("x.toml", &format!("https://static.{name}.{top}/x")).len(), 1);
        let lock = format!("registry+https://github.com/rust-lang/{name}.{top}-index");
        assert!(complaints("Cargo.lock", &lock).is_empty());
    }
}
