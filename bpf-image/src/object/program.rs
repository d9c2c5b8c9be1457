//! Functions of an object: which are programs, and what each uses through all that it calls.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bpf_image_spec::config::{MapType, ProgramSpec};

use super::elf::{Elf, SectionKind, SymbolKind};
use super::error::{ObjectError, Problem};
use super::insn::{INSN_LEN, Uses, uses};
use super::map::Maps;
use super::section::meaning;
use super::table::feature::Feature;
use super::table::helper;

const PROGRAMS_MAX: usize = 4096;
const INSTRUCTIONS_MAX: usize = 1 << 24;
/// Steps through the call graphs of all programs together; real objects need thousands.
const STEPS_MAX: usize = 1 << 22;

/// A program with what its spec does not hold.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) spec: ProgramSpec,
    pub(super) place: Place,
    pub(super) features: BTreeSet<Feature>,
    /// Symbols that only the kernel or libbpf can give: ksyms and Kconfig values.
    pub(super) externs: Vec<String>,
}

/// Where the instructions of a program are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) section: usize,
    /// In bytes from the section's start.
    pub(super) start: usize,
    /// In bytes.
    pub(super) len: usize,
}

struct Function<'a> {
    name: &'a str,
    place: Place,
    uses: Uses<'a>,
}

/// Reads every program, in the order of names.
pub(super) fn programs(elf: &Elf<'_>, maps: &Maps) -> Result<Vec<Program>, ObjectError> {
    let functions = functions(elf)?;
    let depths = stack_depths(&functions);
    let mut steps = 0;
    let mut programs = Vec::new();
    for (start, function) in &functions {
        if !is_program(elf, &functions, function) {
            continue;
        }
        if programs.len() >= PROGRAMS_MAX {
            let (count, max) = (functions.len() as u64, PROGRAMS_MAX as u64);
            return Err(ObjectError::TooMany { what: "programs", count, max });
        }
        let all = closure(elf, &functions, *start, &mut steps)?;
        let stack = depths.get(start).copied().unwrap_or_default();
        programs.push(program(elf, maps, function, &all, stack)?);
    }
    programs.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    let twice = programs.windows(2).find(|pair| pair[0].spec.name == pair[1].spec.name);
    match twice {
        Some(pair) => {
            Err(ObjectError::Duplicate { what: "programs", name: pair[0].spec.name.clone() })
        }
        None => Ok(programs),
    }
}

type Functions<'a> = BTreeMap<(usize, u64), Function<'a>>;

fn functions<'a>(elf: &Elf<'a>) -> Result<Functions<'a>, ObjectError> {
    let mut functions = BTreeMap::new();
    let mut instructions = 0;
    for symbol in elf.symbols.iter().filter(|s| s.kind == SymbolKind::Function) {
        let Some(index) = symbol.section else { continue };
        let Some(section) = elf.sections.get(index) else { continue };
        if !section.executable || section.kind != SectionKind::Bits {
            continue;
        }
        let bad = |problem| ObjectError::malformed(section.name, symbol.value, problem);
        let end = symbol.value.checked_add(symbol.size);
        let end = end.filter(|end| *end <= section.data.len() as u64 && symbol.size > 0);
        let end = end.ok_or_else(|| bad(Problem::OutOfBounds))?;
        if symbol.value % INSN_LEN as u64 != 0 || symbol.size % INSN_LEN as u64 != 0 {
            return Err(bad(Problem::Misaligned));
        }
        let too_big = |_| bad(Problem::TooBig);
        let start = usize::try_from(symbol.value).map_err(too_big)?;
        let range = start..usize::try_from(end).map_err(too_big)?;
        instructions += range.len() / INSN_LEN;
        // Functions may overlap, so the file's size alone is no bound.
        if instructions > INSTRUCTIONS_MAX {
            let (count, max) = (instructions as u64, INSTRUCTIONS_MAX as u64);
            return Err(ObjectError::TooMany { what: "instructions", count, max });
        }
        let key = (index, symbol.value);
        // Two names for one function: the global one is its name.
        if symbol.local && functions.contains_key(&key) {
            continue;
        }
        let place = Place { section: index, start: range.start, len: range.len() };
        let uses = uses(elf, index, range)?;
        let function = Function { name: symbol.name, place, uses };
        functions.insert(key, function);
    }
    Ok(functions)
}

