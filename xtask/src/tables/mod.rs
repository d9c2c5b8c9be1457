//! `cargo xtask tables`: what each kernel's BPF has, from sources that can be fetched again.
//!
//! The numbers and names come from `linux/bpf.h` of Debian's kernels. In which release between two
//! of those a name appeared is written down in `documented.tsv`, which has to agree with the
//! headers on both sides; what it does not hold gets the first kernel whose header has it, which
//! is late rather than wrong. The result is checked in, and reviewed like any other change.

mod header;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bpf_image_tests::headers::{self, Header};
use bpf_image_tests::peers::PeerError;
use bpf_image_tests::repo;

use crate::step::say;
use header::{Kind, names};

/// Oldest first.
const SUITES: [&str; 5] = ["bullseye", "bookworm", "trixie", "sid", "trixie-backports"];

const DOCUMENTED: &str = include_str!("documented.tsv");

/// A kernel as `(MAJOR, MINOR)`.
pub(crate) type Kernel = (u16, u16);

/// Why there are no tables.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// A header could not be fetched.
    #[error(transparent)]
    Fetch(#[from] PeerError),
    /// A header is not written as expected.
    #[error("{version}: no {what} in linux/bpf.h")]
    Header {
        /// Version of the package.
        version: String,
        /// What was looked for.
        what: &'static str,
    },
    /// A line of `documented.tsv` cannot be read.
    #[error("documented.tsv: cannot read `{line}`")]
    Line {
        /// The line.
        line: String,
    },
    /// Two sources contradict each other.
    #[error("{}", conflicts.join("\n"))]
    Conflict {
        /// Each contradiction in words.
        conflicts: Vec<String>,
    },
    /// The tables could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// One kind of names, each with the first kernel that has it, in the order of numbers.
pub(crate) struct Table {
    pub(crate) kind: Kind,
    /// The first is number 0.
    pub(crate) rows: Vec<(String, Kernel)>,
}

/// Fetches the headers and writes the tables anew.
pub(crate) fn run() -> Result<(), Error> {
    say(
        "linux/bpf.h of several Debian releases (apt-get in an area of its own, nothing installed)",
    );
    let mut headers = headers::fetch(&SUITES)?;
    headers.sort_by_key(|header| header.kernel);
    for header in &headers {
        println!("linux-libc-dev {} ({})", header.version, header.suite);
    }
    let documented = documented()?;
    let mut conflicts = Vec::new();
    let tables: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| table(*kind, &headers, &documented, &mut conflicts))
        .collect::<Result<_, _>>()?;
    if !conflicts.is_empty() {
        return Err(Error::Conflict { conflicts });
    }
    let path = repo::root().join("bpf-image/src/object/table/generated.rs");
    let text = write::tables(&headers, &tables);
    std::fs::write(&path, text).map_err(|source| Error::Write { path: path.clone(), source })?;
    say(&format!("wrote {}; raise VERSION in the module above if it changed", path.display()));
    Ok(())
}

type Documented = BTreeMap<(String, String), Kernel>;

fn documented() -> Result<Documented, Error> {
    let lines = DOCUMENTED.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        let mut columns = line.split('\t');
        let (kind, name, kernel) = (columns.next()?, columns.next()?, columns.next()?);
        let (major, minor) = kernel.split_once('.')?;
        Some(((kind.to_owned(), name.to_owned()), (major.parse().ok()?, minor.parse().ok()?)))
    };
    lines.map(|line| read(line).ok_or_else(|| Error::Line { line: line.to_owned() })).collect()
}

fn table(
    kind: Kind,
    headers: &[Header],
    documented: &Documented,
    conflicts: &mut Vec<String>,
) -> Result<Table, Error> {
    let mut known: Vec<(Kernel, Vec<String>)> = Vec::new();
    for header in headers {
        let found = names(kind, &header.text);
        let missing = || Error::Header { version: header.version.clone(), what: kind.label() };
        known.push((header.kernel, found.ok_or_else(missing)?));
    }
    let newest = known.last().map(|(_, names)| names.as_slice()).unwrap_or_default();
    // Numbers are ABI: an older header is the beginning of a newer one.
    for (kernel, names) in &known {
        if !newest.starts_with(names) {
            conflicts
                .push(format!("{}: {kernel:?} is not a beginning of the newest", kind.label()));
        }
    }
    let rows = newest.iter().enumerate().map(|(number, name)| {
        let has = |names: &[String]| names.len() > number;
        let first = known.iter().find(|(_, names)| has(names)).map(|(kernel, _)| *kernel);
        let last = known.iter().rev().find(|(_, names)| !has(names)).map(|(kernel, _)| *kernel);
        let written = documented.get(&(kind.label().to_owned(), name.clone())).copied();
        let since = written.or(first).unwrap_or_default();
        if last.is_some_and(|last| since <= last) || first.is_some_and(|first| since > first) {
            conflicts.push(format!(
                "{} {name}: documented {since:?}, absent from {last:?}, present in {first:?}",
                kind.label()
            ));
        }
        (name.clone(), since)
    });
    let rows: Vec<_> = rows.collect();
    for (of, name) in documented.keys().filter(|(of, _)| of == kind.label()) {
        if !newest.contains(name) {
            conflicts.push(format!("{of} {name}: documented, and in no header"));
        }
    }
    Ok(Table { kind, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kernel: Kernel, types: &str) -> Header {
        let text = format!("enum bpf_prog_type {{\n\tBPF_PROG_TYPE_UNSPEC,\n{types}\n}};\n");
        let (version, sha256) = (String::new(), String::new());
        Header { kernel, suite: "x", version, sha256, text }
    }

    fn since(documented_at: Option<Kernel>) -> (Kernel, usize) {
        let headers = [
            header((5, 10), "BPF_PROG_TYPE_A,"),
            header((6, 1), "BPF_PROG_TYPE_A,\nBPF_PROG_TYPE_B,"),
        ];
        let key = |name: &str| (Kind::Program.label().to_owned(), name.to_owned());
        let rows = documented_at.map(|kernel| (key("b"), kernel));
        let documented = rows.into_iter().collect();
        let mut conflicts = Vec::new();
        let table = table(Kind::Program, &headers, &documented, &mut conflicts).unwrap();
        (table.rows.last().unwrap().1, conflicts.len())
    }

    #[test]
    fn documented_kernel_lies_between_the_headers() {
        assert_eq!(since(Some((5, 14))), ((5, 14), 0));
        assert_eq!(since(None), ((6, 1), 0), "late rather than wrong");
        assert_eq!(since(Some((5, 10))).1, 1, "whose header lacks it");
        assert_eq!(since(Some((6, 2))).1, 1, "older ones have it");
    }

    #[test]
    fn every_documented_line_is_read() {
        assert!(documented().unwrap().len() > 300);
    }
}
