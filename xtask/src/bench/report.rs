//! The table: what was measured, beside what is to be reached.

use std::time::Duration;

use super::Side;
use super::figures::Figures;
use super::line::Line;
use super::scene::released;
use super::stages::Stages;

/// Of the other side's time, at most.
const RATIO: f64 = 0.5;
/// Parent and child together, in MiB.
const MEMORY: f64 = 30.0;
/// Of the stripped loader, in MB.
const SIZE: f64 = 15.0;

/// Everything measured.
#[derive(Debug, Default)]
pub(super) struct Report {
    ours: Wall,
    theirs: Wall,
    our_memory: Figures,
    their_memory: Figures,
    stages: Vec<(String, Figures)>,
    requests: usize,
}

/// Times of one side: the whole, and each command.
#[derive(Debug, Default)]
struct Wall {
    whole: Figures,
    calls: Vec<(&'static str, Figures)>,
}

impl Report {
    /// One round of `side`: how long each command of `line` took.
    pub(super) fn add_round(&mut self, side: Side, line: &Line, taken: &[Duration]) {
        let wall = match side {
            Side::Ours => &mut self.ours,
            Side::Theirs => &mut self.theirs,
        };
        wall.whole.push_ms(taken.iter().sum());
        wall.calls.resize_with(taken.len(), Default::default);
        for ((call, &taken), (name, figures)) in line.0.iter().zip(taken).zip(&mut wall.calls) {
            *name = call.name;
            figures.push_ms(taken);
        }
    }

    /// Peaks of every process, by command. Ours run at the same time and add up; of the others,
    /// which follow each other, the largest counts.
    pub(super) fn add_peaks(&mut self, side: Side, peaks: &[Vec<f64>]) {
        let commands = peaks.iter().map(|processes| processes.iter().sum::<f64>());
        let most = commands.fold(0.0, f64::max);
        match side {
            Side::Ours => self.our_memory.push(most),
            Side::Theirs => self.their_memory.push(most),
        }
    }

    /// Where the time of one run of ours went.
    pub(super) fn add_stages(&mut self, stages: &Stages) {
        self.requests = stages.requests;
        for (name, taken) in &stages.steps {
            let known = self.stages.iter().position(|(stage, _)| stage == name);
            let at = known.unwrap_or_else(|| {
                self.stages.push((name.clone(), Figures::default()));
                self.stages.len() - 1
            });
            self.stages[at].1.push_ms(*taken);
        }
    }

    /// Prints all of it.
    pub(super) fn print(&self) {
        let (ours, theirs) = (&self.ours.whole, &self.theirs.whole);
        println!();
        println!("wall time, ms            median      min      max");
        row("bpf-loader run", ours);
        row("do-it-yourself", theirs);
        for (name, figures) in &self.theirs.calls {
            row(&format!("  {name}"), figures);
        }
        println!();
        println!("peak memory, MiB         median      min      max");
        row("bpf-loader run", &self.our_memory);
        row("do-it-yourself", &self.their_memory);
        println!("  VmHWM, for ours the sum of command and worker (what they share counts twice),");
        println!("  for the other side that of its largest command");
        println!();
        println!("where the time of bpf-loader goes, ms (medians; {} requests)", self.requests);
        for (name, figures) in &self.stages {
            println!("  to {name:<20} {:>8.2}", figures.median());
        }
        println!(
            "  worker-link waits for a grace period of the kernel (synchronize_rcu), as bpftool"
        );
        println!("  net attach does: no tool can save it");
        println!();
        println!("to reach                                            measured");
        let ratio = ours.median() / theirs.median();
        verdict("wall time, part of do-it-yourself", RATIO, ratio, "");
        verdict("peak memory", MEMORY, self.our_memory.max(), "MiB");
        verdict("stripped bpf-loader", SIZE, megabytes("bpf-loader"), "MB");
        println!("  (bpf-image, which nodes do not need: {:.1} MB)", megabytes("bpf-image"));
    }
}

fn row(name: &str, figures: &Figures) {
    let (median, min, max) = (figures.median(), figures.min(), figures.max());
    println!("{name:<22} {median:>8.1} {min:>8.1} {max:>8.1}");
}

fn verdict(what: &str, most: f64, measured: f64, unit: &str) {
    let said = if measured <= most { "met" } else { "MISSED" };
    let most = format!("at most {most} {unit}");
    let measured = format!("{measured:.2} {unit}");
    println!("{what:<34} {most:<16} {measured:<10} {said}");
}

/// Size of a program in MB (10⁶ bytes); NaN, which meets nothing, of one that is not there.
fn megabytes(name: &str) -> f64 {
    let length = released(name).metadata().map(|metadata| metadata.len());
    let kilobytes = length.ok().and_then(|length| u32::try_from(length / 1000).ok());
    kilobytes.map_or(f64::NAN, |kilobytes| f64::from(kilobytes) / 1000.0)
}
