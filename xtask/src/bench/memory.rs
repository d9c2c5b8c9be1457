//! The peak memory of every process of a line, exact to the page.
//!
//! `VmHWM` is each process's own peak, but dies with it, and getrusage(2) gives the largest of a
//! family, not each. So strace holds every process for a moment where it exits, and the peaks are
//! read there. The sum over processes is an upper bound of what they took together: pages that
//! they share, such as the program's text, count in each.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::line::{Call, Line, LineError, failed, not_started};

/// Long against the pause between looks, even on a busy machine. Microseconds.
const HELD: &str = "inject=exit_group:delay_enter=60000";
const PAUSE: Duration = Duration::from_millis(4);

/// Peaks in MiB of the processes of each command.
pub(super) fn peaks(line: &Line) -> Result<Vec<Vec<f64>>, LineError> {
    line.0.iter().map(of_call).collect()
}

fn of_call(call: &Call) -> Result<Vec<f64>, LineError> {
    let strace = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=exit_group", "-e", HELD];
    let mut command = call.under("strace", &strace);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| not_started(call, source))?;
    let mut peaks: BTreeMap<u32, f64> = BTreeMap::new();
    loop {
        let ended = child.try_wait().map_err(|source| not_started(call, source))?;
        if ended.is_some() {
            break;
        }
        for process in descendants(child.id()) {
            if let Some(peak) = peak(process) {
                // The last look counts: before its exec a process shows its parent's memory.
                peaks.insert(process, peak);
            }
        }
        thread::sleep(PAUSE);
    }
    let output = child.wait_with_output().map_err(|source| not_started(call, source))?;
    if !output.status.success() {
        return Err(failed(call, &output.stderr));
    }
    Ok(peaks.into_values().collect())
}

/// Processes below `parent`. One that just ended is none.
fn descendants(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut left = vec![parent];
    while let Some(process) = left.pop() {
        let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { continue };
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            let children = children.split_whitespace().filter_map(|child| child.parse().ok());
            for child in children {
                found.push(child);
                left.push(child);
            }
        }
    }
    found
}

fn peak(process: u32) -> Option<f64> {
    peak_in(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

/// `VmHWM` of a process's status, in MiB.
fn peak_in(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_status() {
        let status = "Name:\tcat\nVmPeak:\t   99 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(peak_in(status).map(f64::to_bits), Some(2.0_f64.to_bits()));
        // A process that has ended has no memory.
        assert_eq!(peak_in("Name:\tcat\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn sees_itself() {
        assert!(peak(std::process::id()).is_some_and(|peak| peak > 0.5));
    }
}