/// As libbpf's `prog_is_subprog`: functions in `.text` are subprograms, unless there is one alone.
fn is_program(elf: &Elf<'_>, functions: &Functions<'_>, function: &Function<'_>) -> bool {
    let section = elf.sections.get(function.place.section);
    functions.len() == 1 || section.is_some_and(|section| section.name != ".text")
}

/// Bytes of stack of each function with the deepest chain of calls below it. The kernel refuses
/// circles, so it does not matter where one is cut.
fn stack_depths(functions: &Functions<'_>) -> BTreeMap<(usize, u64), u32> {
    let mut depths = BTreeMap::new();
    let mut entered = HashSet::new();
    for start in functions.keys() {
        let mut waiting = vec![*start];
        while let Some(place) = waiting.last().copied() {
            let Some(function) = functions.get(&place).filter(|_| !depths.contains_key(&place))
            else {
                waiting.pop();
                continue;
            };
            if entered.insert(place) {
                let callees = function.uses.callees.iter();
                waiting.extend(callees.filter(|callee| !entered.contains(*callee)));
            } else {
                let callees = function.uses.callees.iter();
                let below = callees.filter_map(|callee| depths.get(callee)).max().copied();
                let depth = function.uses.stack.saturating_add(below.unwrap_or_default());
                depths.insert(place, depth);
                waiting.pop();
            }
        }
    }
    depths
}

/// What the function at `start` uses with everything that it calls.
fn closure<'a>(
    elf: &Elf<'_>,
    functions: &Functions<'a>,
    start: (usize, u64),
    steps: &mut usize,
) -> Result<Uses<'a>, ObjectError> {
    let mut all = Uses::default();
    let mut seen = HashSet::from([start]);
    let mut waiting = vec![start];
    while let Some(place) = waiting.pop() {
        let Some(function) = functions.get(&place) else {
            let section = elf.sections.get(place.0).map_or("", |section| section.name);
            return Err(ObjectError::malformed(section, place.1, Problem::CallNowhere));
        };
        *steps += function.uses.weight() + function.uses.callees.len();
        if *steps > STEPS_MAX {
            let (count, max) = (*steps as u64, STEPS_MAX as u64);
            return Err(ObjectError::TooMany { what: "calls between functions", count, max });
        }
        all.absorb(&function.uses);
        waiting.extend(function.uses.callees.iter().filter(|callee| seen.insert(**callee)));
    }
    all.combine();
    Ok(all)
}

fn program(
    elf: &Elf<'_>,
    maps: &Maps,
    function: &Function<'_>,
    uses: &Uses<'_>,
    stack: u32,
) -> Result<Program, ObjectError> {
    let section = elf.sections.get(function.place.section).map_or("", |section| section.name);
    let mut map_names = BTreeSet::new();
    for place in &uses.maps {
        let within = elf.sections.get(place.0).map_or("", |section| section.name);
        let nowhere = || ObjectError::malformed(within, place.1, Problem::OutOfBounds);
        map_names.insert(maps.places.get(place).ok_or_else(nowhere)?.clone());
    }
    let helpers: BTreeSet<_> = uses
        .helpers
        .iter()
        .map(|number| helper::name(*number).map_or_else(|| format!("helper_{number}"), Into::into))
        .collect();
    let meaning = meaning(section);
    let name = function.name;
    let jumps = uses.tail_calls();
    let holds_programs = |name: &&String| maps.type_of(name) == Some(MapType::ProgArray);
    let tail_call_maps = map_names.iter().filter(|_| jumps).filter(holds_programs);
    let tail_call_maps = tail_call_maps.cloned().collect();
    let instructions = u32::try_from(function.place.len / INSN_LEN)
        .map_err(|_| ObjectError::malformed(section, 0u64, Problem::TooBig))?;
    Ok(Program {
        spec: ProgramSpec {
            name: name.to_owned(),
            section: section.to_owned(),
            program_type: meaning.program_type,
            attach_target: meaning.target.map(ToOwned::to_owned),
            sleepable: meaning.sleepable,
            instructions,
            helpers: helpers.into_iter().collect(),
            kfuncs: uses.kfuncs.iter().map(ToString::to_string).collect(),
            maps: map_names.into_iter().collect(),
            stack: Some(stack),
            atomics: Some(uses.atomics.iter().map(ToString::to_string).collect()),
            tail_call_maps: Some(tail_call_maps),
            frags: Some(meaning.definition.is_some_and(|name| name.starts_with("xdp.frags"))),
        },
        place: function.place,
        features: uses.features.clone(),
        externs: uses.externs.iter().map(ToString::to_string).collect(),
    })
}
