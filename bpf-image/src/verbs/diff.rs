//! `diff`: what an upgrade from one object or image to another will change.

use bpf_image_spec::{Digest, Platform};
use schemars::JsonSchema;
use serde::Serialize;

use super::VerbError;
use super::inspect::Target;
use super::inspect::opened::Opened;
use crate::diff::{self, Change, Impact, MapFate};
use crate::registry::Access;

/// What to compare.
#[derive(Debug)]
pub struct DiffRequest {
    /// What runs today.
    pub old: Target,
    /// What is to take its place.
    pub new: Target,
    /// Which manifest of an index; this machine's platform when `None`, else the first.
    pub platform: Option<Platform>,
    /// How to reach registries.
    pub access: Access,
}

/// What changes. Serialises as the output of `diff -o json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffResponse {
    /// What runs today.
    pub old: Side,
    /// What is to take its place.
    pub new: Side,
    /// Every change, the gravest first.
    pub changes: Vec<Change>,
    /// What becomes of each map.
    pub maps: Vec<MapFate>,
}

/// One of the two objects.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// File or reference.
    pub name: String,
    /// Digest of the object.
    pub object: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Digest that an image's reference stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Digest>,
    /// Platform of the manifest that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

impl DiffResponse {
    /// Whether there is a change that concerns `impact`.
    pub fn has(&self, impact: Impact) -> bool {
        self.changes.iter().any(|change| change.impact == impact)
    }
}

/// Compares the objects themselves, so that what an image declares, and by which tables, is no
/// matter.
pub async fn diff(request: &DiffRequest) -> Result<DiffResponse, VerbError> {
    let platform = request.platform.as_ref();
    let old = Opened::read(&request.old, platform, &request.access).await?;
    let new = Opened::read(&request.new, platform, &request.access).await?;
    let broken = |source| VerbError::ImageObject { reference: new.name.clone(), source };
    Ok(DiffResponse {
        changes: diff::changes(&old.object, &new.object).map_err(broken)?,
        maps: diff::map_fates(old.object.spec(), new.object.spec()),
        old: side(&old),
        new: side(&new),
    })
}

fn side(of: &Opened) -> Side {
    let spec = of.object.spec();
    Side {
        name: of.name.clone(),
        object: spec.digest,
        size: spec.size,
        image: of.image.as_ref().map(|image| image.digest),
        platform: of.image.as_ref().and_then(|image| image.platform.clone()),
    }
}
