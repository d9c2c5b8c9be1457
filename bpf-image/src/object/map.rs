//! Maps that an object defines: BTF maps in `.maps`, legacy ones in `maps`, and `struct_ops`.

use std::collections::BTreeMap;

use bpf_image_spec::config::{InnerMapSpec, MapSpec, MapType, Pinning};

use super::btf::{Btf, Kind, Member, Type};
use super::bytes::Bytes;
use super::elf::{Elf, Section, SymbolKind};
use super::error::{MapProblem, ObjectError};
use super::insn::{is_legacy_map_section, is_map_section, is_map_section_to_aya};

const MAPS_MAX: usize = 4096;
/// Fields of a map definition; libbpf knows eleven.
const FIELDS_MAX: usize = 64;
/// Fields of a legacy definition that every writer of it agrees on.
const LEGACY_MIN: u64 = 20;
/// Where iproute2 and aya put the pinning.
const LEGACY_PINNING: u64 = 24;
/// What ends behind the pinning.
const LEGACY_PINNED: u64 = LEGACY_PINNING + 4;
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
        } else if is_map_section_to_aya(section.name) && !is_map_section(section.name) {
            return Err(ObjectError::MapSection { section: section.name.to_owned() });
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

impl Maps {
    /// Type of the map with that name.
    pub(super) fn type_of(&self, name: &str) -> Option<MapType> {
        let at = self.specs.binary_search_by(|spec| spec.name.as_str().cmp(name)).ok()?;
        self.specs.get(at).map(|spec| spec.map_type)
    }

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
        for symbol in elf.symbols.iter().filter(|symbol| symbol.section == Some(index)) {
            // To aya every symbol here is a map.
            if symbol.kind != SymbolKind::Other || symbol.name.is_empty() {
                // Without a size it is no definition to aya either, which then takes nothing.
                if symbol.size == 0 {
                    continue;
                }
                return Err(bad(symbol.name, MapProblem::NotData));
            }
            let at = usize::try_from(symbol.value).ok();
            let size = usize::try_from(symbol.size).ok();
            let at = at
                .zip(size)
                .filter(|(at, size)| at.checked_add(*size).is_some_and(|end| end <= bytes.len()))
                .map(|(at, _)| at)
                .ok_or_else(|| bad(symbol.name, MapProblem::NoSymbol))?;
            // Of a definition that ends within a field, aya reads the half that is there.
            let pinning = match symbol.size {
                LEGACY_MIN | LEGACY_PINNING => 0,
                size if size >= LEGACY_PINNED => bytes.u32(at + 24)?,
                size => return Err(bad(symbol.name, MapProblem::Size(size))),
            };
            let pinning = match pinning {
                0 => Pinning::None,
                1 => Pinning::ByName,
                other => return Err(bad(symbol.name, MapProblem::Pinning(other))),
            };
            let map_type = MapType::of(bytes.u32(at)?);
            self.push(MapSpec {
                key_size: bytes.u32(at + 4)?,
                value_size: bytes.u32(at + 8)?,
                max_entries: bytes.u32(at + 12)?,
                flags: bytes.u32(at + 16)?,
                pinning,
                ..MapSpec::new(symbol.name.to_owned(), map_type)
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
                key_size: 4,
                value_size: btf.size(target)?,
                max_entries: 1,
                flags,
                value_type: Some(btf.spell(target)?),
                ..MapSpec::new(name.to_owned(), MapType::StructOps)
            })?;
        }
        Ok(())
    }
}

/// A map from the structure that `bpf_helpers.h`'s `__uint`, `__type` and `__array` make.
fn definition_of(btf: &Btf<'_>, name: &str, of: &Type<'_>) -> Result<MapSpec, ObjectError> {
    let (mut spec, values) = fields(btf, name, of)?;
    let Some(target) = values.filter(|_| spec.map_type.holds_maps()) else { return Ok(spec) };
    // `__array(values, struct { … })`: an array of pointers to the definition.
    let problem = || bad(name, MapProblem::Field("values"));
    let definition = match btf.bare(target)?.of.kind {
        Kind::Array { element, .. } => match btf.bare(element)?.of.kind {
            Kind::Pointer(definition) => btf.bare(definition)?.of,
            _ => return Err(problem()),
        },
        _ => return Err(problem()),
    };
    if !matches!(definition.kind, Kind::Struct { .. }) {
        return Err(problem());
    }
    // libbpf: what is inside holds no maps itself.
    let (inner, _) = fields(btf, name, &definition)?;
    spec.inner = Some(InnerMapSpec {
        map_type: inner.map_type,
        key_size: inner.key_size,
        value_size: inner.value_size,
        max_entries: inner.max_entries,
        flags: inner.flags,
        key_type: inner.key_type,
        value_type: inner.value_type,
        extra: inner.extra,
    });
    Ok(spec)
}

/// The fields of a definition, and the type of `values`.
fn fields(btf: &Btf<'_>, name: &str, of: &Type<'_>) -> Result<(MapSpec, Option<u32>), ObjectError> {
    let (mut number, mut values) = (None, None);
    let mut spec = MapSpec::new(name.to_owned(), MapType::Unspecified);
    for (count, member) in of.members().enumerate() {
        let member = member?;
        if count >= FIELDS_MAX {
            return Err(bad(name, MapProblem::NotAStruct));
        }
        let uint = |field| {
            uint(btf, member).transpose().unwrap_or(Err(bad(name, MapProblem::Field(field))))
        };
        let ulong = |field| {
            ulong(btf, member).transpose().unwrap_or(Err(bad(name, MapProblem::Field(field))))
        };
        match btf.string(member.name)? {
            "type" => number = Some(uint("type")?),
            "max_entries" => spec.max_entries = uint("max_entries")?,
            "map_flags" => spec.flags = uint("map_flags")?,
            "numa_node" => spec.numa_node = Some(uint("numa_node")?),
            "map_extra" => spec.extra = Some(ulong("map_extra")?),
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
            "values" => {
                spec.value_size = 4;
                values = Some(member.target);
            }
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
    spec.map_type = MapType::of(number.ok_or_else(|| bad(name, MapProblem::NoType))?);
    Ok((spec, values))
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

/// As [`uint`], or `enum { name = VALUE } *name`, which has room for 64 bits.
fn ulong(btf: &Btf<'_>, member: Member) -> Result<Option<u64>, ObjectError> {
    let Some(target) = pointee(btf, member)? else { return Ok(None) };
    let of = btf.bare(target)?.of;
    Ok(match of.kind {
        Kind::Array { count, .. } => Some(u64::from(count)),
        Kind::Enum { .. } => of.value(0)?.map(|value| value.bits),
        _ => None,
    })
}
