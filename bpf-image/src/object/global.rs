//! Global variables in `.rodata*`, `.data*` and `.bss*`, and which of them `--set` may change.
//!
//! Names and types come from BTF; place and size from the symbol table, because compilers leave
//! both empty in BTF for the linker (libbpf) to fill in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bpf_image_spec::config::{Encoding, GlobalSpec};

use super::btf::{Btf, Kind, Variable};
use super::elf::{Elf, Section, SectionKind, SymbolKind};
use super::error::{ObjectError, Problem};

/// The decl tag that makes a global tunable, and every untagged one not.
const TAG: &str = "bpfimage:tunable";
const GLOBALS_MAX: usize = 65_536;
/// Longest initial value that the spec shows.
const DEFAULT_MAX: usize = 64;

/// One global with its place in the section, which orders namesakes.
type Placed = (u64, GlobalSpec);

/// Reads every global, in the order of names.
pub(super) fn globals(
    elf: &Elf<'_>,
    btf: Option<&Btf<'_>>,
) -> Result<Vec<GlobalSpec>, ObjectError> {
    let mut globals = match btf {
        Some(btf) => from_btf(elf, btf)?,
        None => from_symbols(elf)?,
    };
    globals.sort_by(|(at, a), (other, b)| {
        (&a.name, &a.section, at).cmp(&(&b.name, &b.section, other))
    });
    // Nobody could say which of two namesakes is meant.
    for at in 1..globals.len() {
        if globals[at - 1].1.name == globals[at].1.name {
            globals[at - 1].1.tunable = false;
            globals[at].1.tunable = false;
        }
    }
    Ok(globals.into_iter().map(|(_, global)| global).collect())
}

