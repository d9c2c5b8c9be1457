//! Several measurements of one thing.

use std::time::Duration;

/// Measurements in the order they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures(Vec<f64>);

impl Figures {
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(super) fn push_ms(&mut self, taken: Duration) {
        self.push(taken.as_secs_f64() * 1000.0);
    }

    /// The middle one, or the mean of the two in the middle; 0 of none.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let upper = sorted.len() / 2;
        match (sorted.get(upper), upper.checked_sub(1).and_then(|lower| sorted.get(lower))) {
            (Some(&upper), Some(&lower)) if sorted.len().is_multiple_of(2) => {
                f64::midpoint(lower, upper)
            }
            (Some(&middle), _) => middle,
            (None, _) => 0.0,
        }
    }

    pub(super) fn min(&self) -> f64 {
        self.0.iter().copied().reduce(f64::min).unwrap_or(0.0)
    }

    pub(super) fn max(&self) -> f64 {
        self.0.iter().copied().reduce(f64::max).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Figures {
        Figures(values.to_vec())
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let cases: [(&[f64], f64); 4] =
            [(&[], 0.0), (&[3.0], 3.0), (&[9.0, 1.0, 2.0], 2.0), (&[4.0, 1.0, 9.0, 2.0], 3.0)];
        for (values, median) in cases {
            assert!((of(values).median() - median).abs() < 1e-9, "{values:?}");
        }
    }

    #[test]
    fn the_ends_are_the_ends() {
        let figures = of(&[2.0, 9.0, 1.0]);
        assert!((figures.min() - 1.0).abs() < 1e-9 && (figures.max() - 9.0).abs() < 1e-9);
    }
}
