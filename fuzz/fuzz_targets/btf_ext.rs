//! A `.BTF.ext` section in an object, read and written anew with other names of sections.

#![no_main]

use bpf_image::object::{Object, for_aya};
use bpf_image_fuzz::{judge, memory, said, template, with_section};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    judge(data, |data| {
        let object = with_section(template::fitting(data), ".BTF.ext", data).unwrap_or_default();
        let object = Object::read(object).map_err(said)?;
        if let Ok(renamed) = for_aya(&object, &["classify"]) {
            let renamed = Object::read(renamed).map_err(said);
            assert!(renamed.is_ok(), "what was renamed is no object: {renamed:?}");
        }
        Ok((object.spec().clone(), object.requires()))
    });
});
