//! What a script in a machine says to us: one line a case.
//!
//! ```text
//! @@ CASE loaded
//! @@ CASE refused STAGE ERRNO TEXT
//! @@ KIND:NAME present
//! @@ KIND:NAME absent
//! ```

/// One case's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The case.
    pub case: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// What a kernel did with an object, or has of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It loaded.
    Loaded,
    /// It did not.
    Refused {
        /// At `open`, `load` or `attach`.
        stage: String,
        /// The error number, positive.
        errno: i32,
        /// The verifier's last word, or libbpf's.
        text: String,
    },
    /// The kernel's BTF has the name.
    Present,
    /// It has not.
    Absent,
}

impl Line {
    /// Reads a line; `None` if it is none of ours.
    pub fn parse(line: &str) -> Option<Self> {
        let (case, rest) = line.trim_end().strip_prefix("@@ ")?.split_once(' ')?;
        let verdict = match rest {
            "loaded" => Verdict::Loaded,
            "present" => Verdict::Present,
            "absent" => Verdict::Absent,
            _ => {
                let mut words = rest.strip_prefix("refused ")?.splitn(3, ' ');
                Verdict::Refused {
                    stage: words.next()?.to_owned(),
                    errno: words.next()?.parse().ok()?,
                    text: words.next().unwrap_or_default().to_owned(),
                }
            }
        };
        Some(Self { case: case.to_owned(), verdict })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_ours_are_read_and_others_are_not() {
        let loaded = Line { case: "a.o".to_owned(), verdict: Verdict::Loaded };
        assert_eq!(Line::parse("@@ a.o loaded\r\n"), Some(loaded));
        let verdict = Verdict::Refused {
            stage: "load".to_owned(),
            errno: 22,
            text: "invalid func unknown#181".to_owned(),
        };
        let refused = Line { case: "b.o".to_owned(), verdict };
        assert_eq!(Line::parse("@@ b.o refused load 22 invalid func unknown#181"), Some(refused));
        for other in ["", "@@ done", "[    1.0] reboot", "@@ c.o refused load many"] {
            assert_eq!(Line::parse(other), None, "{other}");
        }
    }
}
