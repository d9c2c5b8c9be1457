//! `lint`: what will stop an object or surprise its users, and the way out.

use bpf_image_spec::Platform;
use schemars::JsonSchema;
use serde::Serialize;

use super::VerbError;
use super::inspect::Target;
use super::inspect::opened::Opened;
use super::inspect::response::ImageDetails;
use crate::lint::{self, Code, Context, Finding};
use crate::registry::Access;

/// What to judge.
#[derive(Debug)]
pub struct LintRequest {
    /// File or image.
    pub target: Target,
    /// Of an image: which manifest. Of a file: the platform that it is for.
    pub platform: Option<Platform>,
    /// Codes that are not looked for.
    pub allowed: Vec<Code>,
    /// How to reach registries.
    pub access: Access,
}

/// What was found. Serialises as the output of `lint -o json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LintResponse {
    /// File or reference.
    pub name: String,
    /// Every finding, the gravest first.
    pub findings: Vec<Finding>,
}

/// Judges one object.
pub async fn lint(request: &LintRequest) -> Result<LintResponse, VerbError> {
    let platform = request.platform.as_ref();
    let opened = Opened::read(&request.target, platform, &request.access).await?;
    let platforms = match &opened.image {
        Some(image) => platforms(image),
        None => platform.map(ToString::to_string).into_iter().collect(),
    };
    let broken = |source| match &request.target {
        Target::File(path) => VerbError::ObjectFile { path: path.clone(), source },
        Target::Image(reference) => {
            VerbError::ImageObject { reference: reference.to_string(), source }
        }
    };
    let mut findings = lint::lint(&opened.object, &Context { platforms }).map_err(broken)?;
    findings.retain(|finding| !request.allowed.contains(&finding.code));
    Ok(LintResponse { name: opened.name, findings })
}

/// Platforms whose manifests hold the object that was read.
fn platforms(image: &ImageDetails) -> Vec<String> {
    let same = image.same_object.iter().cloned();
    let mut all: Vec<_> = image.platform.clone().into_iter().chain(same).collect();
    all.retain(|platform| platform != "-");
    all
}
