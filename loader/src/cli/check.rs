//! `bpf-loader check`.

use bpf_image::text::printable as plain;
use serde_json::json;

use super::args::{CheckArgs, Global, Output};
use super::render::{self, DIM, GREEN, RED, YELLOW};
use crate::error::LoaderError;
use crate::verbs::check::{self, Answer, Checked};

pub(super) fn run(arguments: &CheckArgs, global: &Global) -> Result<(), LoaderError> {
    let checked = check::check(&arguments.source.source(), &global.paths())?;
    match arguments.output {
        Output::Table => print(&checked),
        Output::Json => render::json(&value(&checked)),
    }
    let missing = checked.missing();
    if missing.is_empty() { Ok(()) } else { Err(LoaderError::KernelLacks { missing }) }
}

fn print(checked: &Checked) {
    let fetched = checked.checked.fetched();
    let verified = fetched.verified();
    let spec = checked.checked.object().spec();
    out!("{}", verified.resolved().reference());
    out!("  digest    {}", verified.resolved().digest());
    for signer in verified.verdict().signers() {
        out!(
            "  signed    {GREEN}{}{GREEN:#} by scope {}",
            plain(signer.name()),
            plain(verified.verdict().scope())
        );
    }
    out!(
        "  object    {}, {}, {} bytes, as declared",
        count(spec.programs.len(), "program"),
        count(spec.maps.len(), "map"),
        spec.size
    );
    out!(
        "  kernel    Linux {} here, {} needed by tables {}",
        checked.kernel,
        checked.requires.kernel,
        checked.requires.tables
    );
    for requirement in &checked.requirements {
        let (style, word) = match requirement.met {
            Answer::Yes => (GREEN, "yes"),
            Answer::No => (RED, "no"),
            Answer::NotLoaded => (DIM, "left out"),
            Answer::Unknown => (YELLOW, "unknown"),
        };
        let what = plain(&requirement.what);
        let note = requirement.note.as_deref().map(plain).unwrap_or_default();
        out!("    {style}{word:<8}{style:#} {what} {DIM}{note}{DIM:#}");
    }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn value(checked: &Checked) -> serde_json::Value {
    let fetched = checked.checked.fetched();
    let verified = fetched.verified();
    json!({
        "reference": verified.resolved().reference().to_string(),
        "digest": verified.resolved().digest(),
        "manifest": fetched.manifest(),
        "scope": verified.verdict().scope(),
        "signers": verified.verdict().signers().iter().map(|signer| json!({
            "name": signer.name(), "key": signer.key().to_string(),
        })).collect::<Vec<_>>(),
        "object": checked.checked.object().spec(),
        "kernel": checked.kernel,
        "requires": checked.requires,
        "requirements": checked.requirements.iter().map(|requirement| json!({
            "what": requirement.what,
            "met": match requirement.met {
                Answer::Yes => "yes",
                Answer::No => "no",
                Answer::NotLoaded => "left-out",
                Answer::Unknown => "unknown",
            },
            "note": requirement.note,
        })).collect::<Vec<_>>(),
        "loadable": checked.missing().is_empty(),
    })
}
