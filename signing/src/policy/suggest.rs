//! The nearest known name to a mistyped one.

/// The member of `known` nearest to `name`, if at most two letters are off.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    // The distance costs length times length, and no key is that long.
    if name.len() > 64 {
        return None;
    }
    known
        .iter()
        .map(|known| (distance(name, known), *known))
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Levenshtein's distance, row by row.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to.chars()) {
            let above = *cell;
            let best = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            diagonal = above;
            left = best;
            *cell = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("treshold", &["match", "threshold"]), Some("threshold"));
        assert_eq!(nearest("key_file", &["key", "key-file"]), Some("key-file"));
        assert_eq!(nearest("verify", &["match", "threshold"]), None);
    }
}
