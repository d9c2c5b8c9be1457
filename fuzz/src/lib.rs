//! What every fuzz target shares: the verdict on one input, a bound on memory, a valid object.
//!
//! A target calls what production calls and hands the result to [`judge`]. A panic ends the
//! process, so does a reading of over a second, and the global allocator ends what holds more than
//! 64 MiB at once.

mod elf;
pub mod memory;
pub mod template;

use std::error::Error;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub use elf::{section, with_section};

/// Longest that one reading may take.
const READING_MAX: Duration = Duration::from_secs(1);

/// Reads `data`, now and then twice, since equal bytes must give equal results. Returns what was
/// read.
pub fn judge<T: PartialEq + Debug>(
    data: &[u8],
    read: impl Fn(&[u8]) -> Result<T, String>,
) -> Option<T> {
    static INPUTS: AtomicU32 = AtomicU32::new(0);
    let start = Instant::now();
    let first = read(data);
    // A busy machine may stop us for seconds, but hardly four times at the same input.
    let is_slow = |start: Instant| start.elapsed() > READING_MAX;
    let again = || {
        let start = Instant::now();
        drop(read(data));
        is_slow(start)
    };
    assert!(!is_slow(start) || !(0..3).all(|_| again()), "a reading takes over {READING_MAX:?}");
    let number = INPUTS.fetch_add(1, Ordering::Relaxed);
    // The first inputs of a process always: a single one that is replayed is among them.
    if number < 1000 || number.is_multiple_of(8) {
        assert_eq!(first, read(data), "two readings of one input differ");
    }
    first.ok()
}

/// An error with its causes: writing them down must not panic either.
pub fn said(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
