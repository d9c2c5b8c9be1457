//! The config: read, written, read again.

#![no_main]

use bpf_image_fuzz::{judge, memory, said, template};
use bpf_image_spec::Config;
use bpf_image_spec::config::differences;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    let config = judge(data, |data| Config::from_json(data).map_err(said));
    let Some(config) = config else { return };
    assert!(differences(&config.object, &config.object).is_empty());
    for difference in differences(&config.object, template::OBJECT.spec()) {
        let _ = difference.to_string();
    }
    let again = Config::from_json(&config.to_json()).map_err(said);
    assert_eq!(again, Ok(config), "what was written is not what was read");
});
