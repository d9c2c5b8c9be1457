//! A layer: gzip or tar, told apart by their first bytes.
//!
//! A tar header has a checksum that hardly a mutation gets right, so input that starts with a zero
//! byte is an archive whose checksums are put right first.

#![no_main]

use bpf_image::image::{ImageManifest, classify, object_bytes};
use bpf_image_fuzz::{judge, memory, said};
use bpf_image_spec::media_type;
use bpf_image_spec::oci::{Annotations, Descriptor, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    memory::report();
    let repaired;
    let (kind, layer) = match data {
        [0x1f, 0x8b, ..] => (media_type::OCI_LAYER_GZIP, data),
        [0, archive @ ..] => {
            repaired = with_checksums(archive);
            (media_type::OCI_LAYER, repaired.as_slice())
        }
        _ => (media_type::OCI_LAYER, data),
    };
    let image = image(kind);
    judge(layer, |layer| object_bytes(&image, layer.to_vec()).map_err(said));
});

fn image(layer: &str) -> ImageManifest {
    let manifest = Manifest {
        schema_version: 2,
        media_type: None,
        artifact_type: None,
        config: Descriptor::of(media_type::OCI_IMAGE_CONFIG, b"{}"),
        layers: vec![Descriptor::of(layer, b"")],
        subject: None,
        annotations: Annotations::new(),
    };
    classify(&manifest).expect("a manifest of the image form")
}

const BLOCK: usize = 512;

fn with_checksums(archive: &[u8]) -> Vec<u8> {
    let mut out = archive.to_vec();
    let mut at = 0;
    while let Some(header) = out.get_mut(at..at + BLOCK) {
        at += BLOCK;
        if header.iter().all(|byte| *byte == 0) {
            continue;
        }
        // POSIX: the sum of the header's bytes, with blanks in the place of the checksum.
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = std::str::from_utf8(&header[124..135]).ok();
        let size =
            size.and_then(|size| usize::from_str_radix(size.trim_matches([' ', '\0']), 8).ok());
        at = at.saturating_add(size.unwrap_or(0).next_multiple_of(BLOCK)).min(out.len());
    }
    out
}
