//! Text that somebody else wrote, made fit for a line on a terminal.
//!
//! A control character moves the cursor. A bidirectional or invisible one reorders or hides what
//! stands beside it, so that a name can look like another, or a refusal like a verdict.

/// Whether text may be printed as it is.
pub fn is_printable(text: &str) -> bool {
    !text.chars().any(is_steering)
}

/// The text with U+FFFD in place of each character that is not to be printed.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_steering(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Whether a character steers the terminal rather than being seen: control characters, line and
/// paragraph separators, and the format characters of Unicode (category Cf).
pub fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_move_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n\u{9b}"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn text_cannot_reorder_or_hide_a_line() {
        for range in ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2066}'..='\u{2069}'] {
            for c in range {
                assert!(!is_printable(&format!("a{c}b")), "{c:?}");
                assert_eq!(printable(&c.to_string()), "\u{fffd}", "{c:?}");
            }
        }
        assert!(!is_printable("\u{feff}a") && !is_printable("a\u{e0041}"));
    }

    #[test]
    fn text_of_any_script_stays() {
        for text in ["xdp_count", "größe", "счётчик", "计数器", "عداد", "a b", "🐝"]
        {
            assert!(is_printable(text), "{text}");
            assert_eq!(printable(text), text);
        }
    }
}
