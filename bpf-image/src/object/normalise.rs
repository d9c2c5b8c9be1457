//! A copy of an object that aya-obj 0.3 can take: section names from its fixed list.
//!
//! aya fails a whole object for one section name that it does not know. Here names are replaced
//! by those that it knows for the same kind of program, and sections of programs that nobody
//! wants are taken out of its sight. Pure; no instruction changes, which is checked at the end.
//! The digest stays that of the original bytes.

use std::collections::{BTreeMap, BTreeSet};

use bpf_image_spec::config::ProgramType;

use super::Object;
use super::bytes::Bytes;
use super::elf::{Elf, SectionKind};
use super::error::{ObjectError, Problem};
use super::patch::Patch;
use super::section::meaning;

/// Programs that aya cannot be brought to load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NormaliseError {
    /// No such program in the object.
    #[error("object has no program `{program}`")]
    NoSuchProgram {
        /// The name asked for.
        program: String,
    },
    /// A kind of program for which this version has no loader.
    #[error("program `{program}` cannot be loaded yet: section `{section}` has no equivalent")]
    NotLoadable {
        /// The program.
        program: String,
        /// Its section.
        section: String,
    },
    /// A symbol that the kernel or libbpf would have to give.
    #[error("program `{program}` cannot be loaded yet: it refers to `{symbol}` of the kernel")]
    Extern {
        /// The program.
        program: String,
        /// The kernel function, kernel variable or Kconfig value.
        symbol: String,
    },
    /// CO-RE relocations that aya would apply to the wrong section.
    #[error("sections `{first}` and `{second}` cannot be loaded together: both are `{name}`")]
    Collision {
        /// One section.
        first: String,
        /// The other.
        second: String,
        /// The only name that aya knows for both.
        name: String,
    },
    /// The object is not what it was when it was read, or this module is wrong.
    #[error("cannot rename sections: {0}")]
    Object(ObjectError),
}

impl From<ObjectError> for NormaliseError {
    fn from(error: ObjectError) -> Self {
        Self::Object(error)
    }
}

/// The object's bytes with section names that aya knows, for loading the `wanted` programs.
pub fn for_aya(object: &Object, wanted: &[&str]) -> Result<Vec<u8>, NormaliseError> {
    let elf = Elf::read(object.bytes())?;
    let wanted = wanted_sections(object, wanted)?;
    let names = new_names(&elf, &wanted)?;
    calls_stay(&elf, &wanted, &names)?;
    let mut patch = Patch::new(object.bytes(), &elf);
    for (section, name) in &names {
        match name {
            New::Keep => {}
            New::Name(name) => patch.rename(*section, name)?,
            New::Hidden(name) => {
                patch.rename(*section, name)?;
                patch.clear_executable(*section)?;
            }
        }
    }
    type_information(&elf, &names, &mut patch)?;
    let out = patch.finish()?;
    unchanged(&elf, &out)?;
    Ok(out)
}

/// What becomes of a section with instructions.
#[derive(Debug, PartialEq, Eq)]
enum New {
    Keep,
    Name(String),
    Hidden(String),
}

/// The sections that hold wanted programs, each with one of those.
fn wanted_sections<'a>(
    object: &Object,
    wanted: &[&'a str],
) -> Result<BTreeMap<usize, &'a str>, NormaliseError> {
    let mut sections = BTreeMap::new();
    for name in wanted {
        let mut programs = object.spec.programs.iter().zip(&object.details);
        let (program, detail) = programs
            .find(|(program, _)| program.name == *name)
            .ok_or_else(|| NormaliseError::NoSuchProgram { program: (*name).to_owned() })?;
        if let Some(symbol) = program.kfuncs.first().or(detail.externs.first()) {
            let (program, symbol) = ((*name).to_owned(), symbol.clone());
            return Err(NormaliseError::Extern { program, symbol });
        }
        sections.insert(detail.place.section, *name);
    }
    Ok(sections)
}

/// The new name of every section that aya would look at for programs.
fn new_names(
    elf: &Elf<'_>,
    wanted: &BTreeMap<usize, &str>,
) -> Result<BTreeMap<usize, New>, NormaliseError> {
    let mut taken: BTreeSet<String> =
        elf.sections.iter().filter(|s| !s.executable).map(|s| s.name.to_owned()).collect();
    let mut names = BTreeMap::new();
    for (index, section) in elf.sections.iter().enumerate() {
        if !section.executable || section.kind != SectionKind::Bits {
            continue;
        }
        let Some(program) = wanted.get(&index) else {
            // `.text` holds what programs call, and aya takes it by its name.
            if !section.name.starts_with(".text") && section.size > 0 {
                names.insert(index, New::Hidden(format!("unused.{index}")));
            }
            continue;
        };
        let not_loadable = || NormaliseError::NotLoadable {
            program: (*program).to_owned(),
            section: section.name.to_owned(),
        };
        if section.address != 0 {
            return Err(ObjectError::malformed(section.name, 0u64, Problem::Misaligned).into());
        }
        let mut name = aya_name(section.name).ok_or_else(not_loadable)?;
        // Records of type information are found by name, so each name should stand once.
        let longer = format!("{name}/{index}");
        if taken.contains(&name) && aya_takes(&longer) {
            name = longer;
        }
        taken.insert(name.clone());
        let new = if name == section.name { New::Keep } else { New::Name(name) };
        names.insert(index, new);
    }
    Ok(names)
}

