//! Objects by kernels: what was stated, what happened, and whether that is as it should be.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::{Series, Verdict, VmError};
use super::Verdicts;
use super::listed::Listed;

/// A kernel that was tried.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in tables: the series, or `host`.
    pub label: String,
    /// Its series.
    pub series: Series,
    /// Its release.
    pub release: String,
}

/// An object that was tried.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is about.
    pub case: String,
    /// The kernel that inspection states.
    pub minimum: Series,
    /// The youngest thing it asks for.
    pub reason: String,
    /// What it is stated to look up in the kernel's BTF, `KIND:NAME`.
    pub lookups: Vec<String>,
    /// A cell a column.
    pub cells: Vec<Cell>,
    pub(super) file: String,
}

/// One object on one kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// It loads, as stated.
    Loads,
    /// It is refused, as stated.
    Refused,
    /// Other than stated, and the list says why.
    Listed {
        /// What the list says.
        why: String,
    },
    /// Other than stated.
    Wrong {
        /// What the kernel did.
        verdict: Verdict,
    },
    /// As stated, though the list says otherwise.
    Unlisted,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// The kernels.
    pub columns: Vec<Column>,
    /// The objects.
    pub rows: Vec<Row>,
    stray: Vec<String>,
}

impl Matrix {
    pub(super) fn new(
        rows: Vec<Row>,
        columns: Vec<(Column, Verdicts)>,
        listed: &[Listed],
    ) -> Result<Self, VmError> {
        let mut rows = rows;
        for row in &mut rows {
            for (column, verdicts) in &columns {
                let said = |what: &str| {
                    verdicts.get(what).ok_or_else(|| VmError::Input {
                        what: format!("kernel {} said nothing of {what}", column.label),
                    })
                };
                let mut able = column.series >= row.minimum;
                for lookup in &row.lookups {
                    able &= *said(lookup)? == Verdict::Present;
                }
                let cell = judge(&row.case, column, able, said(&row.file)?, listed);
                row.cells.push(cell);
            }
        }
        let cases: BTreeSet<&str> = rows.iter().map(|row| row.case.as_str()).collect();
        let stray = listed.iter().filter(|entry| !cases.contains(entry.case.as_str()));
        let stray = stray.map(|entry| entry.case.clone()).collect();
        Ok(Self { columns: columns.into_iter().map(|(column, _)| column).collect(), rows, stray })
    }

    /// What is not as it should be, a line each; empty when all is well.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> =
            self.stray.iter().map(|case| format!("{case} is listed, and there is none")).collect();
        for row in &self.rows {
            for (column, cell) in self.columns.iter().zip(&row.cells) {
                let Row { case, minimum, reason, .. } = row;
                let label = &column.label;
                let stated = format!("{case}: {label}: minimum {minimum} is stated ({reason})");
                match cell {
                    Cell::Wrong { verdict: Verdict::Loaded } => {
                        complaints.push(format!("{stated}, and it loads"));
                    }
                    Cell::Wrong { verdict: Verdict::Refused { stage, errno, text } } => {
                        complaints
                            .push(format!("{stated}, and {stage} is refused ({errno}): {text}"));
                    }
                    Cell::Wrong { verdict } => complaints.push(format!("{stated}: {verdict:?}")),
                    Cell::Unlisted => complaints
                        .push(format!("{stated} and met; take it off the list of disagreements")),
                    Cell::Loads | Cell::Refused | Cell::Listed { .. } => {}
                }
            }
        }
        complaints
    }

    /// A table for a person, with the reasons of listed cells below.
    pub fn table(&self) -> String {
        let width = self.rows.iter().map(|row| row.case.len()).max().unwrap_or(0);
        let mut table = format!("{:width$}  minimum", "");
        let mut notes: Vec<&str> = Vec::new();
        for column in &self.columns {
            let _ = write!(table, " {:>6}", column.label);
        }
        for row in &self.rows {
            let _ = write!(table, "\n{:width$}  {:>7}", row.case, row.minimum.to_string());
            for cell in &row.cells {
                let mark = match cell {
                    Cell::Loads => "loads".to_owned(),
                    Cell::Refused => "-".to_owned(),
                    Cell::Listed { why } => {
                        let at = notes.iter().position(|note| note == why).unwrap_or_else(|| {
                            notes.push(why);
                            notes.len() - 1
                        });
                        format!("[{}]", at + 1)
                    }
                    Cell::Wrong { .. } => "WRONG".to_owned(),
                    Cell::Unlisted => "LISTED".to_owned(),
                };
                let _ = write!(table, " {mark:>6}");
            }
        }
        table.push('\n');
        for (at, note) in notes.iter().enumerate() {
            let _ = writeln!(table, "[{}] {note}", at + 1);
        }
        table
    }
}

/// `able`: whether the kernel should be able to load it, by what is stated.
fn judge(case: &str, column: &Column, able: bool, verdict: &Verdict, listed: &[Listed]) -> Cell {
    let label = &column.label;
    let is_here = |entry: &&Listed| entry.case == case && entry.kernels.contains(label);
    let loads = *verdict == Verdict::Loaded;
    match (loads == able, listed.iter().find(is_here)) {
        (false, Some(entry)) => Cell::Listed { why: entry.why.clone() },
        (false, None) => Cell::Wrong { verdict: verdict.clone() },
        // This machine may be any: what is listed for one need not hold on another.
        (true, Some(_)) if label != "host" => Cell::Unlisted,
        (true, _) if loads => Cell::Loads,
        (true, _) => Cell::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(able: bool, verdict: &Verdict, listed: &[Listed]) -> Cell {
        let series = Series::new(6, 1);
        let column = Column { label: series.to_string(), series, release: String::new() };
        judge("a", &column, able, verdict, listed)
    }

    #[test]
    fn a_kernel_must_do_what_is_stated_or_listed() {
        let refused = || Verdict::Refused {
            stage: "load".to_owned(),
            errno: 22,
            text: "unknown func".to_owned(),
        };
        let listed = [Listed {
            case: "a".to_owned(),
            kernels: vec!["6.1".to_owned()],
            why: "backport".to_owned(),
        }];
        assert_eq!(cell(true, &Verdict::Loaded, &[]), Cell::Loads);
        assert_eq!(cell(false, &refused(), &[]), Cell::Refused);
        assert_eq!(cell(true, &refused(), &[]), Cell::Wrong { verdict: refused() });
        let backport = Cell::Listed { why: "backport".to_owned() };
        assert_eq!(cell(false, &Verdict::Loaded, &listed), backport);
        assert_eq!(cell(false, &refused(), &listed), Cell::Unlisted);
    }
}
