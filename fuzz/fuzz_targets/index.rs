//! An index, and what it has for each platform.

#![no_main]

use bpf_image::image::select_platform;
use bpf_image_fuzz::{judge, memory, said};
use bpf_image_spec::Platform;
use bpf_image_spec::oci::Document;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    let Some(Document::Index(index)) = judge(data, |data| Document::from_json(data).map_err(said))
    else {
        return;
    };
    for architecture in ["amd64", "arm64", "s390x"] {
        let platform = Platform::from_architecture(architecture).expect("a known architecture");
        judge(data, |_| select_platform(&index, &platform).cloned().map_err(said));
    }
    let again = Document::from_json(&index.to_json()).map_err(said);
    assert_eq!(again, Ok(Document::Index(index)), "what was written is not what was read");
});
