//! What a kernel must have for an object: advice, from the tables.

use std::collections::{BTreeMap, BTreeSet};

use bpf_image_spec::config::{
    CoreRelocation, ExternKind, KernelVersion, Lookup, LookupKind, MapType, ObjectSpec,
    ProgramSpec, ProgramType, Reason, Requires,
};

use super::Object;
use super::section::meaning;
use super::table::feature::Feature;
use super::table::{VERSION, capability, helper, map_type};

/// The oldest kernel that the tables cover: bpffs and unprivileged filters came with it.
const OLDEST: KernelVersion = KernelVersion::new(4, 4);

pub(super) fn requires(object: &Object) -> Requires {
    let spec = object.spec();
    let reasons = reasons(object);
    let kernel = reasons.first().map_or(OLDEST, |reason| reason.kernel);
    let lookups = lookups(spec);
    // Even an optional relocation is worked out from the kernel's types.
    let kernel_btf = spec.btf.core_relocations > 0 || !lookups.is_empty();
    let capabilities = capability::for_loading(spec).into_iter().map(str::to_owned).collect();
    Requires { tables: VERSION.to_owned(), kernel, reasons, kernel_btf, lookups, capabilities }
}

/// Programs by what they need; no program at all: the object, whatever is loaded of it.
#[derive(Default)]
struct Reasons<'a>(BTreeMap<(KernelVersion, String), BTreeSet<&'a str>>);

impl<'a> Reasons<'a> {
    fn add(&mut self, kernel: Option<KernelVersion>, feature: String, program: Option<&'a str>) {
        if let Some(kernel) = kernel.filter(|kernel| *kernel > OLDEST) {
            self.0.entry((kernel, feature)).or_default().extend(program);
        }
    }
}

/// Every reason, the youngest first: it is the one that decides.
fn reasons(object: &Object) -> Vec<Reason> {
    let spec = object.spec();
    let mut reasons = Reasons::default();
    for (program, detail) in spec.programs.iter().zip(&object.details) {
        let name = Some(program.name.as_str());
        let meaning = meaning(&program.section);
        if let Some(section) = meaning.definition {
            reasons.add(meaning.since, format!("program section `{section}`"), name);
        }
        for helper in &program.helpers {
            reasons.add(Some(helper::since(helper)), format!("helper `{helper}`"), name);
        }
        for feature in &detail.features {
            reasons.add(Some(feature.since()), feature.label().to_owned(), name);
        }
    }
    // Maps are made before any program is loaded, those of an unused program too.
    for map in &spec.maps {
        reasons.add(map_type::since(map.map_type), format!("map type `{}`", map.map_type), None);
        if let Some(inner) = &map.inner {
            let feature = format!("map type `{}`", inner.map_type);
            reasons.add(map_type::since(inner.map_type), feature, None);
        }
    }
    if spec.btf.core_relocations > 0 {
        let feature = Feature::KernelBtf;
        reasons.add(Some(feature.since()), feature.label().to_owned(), None);
    }
    let reason = |((kernel, feature), programs): (_, BTreeSet<&str>)| Reason {
        kernel,
        feature,
        programs: programs.into_iter().map(str::to_owned).collect(),
    };
    reasons.0.into_iter().rev().map(reason).collect()
}

/// What loading looks for in the kernel's BTF, by kind and name.
fn lookups(spec: &ObjectSpec) -> Vec<Lookup> {
    // Optional as long as everybody who asks can do without.
    let mut all: BTreeMap<(LookupKind, String), (bool, BTreeSet<String>)> = BTreeMap::new();
    let mut add = |kind, name: &str, optional: bool, programs: Vec<String>| {
        let entry = all.entry((kind, name.to_owned())).or_insert((true, BTreeSet::new()));
        entry.0 &= optional;
        entry.1.extend(programs);
    };
    for name in spec.externs.iter().flatten().filter(|e| e.kind != ExternKind::Kconfig) {
        let kind = match name.kind {
            ExternKind::Function => LookupKind::Kfunc,
            _ => LookupKind::Variable,
        };
        // The address of a variable without a type comes from kallsyms.
        if kind == LookupKind::Variable && name.type_name.is_none() {
            continue;
        }
        let calls = |program: &&ProgramSpec| program.kfuncs.contains(&name.name);
        let programs = spec.programs.iter().filter(calls).map(|program| program.name.clone());
        add(kind, &name.name, name.weak, programs.collect());
    }
    for program in &spec.programs {
        if let Some((kind, name)) = hook(program) {
            add(kind, &name, false, vec![program.name.clone()]);
        }
    }
    for map in spec.maps.iter().filter(|map| map.map_type == MapType::StructOps) {
        let name = map.value_type.as_deref().and_then(|name| name.strip_prefix("struct "));
        if let Some(name) = name {
            add(LookupKind::Type, name, false, Vec::new());
        }
    }
    let is_local = |relocation: &&CoreRelocation| {
        relocation.kind != bpf_image_spec::config::CoreKind::TypeIdLocal
    };
    for relocation in spec.btf.relocations.iter().flatten().filter(is_local) {
        let name = relocation.kernel_name();
        if !name.starts_with('(') {
            add(LookupKind::Type, name, relocation.kind.is_optional(), Vec::new());
        }
    }
    let lookup = |((kind, name), (optional, programs)): (_, (_, BTreeSet<String>))| Lookup {
        kind,
        name,
        optional,
        programs: programs.into_iter().collect(),
    };
    all.into_iter().map(lookup).collect()
}

/// What a program attaches to by its place in the kernel's BTF, if its section names it.
fn hook(program: &ProgramSpec) -> Option<(LookupKind, String)> {
    let target = program.attach_target.as_deref();
    let function = |prefix: &str, target: &str| {
        // `module:function` is looked for in the module's BTF.
        let name = target.rsplit_once(':').map_or(target, |(_, name)| name);
        (LookupKind::Function, format!("{prefix}{name}"))
    };
    match program.program_type {
        ProgramType::Fentry | ProgramType::Fexit | ProgramType::FmodRet | ProgramType::Fsession => {
            Some(function("", target?))
        }
        ProgramType::Lsm | ProgramType::LsmCgroup => Some(function("bpf_lsm_", target?)),
        ProgramType::Iter => Some(function("bpf_iter_", target?)),
        ProgramType::BtfTracepoint => Some((LookupKind::Tracepoint, target?.to_owned())),
        _ => None,
    }
}
