//! `bpf-image keygen`.

use std::path::PathBuf;
use std::process::ExitCode;

use bpf_image::text;
use bpf_image::verbs::keygen::{KeygenRequest, keygen};
use bpf_image_signing::KeyType;
use clap::ValueEnum;
use serde_json::json;

use super::output::{self, Output};
use super::{Failure, password};

const EXAMPLES: &str = "\
Examples:
  bpf-image keygen --output-key-prefix release
  bpf-image keygen --scope localhost:5000/org > policy.toml
  BPF_IMAGE_PASSWORD= bpf-image keygen --scope oci:/srv/images

Writes PREFIX.key (mode 0600, encrypted, as cosign has it) and PREFIX.pub, and prints a policy file
that trusts the key for --scope. Files that exist are never overwritten. The password is asked for
on a terminal, or comes from --password-file, BPF_IMAGE_PASSWORD or COSIGN_PASSWORD.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Path of both files, without .key and .pub
    #[arg(long, value_name = "PREFIX", default_value = "cosign")]
    output_key_prefix: PathBuf,

    /// Kind of key
    #[arg(long = "type", value_enum, default_value_t)]
    kind: Kind,

    /// What the printed policy trusts the key for: `registry[/path]` or `oci:/absolute/path`
    #[arg(long, value_name = "SCOPE", default_value = "registry.example/org")]
    scope: String,

    /// File that holds the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Kinds of keys.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Kind {
    /// ECDSA on P-256, which every verifier reads
    #[default]
    EcdsaP256,
    /// Ed25519
    Ed25519,
}

/// Makes the key; the policy goes to standard output, the rest to standard error.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    let response = keygen(&KeygenRequest {
        prefix: args.output_key_prefix,
        key_type: match args.kind {
            Kind::EcdsaP256 => KeyType::EcdsaP256,
            Kind::Ed25519 => KeyType::Ed25519,
        },
        password: password::new(args.password_file.as_deref())?,
        scope: args.scope,
    })?;
    match args.output {
        data @ (Output::Json | Output::Yaml) => output::print_data(
            data,
            &json!({
                "private": response.private,
                "public": response.public,
                "id": response.id.to_string(),
                "policy": response.policy,
            }),
        )?,
        Output::Table => {
            let facts = text::facts(&[
                ("private key", response.private.display().to_string()),
                ("public key", response.public.display().to_string()),
                ("key id", response.id.to_string()),
            ]);
            anstream::eprint!("{facts}\n");
            output::print(&response.policy)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
