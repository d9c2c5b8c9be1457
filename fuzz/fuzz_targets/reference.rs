//! References, platforms, digests, kernel versions: parsed, printed, parsed again.

#![no_main]

use std::error::Error;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use bpf_image_fuzz::{judge, memory, said};
use bpf_image_spec::config::KernelVersion;
use bpf_image_spec::{Digest, Platform, Reference};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    let Ok(text) = std::str::from_utf8(data) else { return };
    there_and_back::<Reference>(text);
    there_and_back::<Platform>(text);
    there_and_back::<Digest>(text);
    there_and_back::<KernelVersion>(text);
    let _ = KernelVersion::from_release(text).map_err(said);
});

fn there_and_back<T: FromStr<Err: Error> + Display + Debug + PartialEq>(text: &str) {
    let value = judge(text.as_bytes(), |_| text.parse::<T>().map_err(said));
    if let Some(value) = value {
        let again = value.to_string().parse().map_err(said);
        assert_eq!(again, Ok(value), "what was printed is not what was parsed");
    }
}
