//! The payload of a legacy signature, as if a key had verified it.

#![no_main]

use bpf_image_fuzz::{judge, memory, said};
use bpf_image_signing::fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    judge(data, |data| fuzzing::simple_signing(data).map_err(said));
    let text = String::from_utf8_lossy(data);
    judge(data, |_| fuzzing::legacy_signature(&text).map_err(said));
});
