//! A file or image with its object, for verbs that judge bytes.

use bpf_image_spec::Platform;

use super::Target;
use super::response::ImageDetails;
use super::viewer::Viewer;
use crate::image::check_declared;
use crate::object::Object;
use crate::registry::Access;
use crate::verbs::VerbError;
use crate::verbs::build::read_object;

/// An object, and the image it came in.
#[derive(Debug)]
pub(in crate::verbs) struct Opened {
    pub(in crate::verbs) name: String,
    pub(in crate::verbs) object: Object,
    pub(in crate::verbs) image: Option<ImageDetails>,
}

impl Opened {
    /// Reads the object of `target`. An image that declares something else is refused: nobody
    /// could tell which of the two was judged.
    pub(in crate::verbs) async fn read(
        target: &Target,
        platform: Option<&Platform>,
        access: &Access,
    ) -> Result<Self, VerbError> {
        match target {
            Target::File(path) => {
                let (name, object) = (path.display().to_string(), read_object(path)?);
                Ok(Self { name, object, image: None })
            }
            Target::Image(reference) => {
                let viewer = Viewer::new(reference, access)?;
                let view = viewer.view(platform).await?;
                let object = viewer.object(&view).await?;
                let name = reference.to_string();
                check_declared(&view.declared, &object).map_err(|differences| {
                    VerbError::DeclaredOtherwise { reference: name.clone(), differences }
                })?;
                Ok(Self { name, object, image: Some(view.details) })
            }
        }
    }
}