fn is_global_section(name: &str) -> bool {
    [".rodata", ".data", ".bss"].iter().any(|kind| {
        name.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn from_btf(elf: &Elf<'_>, btf: &Btf<'_>) -> Result<Vec<Placed>, ObjectError> {
    let tagged = tagged(btf)?;
    let mut symbols: BTreeMap<(usize, &str), Vec<(u64, u64)>> = BTreeMap::new();
    for symbol in elf.symbols.iter().filter(|s| s.kind == SymbolKind::Other) {
        if let Some(section) = symbol.section {
            symbols.entry((section, symbol.name)).or_default().push((symbol.value, symbol.size));
        }
    }
    let mut globals = Vec::new();
    for (_, of) in btf.iter() {
        let of = of?;
        if of.kind != Kind::DataSection {
            continue;
        }
        let name = btf.string(of.name)?;
        if !is_global_section(name) {
            continue;
        }
        let Some((index, section)) = elf.section_named(name) else { continue };
        for variable in of.variables() {
            let variable = variable?;
            let declared = btf.get(variable.id)?;
            let Kind::Variable { target, fixed } = declared.kind else {
                return Err(btf.error(variable.id, Problem::UnexpectedType(variable.id)));
            };
            let name = btf.string(declared.name)?;
            let found = symbols.get(&(index, name)).map(Vec::as_slice).unwrap_or_default();
            let (offset, size) = place(variable, fixed, found);
            let mut global = global(section, name, offset, size)?;
            global.type_name = Some(btf.spell(target)?);
            global.encoding = encoding(btf, target, size)?;
            global.tunable = match &tagged {
                Some(tagged) => tagged.contains(&variable.id),
                None => btf.is_const_volatile(target)?,
            };
            push(&mut globals, (offset, global))?;
        }
    }
    Ok(globals)
}

/// Without BTF only symbols tell, and not whether one is `volatile`: nothing is tunable.
fn from_symbols(elf: &Elf<'_>) -> Result<Vec<Placed>, ObjectError> {
    let mut globals = Vec::new();
    for symbol in &elf.symbols {
        let Some(section) = symbol.section.and_then(|index| elf.sections.get(index)) else {
            continue;
        };
        let is_variable = symbol.kind == SymbolKind::Other && symbol.size > 0;
        // Compilers name string constants `.L.str`.
        if !is_variable || !is_global_section(section.name) || symbol.name.starts_with('.') {
            continue;
        }
        let global = global(section, symbol.name, symbol.value, symbol.size)?;
        push(&mut globals, (symbol.value, global))?;
    }
    Ok(globals)
}

fn push(globals: &mut Vec<Placed>, global: Placed) -> Result<(), ObjectError> {
    globals.push(global);
    let (count, max) = (globals.len() as u64, GLOBALS_MAX as u64);
    if count > max {
        return Err(ObjectError::TooMany { what: "global variables", count, max });
    }
    Ok(())
}

/// The variables with our decl tag; `None` where the object does not use it.
fn tagged(btf: &Btf<'_>) -> Result<Option<BTreeSet<u32>>, ObjectError> {
    let mut tagged = BTreeSet::new();
    for (_, of) in btf.iter() {
        let of = of?;
        let Kind::DeclTag { target, component: None } = of.kind else { continue };
        if btf.string(of.name)? == TAG {
            tagged.insert(target);
        }
    }
    Ok(if tagged.is_empty() { None } else { Some(tagged) })
}

/// Offset and size: the symbol's; for one of several static namesakes, what BTF says.
fn place(variable: Variable, fixed: bool, symbols: &[(u64, u64)]) -> (u64, u64) {
    let in_btf = u64::from(variable.offset);
    let same = symbols.iter().find(|(offset, _)| fixed && *offset == in_btf);
    match same.or(symbols.first()) {
        Some((offset, size)) if *size > 0 => (*offset, *size),
        Some((offset, _)) => (*offset, u64::from(variable.size)),
        None => (in_btf, u64::from(variable.size)),
    }
}

fn global(
    section: &Section<'_>,
    name: &str,
    offset: u64,
    size: u64,
) -> Result<GlobalSpec, ObjectError> {
    let bad = |problem| ObjectError::malformed(section.name, offset, problem);
    let end = offset.checked_add(size).filter(|end| *end <= section.size);
    let end = end.ok_or_else(|| bad(Problem::OutOfBounds))?;
    let small = usize::try_from(size).is_ok_and(|size| size <= DEFAULT_MAX);
    let default = match section.kind {
        _ if !small => None,
        SectionKind::NoBits => Some("00".repeat(usize::try_from(size).unwrap_or_default())),
        _ => {
            let range = usize::try_from(offset).ok().zip(usize::try_from(end).ok());
            let bytes = range.and_then(|(start, end)| section.data.get(start..end));
            Some(hex(bytes.ok_or_else(|| bad(Problem::OutOfBounds))?))
        }
    };
    Ok(GlobalSpec {
        name: name.to_owned(),
        section: section.name.to_owned(),
        type_name: None,
        encoding: None,
        size: u32::try_from(size).map_err(|_| bad(Problem::TooBig))?,
        default,
        tunable: false,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How a number of that type is written; `None` for what is not one.
fn encoding(btf: &Btf<'_>, target: u32, size: u64) -> Result<Option<Encoding>, ObjectError> {
    let (declared, encoding) = match btf.bare(target)?.of.kind {
        Kind::Int { size, boolean: true, plain: true, .. } => (size, Encoding::Bool),
        Kind::Int { size, character: true, plain: true, .. } => (size, Encoding::Char),
        Kind::Int { size, signed: true, plain: true, .. } => (size, Encoding::Signed),
        Kind::Int { size, plain: true, .. } => (size, Encoding::Unsigned),
        Kind::Enum { size, signed } => {
            (size, if signed { Encoding::Signed } else { Encoding::Unsigned })
        }
        _ => return Ok(None),
    };
    // `--set` writes whole numbers of these widths; another size is for raw bytes.
    let fits = u64::from(declared) == size && matches!(declared, 1 | 2 | 4 | 8 | 16);
    Ok(if fits { Some(encoding) } else { None })
}
