//! `bpf-image diff`.

use std::fmt::Write as _;
use std::process::ExitCode;

use bpf_image::diff::{Change, Contents, Impact, MapFate};
use bpf_image::registry::Access;
use bpf_image::report::Exit;
use bpf_image::text::{self, printable};
use bpf_image::verbs::diff::{DiffRequest, DiffResponse, Side, diff};
use bpf_image::verbs::inspect::Target;
use bpf_image_spec::Platform;
use clap::ValueEnum;

use super::Failure;
use super::inspect::target;
use super::output::{self, Output};
use super::paint::{self, BOLD, DIM, GREEN, RED, YELLOW, painted};

const EXAMPLES: &str = "\
Examples:
  bpf-image diff counter-v1.o counter-v2.o
  bpf-image diff registry.example/org/fw:v1 registry.example/org/fw:v2 --fail-on breaking,kernel
  bpf-image diff registry.example/org/fw:v1 new.o -o json | jq '.maps[] | select(.contents == \"lost\")'

The objects themselves are compared, and both are judged by the same kernel tables. With --fail-on
the command ends with code 6 if there is such a change.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What runs today: an object file or an image
    #[arg(value_name = "OLD", value_parser = target)]
    old: Target,

    /// What is to take its place
    #[arg(value_name = "NEW", value_parser = target)]
    new: Target,

    /// Platform of images that have several [default: this machine's]
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,

    /// End with code 6 on such a change [repeatable, or with commas]
    #[arg(long, value_enum, value_delimiter = ',')]
    fail_on: Vec<Gate>,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Changes that a gate does not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Gate {
    /// What is done today stops working: programs, maps or settable globals are gone or changed
    Breaking,
    /// Kernels that take the old object may refuse the new one
    Kernel,
    /// Any change
    Any,
}

/// Compares and prints.
pub(crate) async fn run(args: Args, access: Access) -> Result<ExitCode, Failure> {
    let request = DiffRequest { old: args.old, new: args.new, platform: args.platform, access };
    let response = diff(&request).await?;
    match args.output {
        Output::Table => output::print(&text(&response))?,
        data => output::print_data(data, &response)?,
    }
    let stopped: Vec<_> = args.fail_on.iter().filter(|gate| gate.stops(&response)).collect();
    let Some(gate) = stopped.first() else { return Ok(ExitCode::SUCCESS) };
    let word = gate.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
    anstream::eprintln!(
        "{} the change is not let through by --fail-on {word}",
        painted(RED, "error:")
    );
    Ok(ExitCode::from(Exit::Gate as u8))
}

impl Gate {
    fn stops(self, response: &DiffResponse) -> bool {
        match self {
            Self::Breaking => response.has(Impact::Breaking),
            Self::Kernel => response.has(Impact::Kernel),
            Self::Any => !response.changes.is_empty(),
        }
    }
}

fn text(response: &DiffResponse) -> String {
    let mut text = text::facts(&[("old", side(&response.old)), ("new", side(&response.new))]);
    if response.changes.is_empty() {
        return text + "\nno change: it is the same object\n";
    }
    for (impact, head, style) in [
        (Impact::Breaking, "BREAKING", RED),
        (Impact::Kernel, "KERNEL", YELLOW),
        (Impact::Other, "OTHER", BOLD),
    ] {
        let changes: Vec<_> = response.changes.iter().filter(|c| c.impact == impact).collect();
        if changes.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{}", painted(style, head));
        for change in changes {
            text += &line(change);
        }
    }
    let maps = maps(&response.maps);
    if maps.is_empty() { text } else { format!("{text}\n{maps}") }
}

fn side(side: &Side) -> String {
    let platform = side.platform.as_ref().map(|p| format!(" ({p})")).unwrap_or_default();
    format!("{}{platform}  object {}  {}", side.name, side.object, text::bytes(side.size))
}

fn line(change: &Change) -> String {
    let mut text = format!("  {}\n", printable(&change.to_string()));
    if let Some(consequence) = &change.consequence {
        let so = format!("so: {consequence}");
        let _ = writeln!(text, "      {}", painted(DIM, printable(&so)));
    }
    text
}

fn maps(fates: &[MapFate]) -> String {
    let word = |contents| match contents {
        Contents::Kept => "kept",
        Contents::Lost => "lost",
        Contents::New => "new",
        Contents::Gone => "gone",
    };
    let rows: Vec<_> = fates
        .iter()
        .map(|of| [word(of.contents).to_owned(), of.name.clone(), of.shape.join(", ")])
        .collect();
    paint::table(["CONTENTS", "MAP", "BECAUSE OF"], &rows, |row| {
        match fates.get(row).map(|of| of.contents) {
            Some(Contents::Lost | Contents::Gone) => RED,
            _ => GREEN,
        }
    })
}
