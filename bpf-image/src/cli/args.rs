//! The commands and what they share.

use bpf_image::registry::Access;
use clap::{Parser, Subcommand};

use super::{build, build_args, completions, copy, diff, inspect, keygen, lint, sign, verify};

const EXAMPLES: &str = "\
From object to a verified image, with no registry at hand:
  bpf-image build counter.o -t oci:images:v1
  bpf-image keygen --output-key-prefix release
  bpf-image sign --key release.key oci:images:v1
  bpf-image verify --key release.pub oci:images:v1

References: registry/repository[:tag][@sha256:…], or oci:DIR[:TAG] for an OCI image layout on disk.
Exit codes: 0 done, 1 failed here, 2 usage, 3 refused by policy or verification, 5 registry or network,
6 a gate said no (diff --fail-on, lint).";

/// Pack BPF programs as OCI images: inspect, compare, build, push, pull, sign, verify.
#[derive(Debug, Parser)]
#[command(name = "bpf-image", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Use plain HTTP for this registry, given as in references [repeatable].
    ///
    /// Loopback registries are reached by plain HTTP anyway; credentials go over it only to
    /// hosts that are named here.
    #[arg(long, global = true, value_name = "HOST[:PORT]")]
    plain_http: Vec<String>,
}

impl Cli {
    /// How registries are to be reached.
    pub(crate) fn access(&self) -> Access {
        Access::new(self.plain_http.clone())
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what BPF objects or images hold
    Inspect(inspect::Args),
    /// Show what an upgrade from one object or image to another will change
    Diff(diff::Args),
    /// Find what will stop an object or surprise its users
    Lint(lint::Args),
    /// Pack objects as an image
    Build(build::Args),
    /// Print the build arguments for Containerfile.bytecode
    BuildArgs(build_args::Args),
    /// Copy an image and its signatures into a registry
    Push(copy::PushArgs),
    /// Copy an image and its signatures into an OCI image layout
    Pull(copy::PullArgs),
    /// Make a key pair and print a policy that trusts it
    Keygen(keygen::Args),
    /// Sign an image with a key
    Sign(sign::Args),
    /// Check the signatures of an image
    Verify(verify::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// `KEY=VALUE` of a repeatable option.
pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn key_value_splits_at_the_first_equals_sign() {
        assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(key_value("=x").is_err() && key_value("x").is_err());
    }
}
