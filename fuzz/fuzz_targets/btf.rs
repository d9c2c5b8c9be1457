//! A `.BTF` section in an object that has maps, globals and externs to look up in it.

#![no_main]

use bpf_image::object::Object;
use bpf_image_fuzz::{judge, memory, said, template, with_section};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    judge(data, |data| {
        let object = with_section(template::fitting(data), ".BTF", data).unwrap_or_default();
        let object = Object::read(object).map_err(said)?;
        Ok((object.spec().clone(), object.requires()))
    });
});
