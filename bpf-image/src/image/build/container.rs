//! The image form: a container image whose one layer holds the ELF file at its root.

use std::io::Write as _;

use bpf_image_spec::config::Endianness;
use bpf_image_spec::oci::{Descriptor, Manifest};
use bpf_image_spec::{Digest, label, media_type};
use flate2::{Compression, GzBuilder};

use super::{BuildError, BuildInput, BuildOptions, Packed, annotations, config_of};
use crate::image::container::{NewContainerConfig, NewExecution, RootFs};
use crate::image::label::labels;
use crate::object::Object;

/// Any constant will do; this one says "unknown" (RFC 1952, OS field).
const GZIP_OS_UNKNOWN: u8 = 255;

pub(super) fn pack(input: &BuildInput, options: &BuildOptions) -> Result<Packed, BuildError> {
    let annotations = annotations(&input.object, options);
    let mut all = annotations.clone();
    all.insert(label::CONFIG.to_owned(), config_label(&input.object, &input.title)?);
    let tar = archive(&input.title, input.object.bytes());
    // A container image must name an architecture. The host's would make the digest depend on
    // the machine that builds; BPF code depends on the byte order first of all.
    let architecture = match (&input.platform, input.object.spec().endianness) {
        (Some(platform), _) => platform.architecture(),
        (None, Endianness::Little) => "amd64",
        (None, Endianness::Big) => "s390x",
    };
    let config = NewContainerConfig {
        created: annotations.get(label::OCI_CREATED).map(String::as_str),
        architecture,
        os: "linux",
        config: NewExecution { labels: &all },
        rootfs: RootFs { kind: "layers", diff_ids: [Digest::of(&tar)] },
    }
    .to_json();
    let layer = gzip(&tar);
    let config_descriptor = Descriptor::of(media_type::OCI_IMAGE_CONFIG, &config);
    let layer_descriptor = Descriptor::of(media_type::OCI_LAYER_GZIP, &layer);
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::OCI_MANIFEST.to_owned()),
        artifact_type: None,
        config: config_descriptor.clone(),
        layers: vec![layer_descriptor.clone()],
        subject: None,
        annotations,
    };
    Ok(Packed { blobs: vec![(config_descriptor, config), (layer_descriptor, layer)], manifest })
}

/// The labels of an image of `object`, for builders that are not ours.
pub fn container_labels(
    object: &Object,
    title: &str,
) -> Result<Vec<(&'static str, String)>, BuildError> {
    super::check_title(title)?;
    let mut all = Vec::from(labels(object.spec()));
    all.push((label::CONFIG, config_label(object, title)?));
    Ok(all)
}

/// The value of `dev.bpfimage.config`.
fn config_label(object: &Object, title: &str) -> Result<String, BuildError> {
    let json = config_of(object, title, label::CONFIG_MAX)?;
    Ok(String::from_utf8_lossy(&json).into_owned())
}

fn archive(title: &str, object: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(object.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    let mut tar = tar::Builder::new(Vec::new());
    #[expect(clippy::expect_used, reason = "a Vec takes every write, and titles were checked")]
    {
        tar.append_data(&mut header, title, object).expect("a short plain name fits a header");
        tar.into_inner().expect("a Vec takes every write")
    }
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(GZIP_OS_UNKNOWN)
        .write(Vec::new(), Compression::best());
    #[expect(clippy::expect_used, reason = "a Vec takes every write")]
    {
        gzip.write_all(tar).expect("a Vec takes every write");
        gzip.finish().expect("a Vec takes every write")
    }
}
