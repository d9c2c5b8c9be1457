//! An attach point: parsed, printed, parsed again.

#![no_main]

use bpf_image_fuzz::{judge, memory, said};
use bpf_image_spec::attach::AttachPoint;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    let Ok(text) = std::str::from_utf8(data) else { return };
    let point = judge(data, |_| text.parse::<AttachPoint>().map_err(said));
    if let Some(point) = point {
        let again = point.to_string().parse().map_err(said);
        assert_eq!(again, Ok(point), "what was printed is not what was parsed");
    }
});
