//! Labels and annotations: what an image says of its object, compared with one.
//!
//! Input that starts with `{` is a container config. Other input is a list of values, divided by
//! zero bytes, for labels of these names; an empty one means that there is no such label.

#![no_main]

use bpf_image::image::{check_declared, classify, declared};
use bpf_image_fuzz::{judge, memory, said, template};
use bpf_image_spec::oci::{Annotations, Descriptor, Manifest};
use bpf_image_spec::{label, media_type};
use libfuzzer_sys::fuzz_target;

const LABELS: [&str; 8] = [
    label::PROGRAMS,
    label::MAPS,
    label::SECTIONS,
    label::CONFIG,
    label::LEGACY_PROGRAM_NAME,
    label::LEGACY_FUNCTION_NAME,
    label::LEGACY_PROGRAM_TYPE,
    label::LEGACY_FILENAME,
];
const ANNOTATIONS: [&str; 3] = [label::PROGRAMS, label::MAPS, label::SECTIONS];

fuzz_target!(|data: &[u8]| {
    memory::report();
    let read = if data.starts_with(b"{") {
        judge(data, |data| read(Annotations::new(), data))
    } else {
        let text = String::from_utf8_lossy(data);
        let mut values = text.split('\0');
        let mut take = |names: &[&str]| -> Annotations {
            let named = names.iter().zip(values.by_ref());
            named.filter(|(_, v)| !v.is_empty()).map(|(n, v)| ((*n).into(), v.into())).collect()
        };
        let labels = take(&LABELS);
        let annotations = take(&ANNOTATIONS);
        let config = serde_json::json!({ "config": { "Labels": labels } }).to_string();
        judge(config.as_bytes(), |config| read(annotations.clone(), config))
    };
    if let Some(declared) = read {
        let differences = check_declared(&declared, &template::OBJECT).err();
        for difference in differences.into_iter().flatten() {
            let _ = difference.to_string();
        }
    }
});

fn read(annotations: Annotations, config: &[u8]) -> Result<bpf_image::image::Declared, String> {
    let manifest = Manifest {
        schema_version: 2,
        media_type: None,
        artifact_type: None,
        config: Descriptor::of(media_type::OCI_IMAGE_CONFIG, b""),
        layers: vec![Descriptor::of(media_type::OCI_LAYER_GZIP, b"")],
        subject: None,
        annotations,
    };
    let image = classify(&manifest).map_err(said)?;
    declared(&image, config).map_err(said)
}
