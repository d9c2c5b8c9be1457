//! Standard output, in one piece: a reader that closes the pipe early is no failure.

use std::io::{ErrorKind, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::Failure;

/// How to print an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For programs, and people who read much of it.
    Yaml,
}

/// Prints styled text; styles are dropped where the output is no terminal or `NO_COLOR` is set.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    written(anstream::stdout().lock(), text)
}

/// Prints text as it is: what drops styles drops zero bytes too.
pub(crate) fn print_raw(text: &str) -> Result<(), Failure> {
    written(std::io::stdout().lock(), text)
}

fn written(mut stdout: impl Write, text: &str) -> Result<(), Failure> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}

/// Prints a value for programs, in a layout that people can read too.
pub(crate) fn print_data(output: Output, value: &impl Serialize) -> Result<(), Failure> {
    let mut text = match output {
        Output::Yaml => {
            let options = serde_saphyr::ser_options! {
                // A reader of YAML 1.1 takes a bare `on` or `12:30` for something else, and a
                // folded line for a broken one.
                yaml_12: false,
                prefer_block_scalars: true,
                folded_wrap_chars: usize::MAX,
            };
            serde_saphyr::to_string_with_options(value, options)
                .map_err(|error| Failure::Output(std::io::Error::other(error)))?
        }
        Output::Json | Output::Table => {
            serde_json::to_string_pretty(value).map_err(|error| Failure::Output(error.into()))?
        }
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print_raw(&text)
}
