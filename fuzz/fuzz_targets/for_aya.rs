//! Renaming sections for aya: what comes out must be an object that means the same.

#![no_main]

use std::collections::BTreeSet;

use bpf_image::object::{Object, for_aya};
use bpf_image_fuzz::{judge, memory, said};
use bpf_image_spec::config::{ObjectSpec, ProgramSpec};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    memory::report();
    let Ok(object) = Object::read(data.to_vec()) else { return };
    let names: Vec<&str> = object.spec().programs.iter().map(|p| p.name.as_str()).collect();
    let singles = names.chunks(1).take(4);
    for wanted in singles.chain([names.as_slice()]) {
        let renamed = judge(data, |_| for_aya(&object, wanted).map_err(said));
        if let Some(bytes) = renamed {
            compare(&object, wanted, bytes);
        }
    }
});

fn compare(object: &Object, wanted: &[&str], bytes: Vec<u8>) {
    let after = match Object::read(bytes) {
        Ok(after) => after,
        Err(error) => panic!("an object that was accepted is not any more: {}", said(error)),
    };
    let (before, after) = (object.spec(), after.spec());
    assert_eq!(facts(before), facts(after));
    let kept: BTreeSet<&str> = after.programs.iter().map(|p| p.name.as_str()).collect();
    for name in wanted {
        assert!(kept.contains(name), "`{name}` is lost");
    }
    for program in &after.programs {
        let old = before.programs.iter().find(|old| old.name == program.name);
        assert_eq!(old.map(but_section), Some(but_section(program)));
    }
}

/// What no renaming may change.
fn facts(spec: &ObjectSpec) -> ObjectSpec {
    let mut spec = spec.clone();
    spec.digest = bpf_image_spec::Digest::of(b"");
    spec.size = 0;
    spec.programs.clear();
    // Relocations of sections that nobody wants are left out, and what only these refer to.
    spec.externs = None;
    spec.btf = bpf_image_spec::config::BtfSpec::default();
    spec
}

/// `tc` becomes `classifier`, which is of the same type to the kernel; `action` does too, being its
/// equal in direct-action mode.
fn but_section(program: &ProgramSpec) -> ProgramSpec {
    let mut program = program.clone();
    let kernel = program.program_type.kernel_name();
    program.section = kernel.replace("sched_act", "sched_cls");
    program.program_type = bpf_image_spec::config::ProgramType::Xdp;
    program.attach_target = None;
    program
}
