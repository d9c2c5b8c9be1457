//! Tables and words in colour, which `anstream` takes away where there is no terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use bpf_image::text;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();

/// Text in a style.
pub(crate) fn painted(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A table whose rows begin with a name, or with a mark that has a style of its own.
pub(crate) fn table<const N: usize>(
    head: [&str; N],
    rows: &[[String; N]],
    style: impl Fn(usize) -> Style,
) -> String {
    let plain = text::table(head, rows);
    let mut lines = plain.lines();
    let mut text = String::new();
    if let Some(head) = lines.next() {
        text = format!("{head}\n");
    }
    // Widths are counted without styles, so the table was laid out before.
    for (number, line) in lines.enumerate() {
        let first = rows.get(number).map(|row| text::printable(&row[0])).unwrap_or_default();
        let style = style(number);
        // Writing to a String cannot fail.
        let _ = match line.strip_prefix(first.as_str()) {
            Some(rest) => writeln!(text, "{style}{first}{style:#}{rest}"),
            None => writeln!(text, "{line}"),
        };
    }
    text
}
