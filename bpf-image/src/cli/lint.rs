//! `bpf-image lint`.

use std::process::ExitCode;

use bpf_image::lint::{Code, Finding, Severity};
use bpf_image::registry::Access;
use bpf_image::report::{self, Exit};
use bpf_image::text::printable;
use bpf_image::verbs::inspect::Target;
use bpf_image::verbs::lint::{LintRequest, LintResponse, lint};
use bpf_image_spec::Platform;
use clap::ValueEnum;

use super::Failure;
use super::inspect::target;
use super::output::{self, Output};
use super::paint::{BOLD, CYAN, GREEN, RED, YELLOW, painted};

const EXAMPLES: &str = "\
Examples:
  bpf-image lint counter.o
  bpf-image lint build/*.o --fail-on warning --allow dwarf,no-platform
  bpf-image lint trace-amd64.o --platform linux/amd64

Ends with code 6 if a finding is as grave as --fail-on, or graver. Notes never count.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Object files, and images: registry/repository[:tag], oci:DIR[:TAG]
    #[arg(value_name = "FILE|REF", value_parser = target, required = true)]
    targets: Vec<Target>,

    /// Platform of an image that has several, or that a file is for
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,

    /// Findings not to look for, by their codes [repeatable, or with commas]
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = code)]
    allow: Vec<Code>,

    /// Gravity from which on to end with code 6
    #[arg(long, value_enum, default_value_t)]
    fail_on: Gate,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Findings that a gate does not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Gate {
    /// Errors
    #[default]
    Error,
    /// Errors and warnings
    Warning,
}

fn code(text: &str) -> Result<Code, String> {
    let known = || Code::ALL.iter().map(|code| code.label()).collect::<Vec<_>>().join(", ");
    Code::ALL
        .iter()
        .find(|code| code.label() == text)
        .copied()
        .ok_or_else(|| format!("no such code; there are {}", known()))
}

/// Judges and prints. Of several, each that can be read is judged.
pub(crate) async fn run(args: Args, access: Access) -> Result<ExitCode, Failure> {
    let has_several = args.targets.len() > 1;
    let mut judged = Vec::new();
    let mut failed = None;
    for target in args.targets {
        let request = LintRequest {
            target,
            platform: args.platform.clone(),
            allowed: args.allow.clone(),
            access: access.clone(),
        };
        match lint(&request).await {
            Ok(response) => judged.push(response),
            Err(error) if has_several => {
                let advice = error.advice();
                anstream::eprint!("{}", report::render(&error, &advice));
                failed.get_or_insert(advice.exit);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match (args.output, judged.as_slice()) {
        (Output::Table, all) => {
            let texts: Vec<_> = all.iter().map(text).collect();
            output::print(&texts.join("\n"))?;
        }
        (data, [one]) if !has_several => output::print_data(data, one)?,
        (data, all) => output::print_data(data, &all)?,
    }
    let mut findings = judged.iter().flat_map(|of| &of.findings);
    let is_stopped = findings.any(|finding| args.fail_on.stops(finding.severity));
    // What cannot be read is worse than what is read and found wanting.
    let code = failed.or(is_stopped.then_some(Exit::Gate));
    Ok(code.map_or(ExitCode::SUCCESS, |code| ExitCode::from(code as u8)))
}

impl Gate {
    fn stops(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity == Severity::Error,
            Self::Warning => severity <= Severity::Warning,
        }
    }
}

fn text(response: &LintResponse) -> String {
    let mut text = format!("{}\n", painted(BOLD, printable(&response.name)));
    if response.findings.is_empty() {
        return text + &painted(GREEN, "  nothing found") + "\n";
    }
    response.findings.iter().for_each(|finding| text += &paragraph(finding));
    let count = |severity| response.findings.iter().filter(|f| f.severity == severity).count();
    let counts = [
        (count(Severity::Error), "error"),
        (count(Severity::Warning), "warning"),
        (count(Severity::Note), "note"),
    ];
    let counts: Vec<_> = counts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}{}", if number == 1 { "" } else { "s" }))
        .collect();
    text + &format!("  {}\n", counts.join(", "))
}

fn paragraph(finding: &Finding) -> String {
    let style = match finding.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Note => CYAN,
    };
    let head = painted(style, format!("{}[{}]", finding.severity, finding.code));
    let subject = finding.subject.as_ref().map(|s| format!("{s}: ")).unwrap_or_default();
    let message = printable(&format!("{subject}{}", finding.message));
    format!("  {head} {message}\n      fix: {}\n", printable(&finding.fix))
}
