//! `cargo xtask fuzz`: the targets of `fuzz/`, built with coverage instrumentation and run.
//!
//! The layout is cargo-fuzz's, and `cargo fuzz run --sanitizer none TARGET` works for who has it.
//! It is not needed here: the compiler's flags are few, and all of them are stable.

mod figures;
mod targets;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use bpf_image_tests::samples::{self, SampleError};
use bpf_image_tests::{RunError, repo, succeed};

use self::figures::Figures;
use self::targets::{TARGETS, Target};
use crate::setup;
use crate::step::{StepError, cargo, say, step};

/// What makes a compiled program report which branches it took, to libFuzzer.
const INSTRUMENTATION: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// What `cargo xtask fuzz` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this target; may be given several times.
    #[arg(long, value_parser = targets::by_name)]
    target: Vec<Target>,
    /// Executions of each target.
    #[arg(long, default_value_t = 10_000_000)]
    runs: u64,
}

/// Why fuzzing did not come to a good end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The machine is not ready.
    #[error(transparent)]
    Setup(#[from] setup::Error),
    /// A seed does not compile.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The build.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The compiler does not say what it compiles for.
    #[error("cannot ask rustc for this machine's target")]
    Host(#[source] RunError),
    /// A target did not start, or its log cannot be kept.
    #[error("cannot run or keep {path}")]
    Run {
        /// The program, file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Targets ended with a finding.
    #[error("findings, each with its input in fuzz/artifacts: {}", targets.join(", "))]
    Findings {
        /// Their names.
        targets: Vec<&'static str>,
    },
}

/// How much to do.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Executions of each target.
    runs: u64,
    /// Start from the seeds alone and draw the same numbers as the last time.
    repeatable: bool,
}

/// In `cargo xtask test`: seconds for each target.
const SHORT: Effort = Effort { runs: 20_000, repeatable: true };

/// The long run.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    setup::packages()?;
    let targets: &[Target] = if arguments.target.is_empty() { &TARGETS } else { &arguments.target };
    fuzz(targets, Effort { runs: arguments.runs, repeatable: false })
}

/// The short run.
pub(crate) fn short() -> Result<(), Error> {
    fuzz(&TARGETS, SHORT)
}

fn fuzz(targets: &[Target], effort: Effort) -> Result<(), Error> {
    let programs = build()?;
    let corpora = if effort.repeatable {
        let fresh = repo::target().join("fuzz/seeds");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(kept(&fresh))?;
        }
        fresh
    } else {
        repo::root().join("fuzz/corpus")
    };
    say("seeds, made of what is in the repository");
    let mut seeds = Command::new(programs.join("seeds"));
    seeds.arg(&corpora);
    for name in samples::names()? {
        seeds.arg(samples::object(&name)?);
    }
    step(&mut seeds)?;
    say(&format!("{} executions of each target; logs in {}", effort.runs, logs().display()));
    println!("{}", Figures::HEAD);
    let mut findings = Vec::new();
    for target in targets {
        let (good, log) = execute(target, &programs, &corpora, effort)?;
        println!("{}", Figures::read(&log).row(target.name));
        if !good {
            println!("{}", tail(&log));
            findings.push(target.name);
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(Error::Findings { targets: findings }) }
}

/// Builds every target; gives the folder they are in.
fn build() -> Result<PathBuf, Error> {
    say("fuzz targets, instrumented, into a target folder of their own: minutes the first time");
    let host = host()?;
    let folder = repo::target().join("fuzz");
    let mut build = cargo(&["build", "--release", "--locked", "--manifest-path"]);
    build.arg("fuzz/Cargo.toml").arg("--target-dir").arg(&folder);
    // With a target named, the flags do not reach build scripts and macros.
    build.args(["--target", &host]).env("RUSTFLAGS", INSTRUMENTATION.join(" "));
    build.env_remove("CARGO_ENCODED_RUSTFLAGS");
    step(&mut build)?;
    Ok(folder.join(host).join("release"))
}

fn host() -> Result<String, Error> {
    let output = succeed(Command::new("rustc").arg("-vV")).map_err(Error::Host)?;
    let host = output.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.unwrap_or("x86_64-unknown-linux-gnu").to_owned())
}

/// Runs a target; gives whether all went well, and its log.
fn execute(
    target: &Target,
    programs: &Path,
    corpora: &Path,
    effort: Effort,
) -> Result<(bool, String), Error> {
    let corpus = corpora.join(target.name);
    let artifacts = repo::root().join("fuzz/artifacts").join(target.name);
    for folder in [&corpus, &artifacts, &logs()] {
        fs::create_dir_all(folder).map_err(kept(folder))?;
    }
    let dictionary = repo::root().join(format!("fuzz/dict/{}.dict", target.dictionary));
    let mut command = Command::new(programs.join(target.name));
    command.args([
        format!("-runs={}", effort.runs),
        // Targets tell a hang of over a second from a busy machine, and count what they allocate;
        // these limits are for what never ends and for what their allocator does not see.
        "-timeout=25".to_owned(),
        "-rss_limit_mb=512".to_owned(),
        format!("-max_len={}", target.max_len),
        format!("-dict={}", dictionary.display()),
        format!("-artifact_prefix={}/", artifacts.display()),
        "-print_final_stats=1".to_owned(),
    ]);
    if effort.repeatable {
        command.arg("-seed=1");
    }
    let log = logs().join(format!("{}.log", target.name));
    let file = File::create(&log).map_err(kept(&log))?;
    let program = PathBuf::from(command.get_program());
    let status = command.arg(corpus).stderr(file).status().map_err(kept(&program))?;
    let text = fs::read(&log).map_err(kept(&log))?;
    Ok((status.success(), String::from_utf8_lossy(&text).into_owned()))
}

fn logs() -> PathBuf {
    repo::target().join("fuzz/logs")
}

fn kept(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Run { path, source }
}

/// The last lines of a log, where the finding is.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
