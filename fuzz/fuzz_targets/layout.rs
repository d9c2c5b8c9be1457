//! `index.json` of a layout and lists of referrers: read leniently, edited without loss.

#![no_main]

use bpf_image::fuzzing;
use bpf_image_fuzz::{judge, memory, said};
use bpf_image_spec::oci::Descriptor;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    let entries = judge(data, |data| fuzzing::entries(data).map_err(said));
    let added = Descriptor::of("application/octet-stream", b"added");
    let edited = judge(data, |data| fuzzing::appended(data, &added).map_err(said));
    let (Some(entries), Some(Some(edited))) = (entries, edited) else { return };
    let after = match fuzzing::entries(&edited) {
        Ok(after) => after,
        Err(error) => panic!("an index that could be read cannot be after an edit: {error}"),
    };
    // An entry that was skipped for a field given twice has it once now, so there may be more.
    let mut found = after.iter();
    for entry in entries.iter().chain([&added]) {
        assert!(found.any(|other| other == entry), "an edit has lost {entry:?}");
    }
});
