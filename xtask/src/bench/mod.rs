//! `cargo xtask bench`: `bpf-loader run` against the line of tools that a user would script, as a
//! table. It asserts nothing: times depend on the machine, so the verdicts are for a person.
//!
//! Both sides take the same signed object from the same registry on loopback to the same hook,
//! start from an empty store each time, and take turns, so that what else the machine does meets
//! both alike. Taking the program away again is not timed.

mod figures;
mod line;
mod memory;
mod report;
mod scene;
mod stages;

use std::thread;
use std::time::Duration;

use bpf_image_tests::RunError;
use bpf_image_tests::bpffs::BpffsError;
use bpf_image_tests::peers::PeerError;
use bpf_image_tests::registry::RegistryError;
use bpf_image_tests::samples::SampleError;

use self::line::LineError;
use self::report::Report;
use self::scene::{Scene, SceneError, Tools};
use self::stages::Stages;
use crate::setup;
use crate::step::{StepError, cargo, say, step};

/// What `cargo xtask bench` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How often each side runs.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The machine is not ready.
    #[error(transparent)]
    Setup(#[from] setup::Error),
    /// A tool of the line to compare with cannot be had.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The registry does not start.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No bpffs.
    #[error(transparent)]
    Bpffs(#[from] BpffsError),
    /// The sample does not compile.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The build.
    #[error(transparent)]
    Build(#[from] StepError),
    /// A command before or between the rounds failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The files around the rounds.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// A measured command failed.
    #[error(transparent)]
    Line(#[from] LineError),
}

/// How long the kernel has after each side to free what was taken away: it does so in its own
/// time, and would otherwise do it while the other side is measured.
const REST: Duration = Duration::from_millis(150);

/// How often memory and stages are looked at, in rounds that are not timed.
const LOOKS: u32 = 5;

/// Measures and prints.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    setup::packages()?;
    say("the tools to compare with, unpacked into a cache outside the repository");
    let tools = Tools::fetch()?;
    say("the two programs, as they are released");
    step(&mut cargo(&["build", "--release", "--locked", "-p", "bpf-loader", "-p", "bpf-image"]))?;
    say("a registry on loopback, two namespaces joined by veth, a signed image");
    let scene = Scene::new(&tools)?;
    for side in [Side::Ours, Side::Theirs] {
        scene.line(side).show();
    }

    say(&format!("{} rounds, taking turns", arguments.rounds));
    let mut report = Report::default();
    // The first of each reads the programs from disk and does not count.
    for round in 0..=arguments.rounds {
        let mut sides = [Side::Ours, Side::Theirs];
        if round % 2 == 1 {
            sides.reverse();
        }
        for side in sides {
            let line = scene.line(side);
            let taken = line.time()?;
            scene.clear(side)?;
            if round > 0 {
                report.add_round(side, &line, &taken);
            }
            thread::sleep(REST);
        }
    }

    say("memory and stages, in rounds of their own: looking slows them down");
    for _ in 0..LOOKS {
        for side in [Side::Ours, Side::Theirs] {
            let peaks = memory::peaks(&scene.line(side))?;
            scene.clear(side)?;
            report.add_peaks(side, &peaks);
        }
        let stages = Stages::of(&scene.verbose())?;
        scene.clear(Side::Ours)?;
        thread::sleep(REST);
        report.add_stages(&stages);
    }
    report.print();
    Ok(())
}

/// Whose line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// `bpf-loader run`.
    Ours,
    /// The tools.
    Theirs,
}
