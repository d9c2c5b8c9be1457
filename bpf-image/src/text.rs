//! Text that both programs print: plain tables, aligned and with nothing that a copy to an issue
//! would spoil.

use std::fmt::Write as _;

use anstyle::Style;
/// Text from objects, images and registries, which must not steer the terminal.
pub use bpf_image_spec::text::printable;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

/// Rows of `label  value`.
pub fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let style = Style::new().bold();
    rows.iter().fold(String::new(), |mut text, (label, value)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{style}{label:width$}{style:#}  {}", printable(value));
        text
    })
}

/// A table with a head; empty when there are no rows.
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head);
    for row in rows {
        table.add_row(row.each_ref().map(|cell| printable(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let style = Style::new().bold();
    let mut text = String::new();
    for (number, line) in table.lines().enumerate() {
        let line = line.trim_end();
        // Writing to a String cannot fail.
        let _ = match number {
            0 => writeln!(text, "{style}{line}{style:#}"),
            _ => writeln!(text, "{line}"),
        };
    }
    text
}

/// A size for people, with the bytes where they say more.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 3] = ["KiB", "MiB", "GiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let (mut tenths, mut unit) = (u128::from(size) * 10 / 1024, UNITS[0]);
    for next in &UNITS[1..] {
        if tenths < 10240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, next);
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_control_characters_gone() {
        let rows = [["a".to_owned(), "x\u{1b}[1m".to_owned()], ["long".to_owned(), String::new()]];
        let text = anstream::adapter::strip_str(&table(["NAME", "TYPE"], &rows)).to_string();
        assert_eq!(text, "NAME  TYPE\na     x\u{fffd}[1m\nlong\n");
        assert_eq!(table(["NAME"], &[]), "");
    }

    #[test]
    fn sizes_are_short() {
        let sizes = [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 20, "5.0 MiB")];
        for (size, text) in sizes {
            assert_eq!(bytes(size), text);
        }
    }
}
