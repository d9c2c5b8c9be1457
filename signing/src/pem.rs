//! PEM as this crate reads it (RFC 7468, the strict form): one block, nothing before or after it.
//!
//! Lenient readers take the first of several blocks. In a policy that would silently drop every
//! further key, so a second block is an error here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest text taken for a key; real ones are below 2 KiB.
const MAX: usize = 64 * 1024;
/// Columns per line, as Go's and OpenSSL's encoders have it.
const WIDTH: usize = 64;

/// The label and the content of the only block in `text`.
pub(crate) fn decode(text: &[u8]) -> Option<(&str, Vec<u8>)> {
    if text.len() > MAX {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let body = rest.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix("-----END ")?;
    let is_label = label.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ');
    if !is_label {
        return None;
    }
    let packed: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    Some((label, STANDARD.decode(packed).ok()?))
}

/// One block with `label` around `content`.
pub(crate) fn encode(label: &str, content: &[u8]) -> String {
    let packed = STANDARD.encode(content);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = packed.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII, so any byte offset is a character boundary.
        let (line, tail) = rest.split_at(rest.len().min(WIDTH));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_whatever_the_line_endings() {
        let text = encode("PUBLIC KEY", &[7; 100]);
        assert_eq!(decode(text.as_bytes()), Some(("PUBLIC KEY", vec![7; 100])));
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(decode(crlf.as_bytes()), Some(("PUBLIC KEY", vec![7; 100])));
    }

    #[test]
    fn two_blocks_are_refused() {
        let text = encode("PUBLIC KEY", &[7; 100]);
        assert_eq!(decode(text.repeat(2).as_bytes()), None);
    }

    #[test]
    fn broken_blocks_are_refused() {
        for text in [
            "",
            "-----BEGIN A-----",
            "-----BEGIN A----------END B-----",
            "-----BEGIN A-----\n!\n-----END A-----",
            "x\n-----BEGIN A-----\n-----END A-----",
            "-----BEGIN a\u{1b}-----\n-----END a\u{1b}-----",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
