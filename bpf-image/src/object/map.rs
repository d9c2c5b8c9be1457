//! Maps that an object defines: BTF maps in `.maps`, legacy ones in `maps`, and `struct_ops`.

use std::collections::BTreeMap;

use bpf_image_spec::config::{MapSpec, MapType, Pinning};

use super::btf::{Btf, Kind, Member, Type};
use super::bytes::Bytes;
use super::elf::{Elf, Section, SymbolKind};
use super::error::{MapProblem, ObjectError};
use super::insn::is_legacy_map_section;

const MAPS_MAX: usize = 4096;
/// Fields of a map definition; libbpf knows eleven.
const FIELDS_MAX: usize = 64;
/// Fields of a legacy definition that every writer of it agrees on.
const LEGACY_MIN: usize = 20;
/// Where iproute2 and aya put the pinning.
const LEGACY_PINNING: usize = 24;
/// `BPF_F_LINK`.
const FLAG_LINK: u32 = 1 << 13;

/// The maps of an object with the place of each.
#[derive(Debug, Default)]
pub(super) struct Maps {
    /// In the order of names.
    pub(super) specs: Vec<MapSpec>,
    /// Section and offset of each, with its name.
    pub(super) places: BTreeMap<(usize, u64), String>,
}

/// Reads every map.
pub(super) fn maps(elf: &Elf<'_>, btf: Option<&Btf<'_>>) -> Result<Maps, ObjectError> {
    let mut maps = Maps::default();
    for (index, section) in elf.sections.iter().enumerate() {
        if is_legacy_map_section(section.name) {
            maps.legacy(elf, index, section)?;
        }
    }
    if let Some(btf) = btf {
        for (_, of) in btf.iter() {
            let of = of?;
            if of.kind != Kind::DataSection {
                continue;
            }
            match btf.string(of.name)? {
                ".maps" => maps.btf(elf, btf, &of)?,
                ".struct_ops" | "?.struct_ops" => maps.struct_ops(btf, &of, 0)?,
                ".struct_ops.link" | "?.struct_ops.link" => maps.struct_ops(btf, &of, FLAG_LINK)?,
                _ => {}
            }
        }
    }
    maps.specs.sort_by(|a, b| a.name.cmp(&b.name));
    match maps.specs.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(ObjectError::Duplicate { what: "maps", name: pair[0].name.clone() }),
        None => Ok(maps),
    }
}

fn bad(map: &str, problem: MapProblem) -> ObjectError {
    ObjectError::Map { map: map.to_owned(), problem }
}

fn map_type(map: &str, number: u32) -> Result<MapType, ObjectError> {
    MapType::from_number(number).ok_or_else(|| bad(map, MapProblem::UnknownType(number)))
}

impl Maps {
    fn push(&mut self, spec: MapSpec) -> Result<(), ObjectError> {
        self.specs.push(spec);
        let (count, max) = (self.specs.len() as u64, MAPS_MAX as u64);
        if count > max {
            return Err(ObjectError::TooMany { what: "maps", count, max });
        }
        Ok(())
    }

    fn legacy(
        &mut self,
        elf: &Elf<'_>,
        index: usize,
        section: &Section<'_>,
    ) -> Result<(), ObjectError> {
        let bytes = Bytes::new(section.data, elf.endianness, section.name);
        let symbols = elf.symbols.iter().filter(|symbol| {
            symbol.section == Some(index)
                && symbol.kind == SymbolKind::Other
                && !symbol.name.is_empty()
        });
        for symbol in symbols {
            let no_symbol = || bad(symbol.name, MapProblem::NoSymbol);
            let at = usize::try_from(symbol.value).map_err(|_| no_symbol())?;
            if at.checked_add(LEGACY_MIN).is_none_or(|end| end > bytes.len()) {
                return Err(no_symbol());
            }
            let pinned = symbol.size >= LEGACY_PINNING as u64 + 4
                && bytes.u32(at.saturating_add(LEGACY_PINNING))? == 1;
            self.push(MapSpec {
                name: symbol.name.to_owned(),
                map_type: map_type(symbol.name, bytes.u32(at)?)?,
                key_size: bytes.u32(at + 4)?,
                value_size: bytes.u32(at + 8)?,
                max_entries: bytes.u32(at + 12)?,
                flags: bytes.u32(at + 16)?,
                pinning: if pinned { Pinning::ByName } else { Pinning::None },
                key_type: None,
                value_type: None,
            })?;
            self.places.insert((index, symbol.value), symbol.name.to_owned());
        }
        Ok(())
    }

