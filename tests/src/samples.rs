//! The sample programs, compiled when somebody needs one.
//!
//! Objects go to `target/samples/` and are never committed. One is made again only when its
//! source is newer, and clang is kept from writing down where it runs, so that the object's digest
//! does not depend on where the repository lies.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repo;
use crate::run::{RunError, RunOutput, succeed};
use crate::setup::include_folders;

/// Why a sample is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// No such source.
    #[error("there is no sample source {path}")]
    Unknown {
        /// Where it would be.
        path: PathBuf,
    },
    /// A compiler or `llvm-strip` is missing, or refuses.
    #[error("cannot compile the sample {name}")]
    Compile {
        /// The sample.
        name: String,
        /// How the tool ended.
        #[source]
        source: RunError,
    },
    /// Files could not be read or written.
    #[error("cannot keep compiled samples in {path}")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The BPF object of `sample-progs/NAME.c`.
pub fn object(name: &str) -> Result<PathBuf, SampleError> {
    let source = PathBuf::from(format!("{name}.c"));
    made(&source, &format!("{name}.o"), |output| compile(&sources(), &source, output))
}

/// Compiles `source`, named as seen from `folder`, as samples are: for a test with one of its own.
pub fn compile(folder: &Path, source: &Path, output: &Path) -> Result<RunOutput, RunError> {
    let mut clang = Command::new("clang");
    clang.args(["-O2", "-g", "-Wall", "-Werror", "-target", "bpf", "-mcpu=v3"]);
    // BTF names the source file of each line: by a path that is the same everywhere.
    clang.arg("-fdebug-compilation-dir=.");
    for include in include_folders() {
        clang.arg("-I").arg(include);
    }
    succeed(clang.arg("-c").arg(source).arg("-o").arg(output).current_dir(folder))?;
    // DWARF only: BTF stays.
    succeed(Command::new("llvm-strip").arg("-g").arg(output))
}

/// The user-space program that reads a counter, built once for every version of the kernel side.
pub fn read_counter() -> Result<PathBuf, SampleError> {
    let source = PathBuf::from("user/read_counter.c");
    made(&source, "read-counter", |output| {
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-Wall", "-Wextra", "-Werror"]).arg(&source).arg("-o").arg(output);
        succeed(cc.arg("-lbpf").current_dir(sources()))
    })
}

/// The names that [`object`] takes, in order.
pub fn names() -> Result<Vec<String>, SampleError> {
    let folder = sources();
    let disk = |source| SampleError::Disk { path: folder.clone(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(disk)? {
        let path = entry.map_err(disk)?.path();
        if path.extension().is_some_and(|extension| extension == "c")
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Every object, and the reader.
pub fn build_all() -> Result<Vec<PathBuf>, SampleError> {
    let mut built = names()?.iter().map(|name| object(name)).collect::<Result<Vec<_>, _>>()?;
    built.push(read_counter()?);
    Ok(built)
}

fn sources() -> PathBuf {
    repo::root().join("sample-progs")
}

/// Gives `target/samples/OUTPUT`, made by `compile` when `source` (below the sources) is newer.
fn made(
    source: &Path,
    output: &str,
    compile: impl FnOnce(&Path) -> Result<RunOutput, RunError>,
) -> Result<PathBuf, SampleError> {
    let folder = repo::target().join("samples");
    let path = folder.join(output);
    let full_source = sources().join(source);
    if !full_source.is_file() {
        return Err(SampleError::Unknown { path: full_source });
    }
    let disk = |source| SampleError::Disk { path: folder.clone(), source };
    let _lock = repo::lock(&folder.join(".lock")).map_err(disk)?;
    if repo::is_newer(&path, &[&full_source]) {
        return Ok(path);
    }
    // Compiled beside and renamed: a reader sees the old file or the new one, never a part.
    let beside = folder.join(format!(".{output}.part"));
    compile(&beside).map_err(|source| SampleError::Compile { name: output.to_owned(), source })?;
    std::fs::rename(&beside, &path).map_err(disk)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bpffs::Bpffs;

    #[test]
    fn an_unknown_sample_is_named() {
        let error = object("no_such_sample").unwrap_err();
        assert!(error.to_string().ends_with("sample-progs/no_such_sample.c"), "{error}");
    }

    #[test]
    fn an_object_is_made_once() {
        let first = object("xdp_counter_v1").unwrap();
        let time = first.metadata().unwrap().modified().unwrap();
        let second = object("xdp_counter_v1").unwrap();
        assert_eq!(second.metadata().unwrap().modified().unwrap(), time);
    }

    #[test]
    fn this_kernel_loads_every_sample() {
        if crate::skip::without_root() {
            return;
        }
        let bpffs = Bpffs::mount().unwrap();
        for name in names().unwrap() {
            let pin = bpffs.path().join(&name);
            succeed(
                Command::new("bpftool").args(["prog", "load"]).arg(object(&name).unwrap()).arg(pin),
            )
            .unwrap();
        }
    }

    #[test]
    fn the_reader_refuses_what_is_not_a_counter() {
        if crate::skip::without_root() {
            return;
        }
        let bpffs = Bpffs::mount().unwrap();
        let pin = bpffs.path().join("hash");
        succeed(
            Command::new("bpftool")
                .args(["map", "create"])
                .arg(&pin)
                .args(["type", "hash", "key", "4", "value", "8", "entries", "1", "name", "hash"]),
        )
        .unwrap();
        let output = crate::run(Command::new(read_counter().unwrap()).arg(&pin)).unwrap();
        output.assert_code(1).assert_stderr_has("not a per-CPU array of 64-bit counters");
    }
}
