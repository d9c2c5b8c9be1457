//! The disagreements that are known, with their reasons: `tests/vm/disagreements.tsv`.

use super::super::VmError;
use crate::repo;

/// One line: a case, the kernels' labels, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) case: String,
    pub(super) kernels: Vec<String>,
    pub(super) why: String,
}

pub(super) fn read() -> Result<Vec<Listed>, VmError> {
    let path = repo::root().join("tests/vm/disagreements.tsv");
    let text = std::fs::read_to_string(&path)
        .map_err(|source| VmError::Disk { path: path.clone(), source })?;
    parse(&text).map_err(|line| VmError::Input {
        what: format!("{}:{line}: not CASE, KERNELS and WHY between tabs", path.display()),
    })
}

/// The error is a line's number.
fn parse(text: &str) -> Result<Vec<Listed>, usize> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let mut fields = line.split('\t');
            match (fields.next(), fields.next(), fields.next(), fields.next()) {
                (Some(case), Some(kernels), Some(why), None) if !why.is_empty() => Ok(Listed {
                    case: case.to_owned(),
                    kernels: kernels.split(',').map(str::to_owned).collect(),
                    why: why.to_owned(),
                }),
                _ => Err(at + 1),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_reason_is_refused() {
        assert_eq!(parse("# head\na\t5.10\t\n"), Err(2));
        assert_eq!(parse("a\t5.10\n"), Err(1));
        let listed = parse("a\t5.10,host\tbecause\n").unwrap();
        assert_eq!(listed[0].kernels, ["5.10", "host"]);
    }
}
