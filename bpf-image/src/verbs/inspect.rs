//! `inspect`: what an object is, or what an image says that its object is.

pub mod listing;
pub(super) mod opened;
pub mod response;
pub(super) mod viewer;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bpf_image_spec::config::ObjectSpec;
use bpf_image_spec::{Platform, Reference};

pub use self::response::InspectResponse;

use self::viewer::Viewer;
use super::VerbError;
use super::build::read_object;
use crate::image::check_declared;
use crate::object::Object;
use crate::registry::Access;

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An object file.
    File(PathBuf),
    /// An image.
    Image(Reference),
}

/// What to look at, and how closely.
#[derive(Debug, Clone)]
pub struct InspectRequest {
    /// File or image.
    pub target: Target,
    /// Which manifest of an index; this machine's platform when `None`, else the first.
    pub platform: Option<Platform>,
    /// Whether to fetch an image's object even if its config says everything.
    pub fetch_object: bool,
    /// The one program to show, with the maps it uses.
    pub program: Option<String>,
    /// Whether to list instructions.
    pub disassemble: bool,
    /// BTF types to show.
    pub types: Vec<String>,
    /// How to reach registries.
    pub access: Access,
}

impl InspectRequest {
    /// Looks at `target` as `inspect` does with no option.
    pub fn new(target: Target, access: Access) -> Self {
        let (program, types) = (None, Vec::new());
        let (platform, fetch_object, disassemble) = (None, false, false);
        Self { target, platform, fetch_object, program, disassemble, types, access }
    }

    fn needs_bytes(&self) -> bool {
        self.fetch_object || self.disassemble || !self.types.is_empty()
    }
}

/// Looks at an object file or an image. Signatures are not looked at: that is `verify`'s.
pub async fn inspect(request: &InspectRequest) -> Result<InspectResponse, VerbError> {
    match &request.target {
        Target::File(path) => {
            let object = read_object(path)?;
            let mut response = from_bytes(request, &object)?;
            response.file = Some(path.display().to_string());
            Ok(response)
        }
        Target::Image(reference) => {
            let viewer = Viewer::new(reference, &request.access)?;
            let view = viewer.view(request.platform.as_ref()).await?;
            let mut response = match view.declared.config() {
                Some(config) if !request.needs_bytes() => InspectResponse {
                    object: narrowed(request, config.object.clone())?,
                    requires: config.requires.clone(),
                    ..empty(config.object.clone())
                },
                _ => {
                    let object = viewer.object(&view).await?;
                    let mut response = from_bytes(request, &object)?;
                    let differences = check_declared(&view.declared, &object).err();
                    let differences = differences.unwrap_or_default();
                    response.differences = differences.into_iter().map(Into::into).collect();
                    response
                }
            };
            response.image = Some(view.details);
            Ok(response)
        }
    }
}

fn empty(object: ObjectSpec) -> InspectResponse {
    InspectResponse {
        file: None,
        image: None,
        object,
        requires: None,
        from_bytes: false,
        differences: Vec::new(),
        disassembly: Vec::new(),
        types: BTreeMap::new(),
    }
}

fn from_bytes(request: &InspectRequest, object: &Object) -> Result<InspectResponse, VerbError> {
    let spec = narrowed(request, object.spec().clone())?;
    let broken = |source| match &request.target {
        Target::File(path) => VerbError::ObjectFile { path: path.clone(), source },
        Target::Image(reference) => {
            VerbError::ImageObject { reference: reference.to_string(), source }
        }
    };
    let disassembly = if request.disassemble {
        let programs = spec.programs.iter().map(|program| program.name.as_str());
        listing::listings(object, programs).map_err(broken)?
    } else {
        Vec::new()
    };
    let mut types = BTreeMap::new();
    for name in &request.types {
        let text = object.btf_type(name).map_err(broken)?;
        let text = text.ok_or_else(|| VerbError::NoSuchType { name: name.clone() })?;
        types.insert(name.clone(), text);
    }
    Ok(InspectResponse {
        requires: Some(object.requires()),
        from_bytes: true,
        disassembly,
        types,
        ..empty(spec)
    })
}

/// With `--program`: that program, and the maps it uses.
fn narrowed(request: &InspectRequest, mut spec: ObjectSpec) -> Result<ObjectSpec, VerbError> {
    let Some(name) = &request.program else { return Ok(spec) };
    let known: Vec<_> = spec.programs.iter().map(|program| program.name.clone()).collect();
    spec.programs.retain(|program| program.name == *name);
    let Some(program) = spec.programs.first() else {
        return Err(VerbError::NoSuchProgram { name: name.clone(), known });
    };
    let used = program.maps.clone();
    spec.maps.retain(|map| used.contains(&map.name));
    Ok(spec)
}
