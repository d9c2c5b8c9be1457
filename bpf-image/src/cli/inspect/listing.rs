//! Instructions and types, as `--disasm` and `--btf` show them.

use std::fmt::Write as _;

use bpf_image::text::printable;
use bpf_image::verbs::inspect::listing::Listing;

use crate::cli::paint::{BOLD, DIM, painted};

/// Instructions by their numbers, each source line above what was made from it.
pub(super) fn listing(listing: &Listing) -> String {
    let mut text = format!("{}\n", painted(BOLD, printable(&listing.program)));
    for line in &listing.lines {
        // Writing to a String cannot fail.
        if let Some(source) = &line.source {
            let place = format!("{}:{}", source.file, source.line);
            let place = place.rsplit('/').next().unwrap_or(&place);
            let comment = format!("; {}  ({place})", source.text.trim());
            let _ = writeln!(text, "      {}", painted(DIM, printable(&comment)));
        }
        let _ = writeln!(text, "{:4}  {}", line.number, printable(&line.text));
    }
    text
}

/// A type in C; only its line breaks are layout.
pub(super) fn definition(text: &str) -> String {
    let lines = text.lines().map(|line| printable(&line.replace('\t', "    ")));
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}
