//! A Sigstore bundle and the statement in it, as if a key had verified it.

#![no_main]

use bpf_image_fuzz::{judge, memory, said};
use bpf_image_signing::fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    judge(data, |data| fuzzing::bundle(data).map_err(said));
    // Base64 keeps mutations away from the statement, so it is also read by itself.
    judge(data, |data| fuzzing::statement(data).map_err(said));
});
