//! What a target's run says of itself at its end.

/// From libFuzzer's final statistics and our allocator's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    executions: u64,
    per_second: u64,
    held: u64,
}

impl Figures {
    pub(super) const HEAD: &str = "    TARGET          EXECUTIONS    PER SECOND    HELD AT MOST";

    pub(super) fn read(log: &str) -> Self {
        let number = |label: &str| -> u64 {
            let value = log.lines().rev().find_map(|line| line.strip_prefix(label));
            let digits = value.and_then(|value| value.split_whitespace().next());
            digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
        };
        Self {
            executions: number("stat::number_of_executed_units:"),
            per_second: number("stat::average_exec_per_sec:"),
            held: number("held at most:"),
        }
    }

    /// A row under [`Figures::HEAD`].
    pub(super) fn row(&self, target: &str) -> String {
        let Self { executions, per_second, held } = self;
        let kib = held.div_ceil(1024);
        format!("    {target:14}  {executions:>10}  {per_second:>12}  {kib:>10} KiB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_among_the_rest() {
        let log = "Done 20000 runs in 2 second(s)\n\
                   stat::number_of_executed_units: 20000\n\
                   stat::average_exec_per_sec:     10000\n\
                   held at most: 2049 bytes\n";
        let figures = Figures::read(log);
        assert_eq!(figures, Figures { executions: 20000, per_second: 10000, held: 2049 });
        let row = "    btf                  20000         10000           3 KiB";
        assert_eq!(figures.row("btf"), row);
        assert_eq!(row.len(), Figures::HEAD.len());
        assert_eq!(Figures::read("killed"), Figures::default());
    }
}
