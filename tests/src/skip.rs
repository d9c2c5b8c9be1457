//! When a test may be left out: a machine lacks what the test needs, and says so.
//!
//! In CI nothing may be lacking: with `CI=true` a skip is a failure, so that a green run means
//! that everything ran.

use std::fmt::Display;
use std::io::Write as _;

/// Says that a test is left out because of `reason`.
///
/// # Panics
/// With `CI=true`.
#[track_caller]
pub fn because(reason: impl Display) {
    assert!(!in_ci(), "CI=true, so nothing may be skipped, but: {reason}");
    // eprintln! is captured in a test that passes; this line must be seen.
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED: {name}: {reason}");
}

/// Whether a test that needs root has to return at once; says so.
#[track_caller]
pub fn without_root() -> bool {
    let root = crate::setup::is_root();
    if !root {
        because("needs root");
    }
    !root
}

/// Whether this is CI, by the variable that CI systems set.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