    fn btf(&mut self, elf: &Elf<'_>, btf: &Btf<'_>, of: &Type<'_>) -> Result<(), ObjectError> {
        let Some((index, section)) = elf.section_named(".maps") else { return Ok(()) };
        let symbols: BTreeMap<_, _> = elf
            .symbols
            .iter()
            .filter(|s| s.section == Some(index) && s.kind == SymbolKind::Other)
            .map(|symbol| (symbol.name, symbol.value))
            .collect();
        for variable in of.variables() {
            let variable = btf.get(variable?.id)?;
            let name = btf.string(variable.name)?;
            let Kind::Variable { target, .. } = variable.kind else {
                return Err(bad(name, MapProblem::NotAStruct));
            };
            let place = symbols.get(name).filter(|value| **value < section.size);
            let place = *place.ok_or_else(|| bad(name, MapProblem::NoSymbol))?;
            let definition = btf.bare(target)?.of;
            if !matches!(definition.kind, Kind::Struct { .. }) {
                return Err(bad(name, MapProblem::NotAStruct));
            }
            self.push(definition_of(btf, name, &definition)?)?;
            self.places.insert((index, place), name.to_owned());
        }
        Ok(())
    }

    fn struct_ops(&mut self, btf: &Btf<'_>, of: &Type<'_>, flags: u32) -> Result<(), ObjectError> {
        for variable in of.variables() {
            let variable = btf.get(variable?.id)?;
            let name = btf.string(variable.name)?;
            let Kind::Variable { target, .. } = variable.kind else {
                return Err(bad(name, MapProblem::NotAStruct));
            };
            self.push(MapSpec {
                name: name.to_owned(),
                map_type: MapType::StructOps,
                key_size: 4,
                value_size: btf.size(target)?,
                max_entries: 1,
                flags,
                pinning: Pinning::None,
                key_type: None,
                value_type: Some(btf.spell(target)?),
            })?;
        }
        Ok(())
    }
}

/// A map from the structure that `bpf_helpers.h`'s `__uint`, `__type` and `__array` make.
fn definition_of(btf: &Btf<'_>, name: &str, of: &Type<'_>) -> Result<MapSpec, ObjectError> {
    let mut number = None;
    let mut spec = MapSpec {
        name: name.to_owned(),
        map_type: MapType::Unspecified,
        key_size: 0,
        value_size: 0,
        max_entries: 0,
        flags: 0,
        pinning: Pinning::None,
        key_type: None,
        value_type: None,
    };
    for (count, member) in of.members().enumerate() {
        let member = member?;
        if count >= FIELDS_MAX {
            return Err(bad(name, MapProblem::NotAStruct));
        }
        let uint = |field| {
            uint(btf, member).transpose().unwrap_or(Err(bad(name, MapProblem::Field(field))))
        };
        match btf.string(member.name)? {
            "type" => number = Some(uint("type")?),
            "max_entries" => spec.max_entries = uint("max_entries")?,
            "map_flags" => spec.flags = uint("map_flags")?,
            "key_size" => set_size(name, "key_size", &mut spec.key_size, uint("key_size")?)?,
            "value_size" => {
                set_size(name, "value_size", &mut spec.value_size, uint("value_size")?)?;
            }
            "key" => {
                let target = pointee(btf, member)?;
                let target = target.ok_or_else(|| bad(name, MapProblem::Field("key")))?;
                set_size(name, "key_size", &mut spec.key_size, btf.size(target)?)?;
                spec.key_type = Some(btf.spell(target)?);
            }
            "value" => {
                let target = pointee(btf, member)?;
                let target = target.ok_or_else(|| bad(name, MapProblem::Field("value")))?;
                set_size(name, "value_size", &mut spec.value_size, btf.size(target)?)?;
                spec.value_type = Some(btf.spell(target)?);
            }
            // Inner maps, or programs for tail calls: a descriptor or an id in each slot.
            "values" => spec.value_size = 4,
            "pinning" => {
                spec.pinning = match uint("pinning")? {
                    0 => Pinning::None,
                    1 => Pinning::ByName,
                    other => return Err(bad(name, MapProblem::Pinning(other))),
                }
            }
            _ => {}
        }
    }
    spec.map_type = map_type(name, number.ok_or_else(|| bad(name, MapProblem::NoType))?)?;
    Ok(spec)
}

/// `key_size` beside a `key` has to agree with it.
fn set_size(map: &str, field: &'static str, size: &mut u32, found: u32) -> Result<(), ObjectError> {
    if *size != 0 && *size != found {
        return Err(bad(map, MapProblem::SizeConflict(field)));
    }
    *size = found;
    Ok(())
}

fn pointee(btf: &Btf<'_>, member: Member) -> Result<Option<u32>, ObjectError> {
    Ok(match btf.bare(member.target)?.of.kind {
        Kind::Pointer(target) => Some(target),
        _ => None,
    })
}

/// `int (*name)[VALUE]`: the number is the length of the array that nobody allocates.
fn uint(btf: &Btf<'_>, member: Member) -> Result<Option<u32>, ObjectError> {
    let Some(target) = pointee(btf, member)? else { return Ok(None) };
    Ok(match btf.bare(target)?.of.kind {
        Kind::Array { count, .. } => Some(count),
        _ => None,
    })
}
