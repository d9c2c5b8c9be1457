//! `bpf-loader run`.

use super::args::{Global, Output, RunArgs};
use super::render;
use crate::error::LoaderError;
use crate::verbs::run::{self, RunRequest};

pub(super) fn run(arguments: &RunArgs, global: &Global) -> Result<(), LoaderError> {
    let record = run::run(&RunRequest {
        source: arguments.source.source(),
        name: arguments.name.clone(),
        wanted: arguments.wanted(),
        paths: global.paths(),
    })?;
    match arguments.output {
        Output::Table => render::ran(&record),
        Output::Json => render::json(&render::record(&record)),
    }
    Ok(())
}
