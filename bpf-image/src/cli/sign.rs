//! `bpf-image sign`.

use std::path::PathBuf;
use std::process::ExitCode;

use bpf_image::registry::Access;
use bpf_image::text;
use bpf_image::verbs::sign::{SignRequest, SignResponse, read_private_key, sign};
use bpf_image_spec::Reference;
use serde_json::json;

use super::args::key_value;
use super::output::{self, Output};
use super::{Failure, password};

const EXAMPLES: &str = "\
Examples:
  bpf-image sign --key release.key localhost:5000/org/counter:v1
  bpf-image sign --key release.key --annotation dev.bpfimage.version=1.2 oci:images:v1
  BPF_IMAGE_PASSWORD= bpf-image sign --key cosign.key oci:images:v1

Writes both signature formats of cosign (the .sig tag, and a Sigstore bundle as referrer) beside the
image, for an index and each of its manifests. The registry and repository are signed along, so that
the signature does not count elsewhere. The tag is looked at once; what is signed is the digest.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The private key file, of keygen or cosign
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// The image
    reference: Reference,

    /// Annotation to sign along [repeatable]
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    annotation: Vec<(String, String)>,

    /// File that holds the key's password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Signs and says what.
pub(crate) async fn run(args: Args, access: Access) -> Result<ExitCode, Failure> {
    let password = password::existing(args.password_file.as_deref())?;
    let request = SignRequest {
        key: read_private_key(&args.key, password.as_bytes())?,
        reference: args.reference,
        annotations: args.annotation.into_iter().collect(),
        access,
    };
    let response = sign(&request).await?;
    match args.output {
        data @ (Output::Json | Output::Yaml) => output::print_data(data, &json(&response))?,
        Output::Table => output::print(&text(&request.reference, &response))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn text(reference: &Reference, response: &SignResponse) -> String {
    let mut rows = vec![("image", reference.to_string())];
    for signed in &response.signed {
        let already = if signed.already { "  (was signed before)" } else { "" };
        rows.push(("signed", format!("{}{already}", signed.digest)));
    }
    rows.push(("key id", response.key.to_string()));
    let everywhere = "any; the layout does not say where the image belongs";
    let repository = response.repository.clone().unwrap_or_else(|| everywhere.to_owned());
    rows.push(("repository", repository));
    text::facts(&rows)
}

fn json(response: &SignResponse) -> serde_json::Value {
    json!({
        "digest": response.digest,
        "signed": response.signed.iter().map(|signed| {
            json!({ "digest": signed.digest, "already": signed.already })
        }).collect::<Vec<_>>(),
        "key": response.key.to_string(),
        "repository": response.repository,
    })
}
