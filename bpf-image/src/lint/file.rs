//! Sections: BTF, debug information, legacy maps, programs that nobody can load.

use bpf_image_spec::config::ProgramType;

use super::{Code, Finding, Severity};
use crate::object::{Object, ObjectError, SectionSize};
use crate::text;

pub(super) fn findings(object: &Object, all: &mut Vec<Finding>) -> Result<(), ObjectError> {
    let spec = object.spec();
    let sections = object.sections()?;
    all.extend(dwarf(&sections, spec.size));
    all.extend(legacy_maps(&sections));
    if !spec.btf.present {
        all.push(no_btf(object));
    }
    if spec.programs.is_empty() {
        all.push(Finding::new(
            Severity::Error,
            Code::NoPrograms,
            "the object holds no program, so nothing of it can be loaded".to_owned(),
            "put functions into sections such as SEC(\"xdp\"); a single object file, not a library",
        ));
    }
    for program in &spec.programs {
        if program.program_type != ProgramType::Unspecified {
            continue;
        }
        let message = format!("section `{}` says nothing of its type", program.section);
        let fix = "name the section as libbpf does: SEC(\"xdp\"), SEC(\"tcx/ingress\"), SEC(\"tp/sched/sched_switch\") …; \
                   functions that programs call go without SEC";
        let finding = Finding::new(Severity::Error, Code::UnknownSection, message, fix);
        all.push(finding.about("program", &program.name));
    }
    Ok(())
}

/// Debug information is weighed with the relocations that belong to it.
fn dwarf(sections: &[SectionSize], size: u64) -> Option<Finding> {
    let is_debug = |name: &str| {
        name.starts_with(".debug_")
            || name.starts_with(".rel.debug_")
            || name.starts_with(".rela.debug_")
    };
    let debug = sections.iter().filter(|section| is_debug(&section.name));
    let weight: u64 = debug.map(|section| section.size).sum();
    let percent = weight.saturating_mul(100) / size.max(1);
    let message = format!(
        "debug information weighs {} of {} ({percent} %), and no kernel reads it",
        text::bytes(weight),
        text::bytes(size),
    );
    let fix = "`llvm-strip -g OBJECT` drops DWARF and keeps BTF";
    (weight > 0).then(|| Finding::new(Severity::Warning, Code::Dwarf, message, fix))
}

fn legacy_maps(sections: &[SectionSize]) -> Option<Finding> {
    let section = sections.iter().find(|s| s.name == "maps" || s.name.starts_with("maps/"))?;
    let message = format!(
        "section `{}` defines maps in the legacy form, which libbpf 1.0 and newer refuse",
        section.name
    );
    let fix = "define maps in SEC(\".maps\") with the __uint and __type macros of bpf_helpers.h; \
               with aya, write #[btf_map] for #[map]";
    Some(Finding::new(Severity::Warning, Code::LegacyMaps, message, fix))
}

fn no_btf(object: &Object) -> Finding {
    let globals = if object.spec().globals.is_empty() { "" } else { ", and globals lack types" };
    let message = format!(
        "no BTF: maps are shown without types{globals}, and CO-RE, fentry and LSM programs cannot be loaded"
    );
    let fix = "compile with `clang -g`, and strip with `llvm-strip -g`, which keeps BTF";
    Finding::new(Severity::Warning, Code::NoBtf, message, fix)
}
