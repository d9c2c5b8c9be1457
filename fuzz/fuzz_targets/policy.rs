//! A policy file, and the scope that it has for a place.

#![no_main]

use std::io;

use bpf_image_fuzz::{judge, memory, said};
use bpf_image_signing::{Policy, Requested};

const KEY: &[u8] = include_bytes!("../../signing/testdata/cosign-3.1.1.pub");

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    let Ok(text) = std::str::from_utf8(data) else { return };
    let place = "registry.example/org/counter:v1".parse().expect("a reference");
    let requested = Requested::registry(&place);
    judge(data, |_| {
        let policy = Policy::parse(text, |path| match path.to_str() {
            Some("key.pub") => Ok(KEY.to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        });
        let policy = policy.map_err(said)?;
        assert!(!policy.scopes().is_empty(), "a policy that constrains nothing");
        for scope in policy.scopes() {
            assert!((1..=scope.signers().len()).contains(&scope.threshold()));
        }
        policy.scope_for(&requested).map(|scope| scope.name()).map_err(said)
    });
});
