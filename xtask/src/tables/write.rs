//! The tables as Rust source, with where they come from.

use std::fmt::Write as _;

use bpf_image_tests::headers::Header;

use super::Table;
use super::header::Kind;

/// The file's text, as rustfmt writes it.
pub(crate) fn tables(headers: &[Header], tables: &[Table]) -> String {
    let mut out = String::from(
        "//! Written by `cargo xtask tables`; change `xtask/src/tables` instead.\n//!\n\
         //! From `linux/bpf.h` of Debian's `linux-libc-dev`, and `documented.tsv` for the releases\n\
         //! between these (package version, suite, SHA-256 of the package):\n//!\n",
    );
    for header in headers {
        let _ =
            writeln!(out, "//! - {} ({})\n//!   {}", header.version, header.suite, header.sha256);
    }
    let newest = headers.last().map(|header| header.kernel).unwrap_or_default();
    let _ = writeln!(
        out,
        "\n/// The youngest kernel that was looked at.\n\
         pub(super) const NEWEST: (u16, u16) = ({}, {});",
        newest.0, newest.1
    );
    for table in tables {
        let (name, what) = match table.kind {
            Kind::Helper => ("HELPERS", "Helpers"),
            Kind::Map => ("MAP_TYPES", "Map types"),
            Kind::Program => ("PROGRAM_TYPES", "Program types"),
            Kind::Attach => ("ATTACH_TYPES", "Attach types"),
        };
        // Number 0 stands for nothing, but for attach types.
        let none = usize::from(table.kind != Kind::Attach);
        let _ = writeln!(
            out,
            "\n/// {what} from number {none} on, each with the first kernel that has it.\n\
             {}#[rustfmt::skip]\npub(super) const {name}: &[(&str, u16, u16)] = &[",
            match table.kind {
                Kind::Program | Kind::Attach => {
                    "#[cfg(test)]\n"
                }
                _ => "",
            }
        );
        for (name, (major, minor)) in table.rows.iter().skip(none) {
            let name = match table.kind {
                Kind::Helper => format!("bpf_{name}"),
                _ => name.clone(),
            };
            let _ = writeln!(out, "    (\"{name}\", {major}, {minor}),");
        }
        out.push_str("];\n");
    }
    out
}
