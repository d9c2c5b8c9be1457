//! What fuzzing has found in the object reader: one test a defect, input made as small as it goes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the message")]

#[path = "object/elf.rs"]
#[allow(dead_code, reason = "shared with other tests, which need more of it")]
mod elf;

use bpf_image::object::{NormaliseError, Object, ObjectError, Problem, for_aya};
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

/// The called section was hidden as one of unwanted programs, and the call led nowhere.
#[test]
fn program_that_calls_into_a_section_of_programs() {
    let call = [0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff];
    let mut elf = Elf::new();
    let xdp = elf.code("xdp", &[call, EXIT]);
    let tc = elf.code("tc", &[EXIT]);
    elf.symbol("caller", FUNCTION, xdp, 0, 16);
    elf.symbol("called", FUNCTION, tc, 0, 8);
    elf.relocations(xdp, &[(0, 2)]);
    let object = Object::read(elf.write()).unwrap();
    let (program, section) = ("caller".to_owned(), "tc".to_owned());
    let refused = NormaliseError::NotLoadable { program, section };
    assert_eq!(for_aya(&object, &["caller"]), Err(refused));
    assert!(for_aya(&object, &["called"]).is_ok());
    assert!(for_aya(&object, &["caller", "called"]).is_ok());
}