/// Refuses a call into a section that is hidden. libbpf takes calls into `.text` only.
fn calls_stay(
    elf: &Elf<'_>,
    wanted: &BTreeMap<usize, &str>,
    names: &BTreeMap<usize, New>,
) -> Result<(), NormaliseError> {
    let is_hidden = |index: usize| matches!(names.get(&index), Some(New::Hidden(_)));
    for (index, section) in elf.sections.iter().enumerate() {
        if !section.executable || is_hidden(index) {
            continue;
        }
        let symbols = elf.relocations(index).iter().filter_map(|r| elf.symbols.get(r.symbol));
        let mut targets = symbols.filter_map(|symbol| symbol.section);
        if let Some(target) = targets.find(|target| is_hidden(*target)) {
            // What is called from `.text` may be so for any of them.
            let program = wanted.get(&index).or(wanted.values().next()).copied();
            let section = elf.sections.get(target).map_or("", |section| section.name);
            return Err(NormaliseError::NotLoadable {
                program: program.unwrap_or_default().to_owned(),
                section: section.to_owned(),
            });
        }
    }
    Ok(())
}

/// The name that aya knows for what `section` means.
fn aya_name(section: &str) -> Option<String> {
    let name = section.strip_prefix('?').unwrap_or(section);
    let meaning = meaning(name);
    let definition = meaning.definition?;
    match meaning.program_type {
        // One program type of the kernel for the first two; an action in direct-action mode,
        // which is the only mode there is with clsact and TCX, gives the same verdicts.
        ProgramType::Tc | ProgramType::Tcx | ProgramType::Action => Some("classifier".to_owned()),
        _ if aya_takes(name) => Some(name.to_owned()),
        _ if aya_takes(definition) => Some(definition.to_owned()),
        _ => None,
    }
}

/// Whether aya-obj 0.3 reads `name` as a section of programs (`ProgramSection::from_str`).
fn aya_takes(name: &str) -> bool {
    let mut pieces = name.split('/');
    let kind = pieces.next().unwrap_or_default();
    let next = pieces.next();
    match kind {
        "kprobe" | "kretprobe" | "uprobe" | "uprobe.s" | "uretprobe" | "uretprobe.s" | "tp_btf"
        | "tracepoint" | "tp" | "socket" | "sk_msg" | "sockops" | "classifier" | "lirc_mode2"
        | "perf_event" | "raw_tp" | "raw_tracepoint" | "lsm" | "lsm.s" | "lsm_cgroup"
        | "fentry" | "fentry.s" | "fexit" | "fexit.s" | "flow_dissector" | "freplace"
        | "sk_lookup" | "iter" | "iter.s" => true,
        "xdp" | "xdp.frags" => matches!(next, None | Some("cpumap" | "devmap")),
        "sk_skb" => matches!(next, Some("stream_parser" | "stream_verdict")),
        "cgroup_skb" => matches!(next, Some("ingress" | "egress")),
        "sk_reuseport" => matches!(next, None | Some("migrate")),
        "cgroup" => matches!(
            next,
            Some(
                "skb"
                    | "sysctl"
                    | "dev"
                    | "getsockopt"
                    | "setsockopt"
                    | "sock"
                    | "post_bind4"
                    | "post_bind6"
                    | "sock_create"
                    | "sock_release"
                    | "bind4"
                    | "bind6"
                    | "connect4"
                    | "connect6"
                    | "getpeername4"
                    | "getpeername6"
                    | "getsockname4"
                    | "getsockname6"
                    | "sendmsg4"
                    | "sendmsg6"
                    | "recvmsg4"
                    | "recvmsg6"
            )
        ),
        _ => false,
    }
}

