//! Arguments of every command.

use std::path::PathBuf;

use bpf_image::registry::Access;
use bpf_image_spec::{AttachPoint, Reference};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::paths::{PINS, POLICY, Paths, RUN, STATE};
use crate::plan::Wanted;
use crate::verbs::Source;

/// Load and attach signed BPF images on this machine.
#[derive(Debug, Parser)]
#[command(name = "bpf-loader", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) global: Global,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed on this host, 2 usage, 3 refused by policy \
                          or verification, 4 this kernel cannot, 5 registry or network";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Verify an image, load it, attach it, and keep it when this command ends
    Run(RunArgs),
    /// Verify an image and tell whether this kernel can take it; nothing is loaded
    Check(CheckArgs),
    /// Show what is loaded
    #[command(visible_alias = "ls")]
    List(OutputArgs),
    /// Show one instance with its links and the contents of its maps
    Show(ShowArgs),
    /// Remove links of an instance; its programs and maps stay loaded
    Detach(DetachArgs),
    /// Take an instance away, leaving nothing behind
    Unload(UnloadArgs),
    /// Print completions for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Directory for the image store
    #[arg(long, global = true, value_name = "DIR", env = "BPF_LOADER_STATE_DIR", default_value = STATE)]
    state_dir: PathBuf,
    /// Directory for the records of what runs now
    #[arg(long, global = true, value_name = "DIR", env = "BPF_LOADER_RUN_DIR", default_value = RUN)]
    run_dir: PathBuf,
    /// Directory for pins, on a bpffs
    #[arg(long, global = true, value_name = "DIR", env = "BPF_LOADER_PIN_DIR", default_value = PINS)]
    pin_dir: PathBuf,
    /// Print the verifier's whole log when it rejects a program
    #[arg(long, global = true)]
    pub(super) verifier_log: bool,
    /// Tell on standard error what is being done
    #[arg(long, short, global = true)]
    pub(super) verbose: bool,
}

impl Global {
    pub(super) fn paths(&self) -> Paths {
        Paths {
            state: self.state_dir.clone(),
            run: self.run_dir.clone(),
            pins: self.pin_dir.clone(),
        }
    }
}

/// Where the image is, and who may have signed it.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// Image: `registry/repository[:tag][@digest]` or `oci:DIR[:TAG]`
    #[arg(value_name = "IMAGE")]
    reference: Reference,
    /// Policy file; without one nothing is loaded
    #[arg(long, value_name = "FILE", env = "BPF_LOADER_POLICY", default_value = POLICY)]
    policy: PathBuf,
    /// Registry host (with its port) to reach by plain HTTP; loopback hosts need not be named
    #[arg(long, value_name = "HOST")]
    plain_http: Vec<String>,
}

impl SourceArgs {
    pub(super) fn source(&self) -> Source {
        Source {
            reference: self.reference.clone(),
            policy: self.policy.clone(),
            access: Access::new(self.plain_http.clone()),
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Name of the instance [default: last part of the repository or directory]
    #[arg(long, value_name = "NAME", value_parser = instance_name)]
    pub(super) name: Option<String>,
    /// Attach point, `PROGRAM=KIND:TARGET[,key=value…]`; may be repeated
    #[arg(long = "attach", value_name = "POINT")]
    points: Vec<AttachPoint>,
    /// Value of a tunable global variable, `GLOBAL=VALUE`; may be repeated
    #[arg(long = "set", value_name = "GLOBAL=VALUE", value_parser = assignment)]
    globals: Vec<(String, String)>,
    /// How to print the result
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) output: Output,
}

const RUN_EXAMPLES: &str = "\
Attach points:
  PROGRAM=xdp:INTERFACE[,mode=auto|native|generic]
  PROGRAM=tcx:INTERFACE,direction=ingress|egress
  PROGRAM=tc:INTERFACE,direction=ingress|egress[,priority=N]
  PROGRAM=tracepoint:CATEGORY/NAME
  PROGRAM=raw_tp:NAME
  PROGRAM=uprobe:/PATH:SYMBOL[+OFFSET][,pid=PID]       (also uretprobe:)
  PROGRAM=cgroup_skb:/sys/fs/cgroup/DIR[,direction=ingress|egress]
Network kinds take netns=NAME|PATH|PID. Programs whose section names a target
(SEC(\"tracepoint/sched/sched_switch\")) attach with no flag.

Examples:
  bpf-loader run registry.example/net/counter:v1 --attach count=xdp:eth0
  bpf-loader run oci:./images:v1 --name fw --attach filter=xdp:eth0,netns=blue --set drop_port=7777";

impl RunArgs {
    pub(super) fn wanted(&self) -> Wanted {
        Wanted { points: self.points.clone(), globals: self.globals.clone() }
    }
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// How to print the result
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) output: Output,
}

#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// How to print the result
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) output: Output,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Instance: its name, or its id as `list` shows it
    pub(super) name: String,
    /// Print only the path of one map's pin, for an application to open
    #[arg(long, value_name = "MAP", conflicts_with_all = ["output", "limit"])]
    pub(super) map_path: Option<String>,
    /// Entries to show of each map, at most
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(super) limit: usize,
    /// How to print the result
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) output: Output,
}

#[derive(Debug, Args)]
pub(super) struct DetachArgs {
    /// Instance: its name, or its id as `list` shows it
    pub(super) name: String,
    /// Only this attach point, as `show` prints it; may be repeated [default: all]
    #[arg(long = "attach", value_name = "POINT")]
    pub(super) points: Vec<AttachPoint>,
}

#[derive(Debug, Args)]
pub(super) struct UnloadArgs {
    /// Instance: its name, or its id as `list` shows it
    pub(super) name: String,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For a person.
    #[default]
    Table,
    /// For a program.
    Json,
}

/// A name is data and never a path; it is only kept printable and of a length that fits a table.
fn instance_name(text: &str) -> Result<String, String> {
    let printable = bpf_image::text::printable(text) == text;
    if text.is_empty() || text.chars().count() > 64 || !printable {
        return Err("a name has 1 to 64 printable characters".to_owned());
    }
    Ok(text.to_owned())
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write `GLOBAL=VALUE`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn names_are_printable_and_short() {
        assert!(instance_name("fw").is_ok());
        assert!(instance_name("../fw.v1").is_ok());
        assert!(instance_name("").is_err());
        assert!(instance_name("a\u{1b}[2J").is_err());
        assert!(instance_name(&"x".repeat(65)).is_err());
    }
}
