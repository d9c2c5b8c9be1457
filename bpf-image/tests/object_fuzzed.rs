//! What fuzzing has found in the object reader: one test a defect, input made as small as it goes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the message")]

#[path = "object/elf.rs"]
#[allow(dead_code, reason = "shared with other tests, which need more of it")]
mod elf;

use bpf_image::object::{Object, ObjectError, Problem};
use elf::{EXECUTABLE, Elf, FUNCTION, PROGBITS};

const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];

/// Renaming for aya took such a section for unwanted programs, and its variables were gone.
#[test]
fn data_marked_as_instructions() {
    for name in [".data", ".rodata.x", ".bss", ".maps", "maps", "license", ".BTF"] {
        let mut elf = Elf::new();
        let xdp = elf.code("xdp", &[EXIT]);
        elf.symbol("p", FUNCTION, xdp, 0, 8);
        elf.section(name, PROGBITS, EXECUTABLE, vec![0; 8]);
        match Object::read(elf.write()) {
            Err(ObjectError::Malformed { section, problem: Problem::ExecutableData, .. }) => {
                assert_eq!(section, name);
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}
