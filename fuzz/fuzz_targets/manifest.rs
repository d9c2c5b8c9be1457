//! A manifest and its form.

#![no_main]

use bpf_image::image::classify;
use bpf_image_fuzz::{judge, memory, said};
use bpf_image_spec::oci::Document;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    let Some(Document::Manifest(manifest)) =
        judge(data, |data| Document::from_json(data).map_err(said))
    else {
        return;
    };
    judge(data, |_| classify(&manifest).map_err(said));
    let again = Document::from_json(&manifest.to_json()).map_err(said);
    assert_eq!(again, Ok(Document::Manifest(manifest)), "what was written is not what was read");
});
