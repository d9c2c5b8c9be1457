//! `bpf-loader check`.

use anstream::println;
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
    println!("{}", verified.resolved().reference());
    println!("  digest    {}", verified.resolved().digest());
    for signer in verified.verdict().signers() {
        println!(
            "  signed    {GREEN}{}{GREEN:#} by scope {}",
            plain(signer.name()),
            plain(verified.verdict().scope())
        );
    }
    println!(
        "  object    {}, {}, {} bytes, as declared",
        count(spec.programs.len(), "program"),
        count(spec.maps.len(), "map"),
        spec.size
    );
    println!(
        "  kernel    Linux {} here, {} needed by tables {}",
        checked.kernel, checked.requires.kernel, checked.requires.tables
    );
    for requirement in &checked.requirements {
        let (style, word) = match requirement.met {
            Answer::Yes => (GREEN, "yes"),
            Answer::No => (RED, "no"),
            Answer::Unknown => (YELLOW, "unknown"),
        };
        let what = plain(&requirement.what);
        match &requirement.note {
            Some(note) => {
                println!("    {style}{word:<7}{style:#} {what} {DIM}{}{DIM:#}", plain(note));
            }
            None => println!("    {style}{word:<7}{style:#} {what}"),
        }
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
                Answer::Unknown => "unknown",
            },
            "note": requirement.note,
        })).collect::<Vec<_>>(),
        "loadable": checked.missing().is_empty(),
    })
}
