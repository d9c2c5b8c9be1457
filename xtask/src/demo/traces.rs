//! What the demo could leave on the machine, as the machine's own tools show it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use bpf_image_tests::{RunError, succeed};

/// Programs, links, namespaces and the usual pin directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Traces {
    programs: BTreeSet<String>,
    links: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    pins: bool,
}

/// Names of programs that the demo loads: others may come while it runs, from systemd for one.
const OURS: [&str; 2] = ["xdp_counter", "xdp_port_filter"];

/// Where the loader pins when nothing says otherwise; the demo must not touch it.
const PINS: &str = "/sys/fs/bpf/bpf-loader";

impl Traces {
    /// Looks at the machine.
    pub(super) fn take() -> Result<Self, RunError> {
        let lines = |command: &mut Command| -> Result<BTreeSet<String>, RunError> {
            let output = succeed(command)?;
            Ok(output.stdout.lines().map(|line| line.trim().to_owned()).collect())
        };
        Ok(Self {
            programs: lines(Command::new("bpftool").args(["prog", "show"]))?,
            links: lines(Command::new("bpftool").args(["link", "show"]))?,
            namespaces: lines(Command::new("ip").args(["netns", "list"]))?,
            pins: Path::new(PINS).exists(),
        })
    }

    /// What is there now, was not there before, and is the demo's.
    pub(super) fn left_behind(&self) -> Result<Vec<String>, RunError> {
        let now = Self::take()?;
        let mut left: Vec<String> = Vec::new();
        let programs = now.programs.difference(&self.programs);
        left.extend(programs.filter(|line| OURS.iter().any(|name| line.contains(name))).cloned());
        // Links that programs of ours hang on are xdp links; nothing else in the demo makes one.
        let links = now.links.difference(&self.links);
        left.extend(links.filter(|line| line.contains(": xdp")).cloned());
        let namespaces = now.namespaces.difference(&self.namespaces);
        left.extend(namespaces.filter(|line| line.starts_with("demo-")).cloned());
        if now.pins && !self.pins {
            left.push(PINS.to_owned());
        }
        Ok(left)
    }
}
