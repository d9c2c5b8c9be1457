//! `bpf-image push` and `bpf-image pull`.

use std::process::ExitCode;

use bpf_image::registry::Access;
use bpf_image::text;
use bpf_image::verbs::copy::{self, CopyRequest, CopyResponse};
use bpf_image_spec::Reference;
use serde_json::json;

use super::Failure;
use super::output::{self, Output};

const PUSH_EXAMPLES: &str = "\
Examples:
  bpf-image push oci:images:v1 localhost:5000/org/counter:v1
  bpf-image push oci:images:v1 registry.lan:5000/counter:v1 --plain-http registry.lan:5000

Signatures, attestations and other referrers go along, and the tag is written last. Credentials
are those of `docker login` or `podman login`.";

const PULL_EXAMPLES: &str = "\
Examples:
  bpf-image pull localhost:5000/org/counter:v1 oci:images
  bpf-image pull registry.example/counter@sha256:… oci:images:pinned

The layout notes where the image came from, so that its signatures can be judged there too.";

/// Arguments of `push`.
#[derive(Debug, clap::Args)]
#[command(after_help = PUSH_EXAMPLES)]
pub(crate) struct PushArgs {
    /// The image: oci:DIR[:TAG], or one in another registry
    source: Reference,
    /// Its name in the registry: registry/repository[:tag]
    target: Reference,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Arguments of `pull`.
#[derive(Debug, clap::Args)]
#[command(after_help = PULL_EXAMPLES)]
pub(crate) struct PullArgs {
    /// The image: registry/repository[:tag][@digest]
    source: Reference,
    /// The layout to copy it into: oci:DIR[:TAG]
    target: Reference,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Copies into a registry.
pub(crate) async fn push(args: PushArgs, access: Access) -> Result<ExitCode, Failure> {
    let request = CopyRequest { source: args.source, target: args.target, access };
    print(&copy::push(request).await?, args.output)
}

/// Copies into a layout.
pub(crate) async fn pull(args: PullArgs, access: Access) -> Result<ExitCode, Failure> {
    let request = CopyRequest { source: args.source, target: args.target, access };
    print(&copy::pull(request).await?, args.output)
}

fn print(response: &CopyResponse, output: Output) -> Result<ExitCode, Failure> {
    for skipped in &response.skipped {
        anstream::eprintln!("warning: left behind {}", text::printable(skipped));
    }
    match output {
        data @ (Output::Json | Output::Yaml) => output::print_data(
            data,
            &json!({
                "reference": response.target.to_string(),
                "digest": response.digest,
                "referrers": response.referrers,
                "skipped": response.skipped,
            }),
        )?,
        Output::Table => output::print(&text::facts(&[
            ("image", response.target.to_string()),
            ("digest", response.digest.to_string()),
            ("referrers", response.referrers.to_string()),
        ]))?,
    }
    Ok(ExitCode::SUCCESS)
}
