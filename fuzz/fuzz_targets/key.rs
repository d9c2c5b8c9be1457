//! A public key's PEM: read, written, read again.

#![no_main]

use bpf_image_fuzz::{judge, memory, said};
use bpf_image_signing::PublicKey;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    let key = judge(data, |data| PublicKey::from_pem(data).map_err(said));
    if let Some(key) = key {
        let again = PublicKey::from_pem(key.to_pem().as_bytes()).map_err(said);
        assert_eq!(again, Ok(key), "what was written is not what was read");
    }
});
