//! The artifact form: the ELF file itself is the layer, so its digest is its `sha256sum`.

use bpf_image_spec::config::CONFIG_MAX;
use bpf_image_spec::oci::{Annotations, Descriptor, Manifest};
use bpf_image_spec::{label, media_type};

use super::{BuildError, BuildInput, BuildOptions, Packed, annotations, config_of};

pub(super) fn pack(input: &BuildInput, options: &BuildOptions) -> Result<Packed, BuildError> {
    let config = config_of(&input.object, &input.title, CONFIG_MAX)?;
    let object = input.object.bytes().to_vec();
    let layer = Descriptor {
        // Without a title, `oras pull` would download the layer and write no file.
        annotations: Annotations::from([(label::OCI_TITLE.to_owned(), input.title.clone())]),
        ..Descriptor::of(media_type::OBJECT, &object)
    };
    let config_descriptor = Descriptor::of(media_type::CONFIG, &config);
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::OCI_MANIFEST.to_owned()),
        artifact_type: Some(media_type::ARTIFACT.to_owned()),
        config: config_descriptor.clone(),
        layers: vec![layer.clone()],
        subject: None,
        annotations: annotations(&input.object, options),
    };
    Ok(Packed { blobs: vec![(config_descriptor, config), (layer, object)], manifest })
}
