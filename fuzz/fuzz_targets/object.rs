//! A whole object: ELF, BTF, instructions, maps, globals.

#![no_main]

use bpf_image::object::{Object, encode_global};
use bpf_image_fuzz::{judge, memory, said};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    judge(data, |data| {
        let object = Object::read(data.to_vec()).map_err(said)?;
        for global in object.spec().globals.iter().take(8) {
            for value in ["1", "-1", "true", "0x10", "hex:00", "{}", "\"text\""] {
                let _ = encode_global(object.spec(), &global.name, value).map_err(said);
            }
        }
        Ok((object.spec().clone(), object.requires()))
    });
});
