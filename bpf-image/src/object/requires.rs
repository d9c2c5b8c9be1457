//! What a kernel must have for an object: advice, from the tables.

use std::collections::BTreeSet;

use bpf_image_spec::config::{KernelVersion, ProgramType, Reason, Requires};

use super::Object;
use super::section::meaning;
use super::table::feature::Feature;
use super::table::{VERSION, helper, map_type};

/// The oldest kernel that the tables cover: bpffs and unprivileged filters came with it.
const OLDEST: KernelVersion = KernelVersion::new(4, 4);

pub(super) fn requires(object: &Object) -> Requires {
    let mut reasons = BTreeSet::new();
    let mut add = |kernel: Option<KernelVersion>, feature: String| {
        if let Some(kernel) = kernel.filter(|kernel| *kernel > OLDEST) {
            reasons.insert(Reason { kernel, feature });
        }
    };
    let spec = object.spec();
    for program in &spec.programs {
        let meaning = meaning(&program.section);
        if let Some(name) = meaning.definition {
            add(meaning.since, format!("program section `{name}`"));
        }
        for name in &program.helpers {
            add(helper::since(name), format!("helper `{name}`"));
        }
    }
    for map in &spec.maps {
        add(map_type::since(map.map_type), format!("map type `{}`", map.map_type));
    }
    for feature in &object.features {
        add(Some(feature.since()), feature.label().to_owned());
    }
    let kernel_btf = needs_kernel_btf(object);
    if spec.btf.core_relocations > 0 {
        add(Some(Feature::KernelBtf.since()), Feature::KernelBtf.label().to_owned());
    }
    let kernel = reasons.last().map_or(OLDEST, |reason| reason.kernel);
    // The youngest first: it is the one that decides.
    let reasons = reasons.into_iter().rev().collect();
    Requires { tables: VERSION.to_owned(), kernel, reasons, kernel_btf }
}

fn needs_kernel_btf(object: &Object) -> bool {
    let spec = object.spec();
    let by_type = |program_type| {
        matches!(
            program_type,
            ProgramType::Fentry
                | ProgramType::Fexit
                | ProgramType::FmodRet
                | ProgramType::BtfTracepoint
                | ProgramType::Iter
                | ProgramType::Lsm
                | ProgramType::LsmCgroup
                | ProgramType::StructOps
        )
    };
    spec.btf.core_relocations > 0
        || object.has_kernel_symbols
        || spec.programs.iter().any(|p| by_type(p.program_type) || !p.kfuncs.is_empty())
}
