//! `build-args`: what `Containerfile.bytecode` has to be told about an object.
//!
//! docker and buildah know nothing of BPF, so the labels of the specification are worked out
//! here and travel as build arguments.

use std::path::PathBuf;

use bpf_image_spec::label;

use super::VerbError;
use super::build::{read_object, title};
use crate::image::build::container_labels;

/// The object that the Containerfile is to pack.
#[derive(Debug)]
pub struct BuildArgsRequest {
    /// The object file, as the Containerfile will see it below its build context.
    pub path: PathBuf,
}

/// Build arguments in the order of `Containerfile.bytecode`.
#[derive(Debug)]
pub struct BuildArgsResponse {
    /// Name → value.
    pub arguments: Vec<(&'static str, String)>,
}

/// Works out the build arguments of an object.
pub fn build_args(request: &BuildArgsRequest) -> Result<BuildArgsResponse, VerbError> {
    let object = read_object(&request.path)?;
    let title = title(&request.path);
    let labels = container_labels(&object, &title)?;
    let named = labels.into_iter().map(|(key, value)| (argument(key), value));
    Ok(BuildArgsResponse {
        arguments: [("BYTECODE_FILE", title)].into_iter().chain(named).collect(),
    })
}

/// The `ARG` of `Containerfile.bytecode` that fills a label.
fn argument(label: &str) -> &'static str {
    match label {
        label::PROGRAMS => "PROGRAMS",
        label::MAPS => "MAPS",
        label::SECTIONS => "SECTIONS",
        _ => "CONFIG",
    }
}