/// `.BTF.ext` names sections by strings of `.BTF`: aya finds CO-RE relocations and function
/// records by them, so both follow the new names, and the records of hidden sections go.
fn type_information(
    elf: &Elf<'_>,
    names: &BTreeMap<usize, New>,
    patch: &mut Patch<'_>,
) -> Result<(), NormaliseError> {
    let (Some(btf), Some(ext)) = (super::btf(elf)?, super::btf_ext(elf)?) else { return Ok(()) };
    let (Some((btf_index, _)), Some((ext_index, section))) =
        (elf.section_named(".BTF"), elf.section_named(".BTF.ext"))
    else {
        return Ok(());
    };
    let name_of = |index: usize| elf.sections.get(index).map_or("", |section| section.name);
    if let Some((first, second, name)) = collision(elf, names) {
        if ext.core_relocations() > 0 {
            let (first, second) = (name_of(first).to_owned(), name_of(second).to_owned());
            return Err(NormaliseError::Collision { first, second, name });
        }
        // Function and line records are worth less than loading: without them all is consistent.
        patch.rename(ext_index, "unused.BTF.ext")?;
        return Ok(());
    }
    if names.values().all(|new| *new == New::Keep) {
        return Ok(());
    }
    let added: Vec<&str> = names
        .values()
        .filter_map(|new| match new {
            New::Name(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let (btf_bytes, offsets) = btf.with_strings(&added)?;
    let offset_of: BTreeMap<&str, u32> = added.into_iter().zip(offsets).collect();
    let by_name: BTreeMap<&str, &New> =
        names.iter().map(|(index, new)| (name_of(*index), new)).collect();
    for block in [&ext.functions, &ext.lines, &ext.core].iter().flat_map(|part| &part.blocks) {
        btf.string(block.section)?;
    }
    let ext_bytes = Bytes::new(section.data, elf.endianness, section.name);
    let ext_bytes =
        ext.rewritten(ext_bytes, |offset| match by_name.get(btf.string(offset).ok()?) {
            None | Some(New::Keep) => Some(offset),
            Some(New::Name(name)) => offset_of.get(name.as_str()).copied(),
            Some(New::Hidden(_)) => None,
        })?;
    patch.replace(btf_index, &btf_bytes)?;
    patch.replace(ext_index, &ext_bytes)?;
    Ok(())
}

/// Two sections with instructions that have one name, before or after.
fn collision(elf: &Elf<'_>, names: &BTreeMap<usize, New>) -> Option<(usize, usize, String)> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    for (index, new) in names {
        let old = elf.sections.get(*index).map_or("", |section| section.name);
        let new = match new {
            New::Keep => old,
            New::Name(name) | New::Hidden(name) => name,
        };
        if let Some(first) = before.insert(old, *index) {
            return Some((first, *index, old.to_owned()));
        }
        if let Some(first) = after.insert(new, *index) {
            return Some((first, *index, new.to_owned()));
        }
    }
    None
}

/// Compares every section but those that were meant to change.
fn unchanged(before: &Elf<'_>, out: &[u8]) -> Result<(), ObjectError> {
    let after = Elf::read(out)?;
    let changes = [".BTF", ".BTF.ext"];
    for (index, old) in before.sections.iter().enumerate() {
        let new = after.sections.get(index).map(|section| section.data);
        let may_change = index == before.names || changes.contains(&old.name);
        if !may_change && new != Some(old.data) {
            return Err(ObjectError::malformed(old.name, 0u64, Problem::OutOfBounds));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::table::section::DEFINITIONS;

    #[test]
    fn names_are_those_that_aya_knows() {
        for (section, name) in [
            ("tc", "classifier"),
            ("tc/ingress", "classifier"),
            ("tcx/egress", "classifier"),
            ("action", "classifier"),
            ("classifier/x", "classifier"),
            ("xdp/foo", "xdp"),
            ("?xdp", "xdp"),
            ("xdp.frags", "xdp.frags"),
            ("xdp/devmap", "xdp/devmap"),
            ("cgroup/skb", "cgroup/skb"),
            ("cgroup_skb", "cgroup/skb"),
            ("cgroup_skb/ingress", "cgroup_skb/ingress"),
            ("raw_tracepoint/sys_enter", "raw_tracepoint/sys_enter"),
            ("uprobe//bin/sh:main", "uprobe//bin/sh:main"),
            ("tp/sched/sched_switch", "tp/sched/sched_switch"),
        ] {
            assert_eq!(aya_name(section).as_deref(), Some(name), "{section}");
        }
    }

    #[test]
    fn what_aya_cannot_load_has_no_name() {
        for section in [
            "kprobe.multi/x",
            "usdt/a:b:c",
            "ksyscall/read",
            "struct_ops/x",
            "netkit/primary",
            "raw_tp.w/x",
            "sk_skb",
            "sk_skb/verdict",
            "syscall",
            "netfilter",
            "lwt_in",
            "fmod_ret/x",
            "cgroup/connect_unix",
            "my_section",
            "",
        ] {
            assert_eq!(aya_name(section), None, "{section}");
        }
    }

    #[test]
    fn every_new_name_means_the_same() {
        for definition in DEFINITIONS {
            let Some(name) = aya_name(definition.name) else { continue };
            assert!(aya_takes(&name));
            let (old, new) = (meaning(definition.name), meaning(&name));
            if name != "classifier" {
                assert_eq!(old, new, "{}", definition.name);
            }
        }
    }
}
