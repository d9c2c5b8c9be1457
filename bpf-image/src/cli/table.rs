//! Plain tables: aligned columns, bold heads, nothing that a copy to an issue would spoil.

use std::fmt::Write as _;

use anstyle::Style;

/// Rows of `label  value`.
pub(crate) fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let style = Style::new().bold();
    rows.iter().fold(String::new(), |mut text, (label, value)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{style}{label:width$}{style:#}  {}", printable(value));
        text
    })
}

/// A table with a head; empty when there are no rows.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = rows.iter().map(|row| row.each_ref().map(|cell| printable(cell))).collect();
    let mut widths = head.map(|cell| cell.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded: Vec<_> =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let style = Style::new().bold();
    let mut text = format!("\n{style}{}{style:#}\n", line(head));
    for row in &rows {
        let _ = writeln!(text, "{}", line(row.each_ref().map(String::as_str)));
    }
    text
}

/// Names in objects and images are foreign text, and must not steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A size for people, with the bytes where they say more.
pub(crate) fn bytes(size: u64) -> String {
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
        assert_eq!(text, "\nNAME  TYPE\na     x\u{fffd}[1m\nlong\n");
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
