//! Where our time goes, by what `bpf-loader --verbose` says when.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::line::{Call, LineError, failed, not_started};

/// Stages in their order, each with the time since the one before it; the first is the program's
/// start, the last its end.
#[derive(Debug)]
pub(super) struct Stages {
    pub(super) steps: Vec<(String, Duration)>,
    /// Requests to the registry.
    pub(super) requests: usize,
}

impl Stages {
    /// Runs `call`, which has `--verbose`.
    pub(super) fn of(call: &Call) -> Result<Self, LineError> {
        let mut command = call.command();
        let start = seconds_of_day(SystemTime::now());
        let output = command.output();
        let end = seconds_of_day(SystemTime::now());
        let output = output.map_err(|source| not_started(call, source))?;
        if !output.status.success() {
            return Err(failed(call, &output.stderr));
        }
        Ok(Self::read(&String::from_utf8_lossy(&output.stderr), start, end))
    }

    fn read(log: &str, start: Duration, end: Duration) -> Self {
        let events = log.lines().filter_map(event);
        // What the worker said is printed when it is done; its clock is the same.
        let mut marks: Vec<(Duration, String)> = events.collect();
        marks.sort();
        marks.push((end, "exit".to_owned()));
        let mut last = start;
        let mut steps = Vec::new();
        for (at, name) in marks {
            steps.push((name, at.saturating_sub(last)));
            last = at;
        }
        let requests = log.lines().filter(|line| line.contains(" method=")).count();
        Self { steps, requests }
    }
}

/// The time and the name of a stage that a line of the log tells.
fn event(line: &str) -> Option<(Duration, String)> {
    let (_, stage) = line.split_once(" stage=\"")?;
    let (stage, _) = stage.split_once('"')?;
    let time = line.split_whitespace().next()?;
    Some((time_of_day(time)?, stage.to_owned()))
}

/// `2026-11-21T07:49:21.123456Z`, without its day.
fn time_of_day(stamp: &str) -> Option<Duration> {
    let (_, time) = stamp.split_once('T')?;
    let mut parts = time.strip_suffix('Z')?.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = hours.parse::<u32>().ok()? * 3600 + minutes.parse::<u32>().ok()? * 60;
    let seconds: f64 = seconds.parse().ok()?;
    Duration::try_from_secs_f64(f64::from(whole) + seconds).ok()
}

fn seconds_of_day(time: SystemTime) -> Duration {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::new(since.as_secs() % 86_400, since.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_loader_says() {
        let log = "\
2026-11-21T00:00:01.002000Z DEBUG bpf_loader::checkpoint: stage=\"started\"
2026-11-21T00:00:01.003000Z DEBUG bpf_image::registry: method=GET url=http://x status=200
2026-11-21T00:00:01.009000Z DEBUG bpf_loader::checkpoint: stage=\"loaded\"
2026-11-21T00:00:01.004000Z DEBUG bpf_loader::checkpoint: stage=\"worker-parsed\"
";
        let at = |ms| Duration::from_millis(ms);
        let stages = Stages::read(log, at(1000), at(1010));
        let names: Vec<_> = stages.steps.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["started", "worker-parsed", "loaded", "exit"]);
        let times: Vec<_> = stages.steps.iter().map(|(_, taken)| taken.as_millis()).collect();
        assert_eq!(times, [2, 2, 5, 1]);
        assert_eq!(stages.requests, 1);
    }

    #[test]
    fn other_lines_are_no_stages() {
        assert_eq!(event("warning: stage"), None);
        assert_eq!(event("yesterday DEBUG x: stage=\"loaded\""), None);
    }
}
