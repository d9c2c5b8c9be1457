//! `bpf-image verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use bpf_image::registry::Access;
use bpf_image::text;
use bpf_image::verbs::sign::read_public_key;
use bpf_image::verbs::verify::{Trust, VerifyRequest, VerifyResponse, verify};
use bpf_image_spec::Reference;
use serde_json::json;

use super::Failure;
use super::output::{self, Output};

const EXAMPLES: &str = "\
Examples:
  bpf-image verify --key release.pub localhost:5000/org/counter:v1
  bpf-image verify --key release.pub --print-policy oci:images:v1 > policy.toml
  bpf-image verify --policy policy.toml localhost:5000/org/counter:v1

Ends with code 3, and says why each signature did not count, when the image is not signed as it
should be; with code 5 when the registry cannot be asked.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The public key that must have signed
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    key: Option<PathBuf>,

    /// The policy file that decides
    #[arg(long, value_name = "FILE", default_value = "/etc/bpf-image/policy.toml")]
    policy: PathBuf,

    /// With --key: print a policy file that trusts the key for this image's repository
    #[arg(long, requires = "key")]
    print_policy: bool,

    /// The image
    reference: Reference,

    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Verifies and says who signed what.
pub(crate) async fn run(args: Args, access: Access) -> Result<ExitCode, Failure> {
    let trust = match &args.key {
        Some(path) => Trust::Key(read_public_key(path)?),
        None => Trust::Policy(args.policy),
    };
    let request = VerifyRequest { reference: args.reference, trust, access };
    let response = verify(&request).await?;
    match (args.output, &response.policy) {
        (data @ (Output::Json | Output::Yaml), _) => output::print_data(data, &json(&response))?,
        (Output::Table, Some(policy)) if args.print_policy => {
            anstream::eprint!("{}\n", text(&request.reference, &response));
            output::print(policy)?;
        }
        (Output::Table, _) => output::print(&text(&request.reference, &response))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn text(reference: &Reference, response: &VerifyResponse) -> String {
    let verdict = response.verified.verdict();
    let mut rows = vec![("image", reference.to_string()), ("digest", verdict.digest().to_string())];
    for signer in verdict.signers() {
        rows.push(("signed by", signer.to_string()));
    }
    rows.push(("scope", verdict.scope().to_owned()));
    for outcome in verdict.outcomes().iter().filter(|outcome| outcome.result().is_err()) {
        rows.push(("ignored", outcome.to_string()));
    }
    text::facts(&rows)
}

fn json(response: &VerifyResponse) -> serde_json::Value {
    let verdict = response.verified.verdict();
    let signers = verdict
        .signers()
        .iter()
        .map(|signer| json!({ "name": signer.name(), "key": signer.key().to_string() }));
    let candidates = verdict.outcomes().iter().map(|outcome| match outcome.result() {
        Ok(signer) => json!({ "origin": outcome.origin(), "signer": signer.name() }),
        Err(error) => json!({ "origin": outcome.origin(), "ignored": error.to_string() }),
    });
    json!({
        "digest": verdict.digest(),
        "scope": verdict.scope(),
        "signers": signers.collect::<Vec<_>>(),
        "candidates": candidates.collect::<Vec<_>>(),
        "policy": response.policy,
    })
}
