//! Small objects that each ask one thing of a kernel, made from `tests/vm/requirements/*.c`.
//!
//! A file holds many: each begins with a line `// case: NAME`, ends where the next begins, and is
//! compiled alone after `requirements.h`. `// case: NAME attach` is attached as well.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use super::VmError;
use super::loader::{folder, includes, sysroot};
use crate::repo;
use crate::run::succeed;

const HEADER: &str = "requirements.h";

/// One object's source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Case {
    /// Name of its files, with no extension.
    stem: String,
    /// The C text, after which the compiler counts lines from `line` of `file`.
    text: String,
    file: String,
    line: usize,
}

/// Every object, compiled; by name in order.
pub(super) fn objects() -> Result<Vec<PathBuf>, VmError> {
    let sources = repo::root().join("tests/vm/requirements");
    let cases = cases(&sources)?;
    let usr = sysroot()?;
    let output = folder()?.join("requirements");
    let disk = |source: io::Error| VmError::Disk { path: output.clone(), source };
    let _lock = repo::lock(&output.join(".lock")).map_err(disk)?;
    let halves = cases.len().div_ceil(thread::available_parallelism().map_or(1, usize::from));
    thread::scope(|scope| {
        let chunks = cases.chunks(halves.max(1));
        let workers: Vec<_> = chunks
            .map(|chunk| {
                let make = |case| compile(case, &sources, &usr, &output);
                scope.spawn(move || chunk.iter().map(make).collect::<Result<Vec<_>, _>>())
            })
            .collect();
        let mut objects = Vec::new();
        for worker in workers {
            let panicked = || VmError::Input { what: "a compiling thread panicked".to_owned() };
            objects.extend(worker.join().map_err(|_| panicked())??);
        }
        objects.sort();
        Ok(objects)
    })
}

fn cases(sources: &Path) -> Result<Vec<Case>, VmError> {
    let disk = |source| VmError::Disk { path: sources.to_owned(), source };
    let mut cases: Vec<Case> = Vec::new();
    for entry in std::fs::read_dir(sources).map_err(disk)? {
        let path = entry.map_err(disk)?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            let text = std::fs::read_to_string(&path).map_err(disk)?;
            cases.extend(split(&path.display().to_string(), &text));
        }
    }
    cases.sort_by(|a, b| a.stem.cmp(&b.stem));
    match cases.windows(2).find(|pair| pair[0].stem == pair[1].stem) {
        Some(pair) => Err(VmError::Input { what: format!("two cases are `{}`", pair[0].stem) }),
        None => Ok(cases),
    }
}

/// The cases of one file.
fn split(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("// case: ") {
            cases.push(Case {
                stem: title.trim().replace(' ', "."),
                text: String::new(),
                file: file.to_owned(),
                line: at + 2,
            });
        } else if let Some(case) = cases.last_mut() {
            case.text.push_str(line);
            case.text.push('\n');
        }
    }
    cases
}

fn compile(case: &Case, sources: &Path, usr: &Path, output: &Path) -> Result<PathBuf, VmError> {
    let disk = |source: io::Error| VmError::Disk { path: output.to_owned(), source };
    let source = output.join(format!("{}.c", case.stem));
    let object = output.join(format!("{}.o", case.stem));
    let text =
        format!("#include \"{HEADER}\"\n#line {} \"{}\"\n{}", case.line, case.file, case.text);
    if std::fs::read_to_string(&source).is_ok_and(|old| old == text)
        && repo::is_newer(&object, &[&source, &sources.join(HEADER)])
    {
        return Ok(object);
    }
    std::fs::write(&source, text).map_err(disk)?;
    let mut clang = Command::new("clang");
    clang.args(["-O2", "-g", "-Wall", "-Werror", "-target", "bpf", "-mcpu=v3", "-I"]).arg(sources);
    for include in includes(usr) {
        clang.arg("-isystem").arg(include);
    }
    succeed(clang.arg("-c").arg(&source).arg("-o").arg(&object)).map_err(|source| {
        // A file that a failed compiler left must not pass for the object.
        let _ = std::fs::remove_file(&object);
        VmError::Make { what: format!("{} of {}", case.stem, case.file), source }
    })?;
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_at_its_cases() {
        let text = "// head\n// case: a\nint a;\n\n// case: b attach\nint b;\n";
        let cases = split("f.c", text);
        assert_eq!(cases.len(), 2);
        assert_eq!((cases[0].stem.as_str(), cases[0].line), ("a", 3));
        assert_eq!(cases[0].text, "int a;\n\n");
        assert_eq!((cases[1].stem.as_str(), cases[1].line), ("b.attach", 6));
    }
}
