//! How both programs tell a person that something failed: what, whose fault, why, one hint.

use std::error::Error;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::text::printable;

/// Exit codes, the same for every command of both programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The host: privilege, disk, mounts, a file that is not what it should be.
    Failed = 1,
    /// The command line.
    Usage = 2,
    /// Policy or verification said no; the bytes are not what was declared or asked for.
    Refused = 3,
    /// This kernel cannot.
    Kernel = 4,
    /// Registry or network.
    Unreachable = 5,
    /// A gate that the user set said no.
    Gate = 6,
}

/// What is said beside the error itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Code to end with.
    pub exit: Exit,
    /// Who has to do something about it: `registry`, `image`, `signer`, `kernel`, `host` …
    pub fault: &'static str,
    /// Lines below the message, such as why each signature did not count.
    pub details: Vec<String>,
    /// One thing to do.
    pub hint: Option<String>,
}

/// The text for standard error, styled; print it through `anstream`.
pub fn render(error: &dyn Error, advice: &Advice) -> String {
    let label = |text: &str, color: AnsiColor| {
        let style = Style::new().bold().fg_color(Some(color.into()));
        format!("{style}{text}{style:#}")
    };
    let mut text = format!("{} {}\n", label("error:", AnsiColor::Red), line(error));
    let mut cause = error.source();
    // Writing to a String cannot fail.
    while let Some(error) = cause {
        let _ = writeln!(text, "  because {}", line(error));
        cause = error.source();
    }
    for detail in &advice.details {
        let _ = writeln!(text, "  {}", line(detail));
    }
    let _ = writeln!(text, "{} {}", label("fault:", AnsiColor::Yellow), advice.fault);
    if let Some(hint) = &advice.hint {
        let _ = writeln!(text, "{}  {}", label("hint:", AnsiColor::Green), line(hint));
    }
    text
}

/// A message is one line, whoever wrote it.
fn line(text: &(impl ToString + ?Sized)) -> String {
    printable(&text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read `a\u{1b}[2Jb`")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn error_causes_fault_and_hint_in_this_order() {
        let advice = Advice {
            exit: Exit::Refused,
            fault: "image",
            details: vec!["first".to_owned(), "second".to_owned()],
            hint: Some("try another".to_owned()),
        };
        let text = render(&Outer(std::io::Error::other("no such thing")), &advice);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(
            plain,
            "error: cannot read `a\u{fffd}[2Jb`\n  because no such thing\n  first\n  second\n\
             fault: image\nhint:  try another\n"
        );
    }
}
