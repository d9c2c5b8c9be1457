//! `bpf-image build`.

use std::path::PathBuf;
use std::process::ExitCode;

use bpf_image::image::Format;
use bpf_image::registry::Access;
use bpf_image::text;
use bpf_image::verbs::build::{BuildRequest, BuildResponse, build};
use bpf_image_spec::{Platform, Reference};
use clap::ValueEnum;
use serde_json::json;

use super::Failure;
use super::args::key_value;
use super::output::{self, Output};

const EXAMPLES: &str = "\
Examples:
  bpf-image build counter.o -t oci:images:v1
  bpf-image build counter.o -t localhost:5000/counter:v1 --push
  bpf-image build --platform linux/amd64=amd64.o --platform linux/arm64=arm64.o -t oci:images:v1
  bpf-image build counter.o --platform linux/amd64 --platform linux/arm64 -t oci:images:v1
  bpf-image build counter.o --format image -t oci:images:v1

The same objects give the same digest on every machine. A creation time is written only when
SOURCE_DATE_EPOCH is set. An image for bpfman, docker or Kubernetes (--format image) must name an
architecture: without --platform that is amd64, or s390x for a big-endian object.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The object file that clang wrote
    #[arg(value_name = "OBJECT", required_unless_present = "platform")]
    object: Option<PathBuf>,

    /// An object for one platform; given several times, the image is an index
    ///
    /// `--platform linux/amd64` without an object says that OBJECT is for it, also for several.
    #[arg(long, value_name = "OS/ARCH[=OBJECT]", value_parser = platform)]
    platform: Vec<(Platform, Option<PathBuf>)>,

    /// Name of the image: oci:DIR[:TAG], or registry/repository:tag with --push
    #[arg(short, long = "tag", value_name = "REF")]
    tag: Reference,

    /// Push to the registry that the name is in
    #[arg(long)]
    push: bool,

    /// Form of the image
    #[arg(long, value_enum, default_value_t)]
    format: FormatArg,

    /// Annotation of the image [repeatable]
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    annotation: Vec<(String, String)>,

    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// The forms, with what they are for.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum FormatArg {
    /// OCI artifact whose layer is the object file
    #[default]
    Artifact,
    /// Container image, for bpfman, docker, podman and Kubernetes image volumes
    Image,
}

/// Builds and says where it is.
pub(crate) async fn run(args: Args, access: Access) -> Result<ExitCode, Failure> {
    let output = args.output;
    let request = BuildRequest {
        epoch: epoch()?,
        inputs: inputs(args.object, args.platform)?,
        reference: args.tag,
        push: args.push,
        format: match args.format {
            FormatArg::Artifact => Format::Artifact,
            FormatArg::Image => Format::Image,
        },
        annotations: args.annotation.into_iter().collect(),
        access,
    };
    let response = build(request).await?;
    match output {
        data @ (Output::Json | Output::Yaml) => output::print_data(data, &json(&response))?,
        Output::Table => output::print(&text(&response))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn platform(text: &str) -> Result<(Platform, Option<PathBuf>), String> {
    let (platform, object) = match text.split_once('=') {
        Some((_, "")) => return Err("no object after `=`".to_owned()),
        Some((platform, object)) => (platform, Some(PathBuf::from(object))),
        None => (text, None),
    };
    platform.parse().map(|platform| (platform, object)).map_err(|error| format!("{error}"))
}

/// Every object with its platform; the bare one is for each platform that names none.
fn inputs(
    bare: Option<PathBuf>,
    platforms: Vec<(Platform, Option<PathBuf>)>,
) -> Result<Vec<(Option<Platform>, PathBuf)>, Failure> {
    let mut bare_is_used = false;
    let mut all = Vec::new();
    for (platform, object) in platforms {
        bare_is_used |= object.is_none();
        match object.or_else(|| bare.clone()) {
            Some(object) => all.push((Some(platform), object)),
            None => return Err(Failure::PlatformWithoutObject(platform)),
        }
    }
    // One left over belongs to no platform: beside others the build refuses it by its name.
    if !bare_is_used {
        all.extend(bare.map(|object| (None, object)));
    }
    Ok(all)
}

/// reproducible-builds.org's variable.
fn epoch() -> Result<Option<u64>, Failure> {
    let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    let text = value.to_string_lossy();
    text.parse().map(Some).map_err(|_| Failure::Epoch(text.into_owned()))
}

fn text(response: &BuildResponse) -> String {
    let mut rows =
        vec![("image", response.reference.to_string()), ("digest", response.digest.to_string())];
    for (platform, digest) in &response.manifests {
        rows.push(("", format!("{digest}  {platform}")));
    }
    rows.push(("size", text::bytes(response.size)));
    text::facts(&rows)
}

fn json(response: &BuildResponse) -> serde_json::Value {
    json!({
        "reference": response.reference.to_string(),
        "digest": response.digest,
        "manifests": response.manifests.iter().map(|(platform, digest)| {
            json!({ "platform": platform, "digest": digest })
        }).collect::<Vec<_>>(),
        "size": response.size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bare: Option<&str>, platforms: &[&str]) -> Option<Vec<(String, String)>> {
        let platforms = platforms.iter().map(|text| platform(text).unwrap()).collect();
        let all = inputs(bare.map(PathBuf::from), platforms).ok()?;
        let text = |platform: Option<Platform>| platform.map_or("-".to_owned(), |p| p.to_string());
        Some(all.into_iter().map(|(p, path)| (text(p), path.display().to_string())).collect())
    }

    #[test]
    fn bare_object_is_for_each_platform_without_one() {
        let pair = |platform: &str, object: &str| (platform.to_owned(), object.to_owned());
        assert_eq!(of(Some("a.o"), &[]), Some(vec![pair("-", "a.o")]));
        assert_eq!(
            of(Some("a.o"), &["linux/amd64", "linux/arm64"]),
            Some(vec![pair("linux/amd64", "a.o"), pair("linux/arm64", "a.o")])
        );
        assert_eq!(
            of(Some("a.o"), &["linux/amd64", "linux/arm64=b.o"]),
            Some(vec![pair("linux/amd64", "a.o"), pair("linux/arm64", "b.o")])
        );
        let left_over = of(Some("a.o"), &["linux/amd64=b.o"]);
        assert_eq!(left_over, Some(vec![pair("linux/amd64", "b.o"), pair("-", "a.o")]));
        assert_eq!(of(None, &["linux/amd64"]), None);
        assert!(platform("linux/amd64=").is_err() && platform("amd64=a.o").is_err());
    }
}
