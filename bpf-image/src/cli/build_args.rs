//! `bpf-image build-args`.

use std::path::PathBuf;
use std::process::ExitCode;

use bpf_image::verbs::build_args::{BuildArgsRequest, build_args};
use clap::ValueEnum;

use super::{Failure, output};

const EXAMPLES: &str = "\
Examples, in the directory of the object:
  eval buildah bud -f Containerfile.bytecode -t counter \"$(bpf-image build-args counter.o)\" .
  eval docker build -f Containerfile.bytecode -t counter \"$(bpf-image build-args counter.o)\" .
  bpf-image build-args -o null counter.o |
    xargs -0 sh -c 'exec buildah bud -f Containerfile.bytecode \"$@\" -t counter .' -

Values are JSON, so they are quoted for the shell: let `eval` take the quotes away again.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The object file that clang wrote
    object: PathBuf,

    /// How to print them
    #[arg(short, long, value_enum, default_value_t)]
    output: Style,
}

/// Ways to hand the arguments on.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Style {
    /// `--build-arg NAME='VALUE'`, quoted for `eval`
    #[default]
    Shell,
    /// `--build-arg` and `NAME=VALUE`, each ended by a zero byte, for `xargs -0`
    Null,
    /// NAME=VALUE lines, for `podman build --build-arg-file`
    Env,
    /// One JSON object
    Json,
}

/// Prints the arguments.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    let response = build_args(&BuildArgsRequest { path: args.object })?;
    let arguments = response.arguments.iter();
    match args.output {
        Style::Shell => {
            let words: Vec<_> = arguments
                .map(|(name, value)| format!("--build-arg {name}={}", quoted(value)))
                .collect();
            output::print_raw(&(words.join(" ") + "\n"))?;
        }
        Style::Null => {
            let words: Vec<_> =
                arguments.map(|(name, value)| format!("--build-arg\0{name}={value}\0")).collect();
            output::print_raw(&words.concat())?;
        }
        Style::Env => {
            let lines: Vec<_> =
                arguments.map(|(name, value)| format!("{name}={value}\n")).collect();
            output::print_raw(&lines.concat())?;
        }
        Style::Json => {
            let object: serde_json::Map<_, _> =
                arguments.map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
            output::print_data(output::Output::Json, &object)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One word for a POSIX shell, whatever is in it.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_gets_the_value_back() {
        for value in [r#"{"a":"xdp"}"#, "it's", "$(id) `id` \\ \"", ""] {
            let script = format!("printf %s {}", quoted(value));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), value);
        }
    }
}
