//! What the instructions of one function tell (Documentation/bpf/standardization).

use std::collections::BTreeSet;

use bpf_image_spec::config::Endianness;

use super::bytes::Bytes;
use super::elf::{Elf, SymbolKind};
use super::error::{ObjectError, Problem};
use super::table::feature::Feature;

/// Size of one instruction slot.
pub(super) const INSN_LEN: usize = 8;

const LD_IMM64: u8 = 0x18;
const CALL: u8 = 0x85;
const CALL_SUBPROGRAM: u8 = 1;
const TAIL_CALL: u32 = 12;

/// What one function uses, its callees left out.
#[derive(Debug, Default)]
pub(super) struct Uses<'a> {
    /// Numbers of helpers.
    pub(super) helpers: BTreeSet<u32>,
    pub(super) kfuncs: BTreeSet<&'a str>,
    /// Kernel variables, Kconfig values and kernel functions that are not called.
    pub(super) externs: BTreeSet<&'a str>,
    /// Places in sections that hold maps.
    pub(super) maps: BTreeSet<(usize, u64)>,
    /// Places in sections that hold functions: called, or handed out as callbacks.
    pub(super) callees: BTreeSet<(usize, u64)>,
    pub(super) features: BTreeSet<Feature>,
}

/// One decoded slot.
#[derive(Debug, Clone, Copy)]
struct Insn {
    code: u8,
    src: u8,
    off: u16,
    imm: u32,
}

impl Insn {
    fn read(bytes: &Bytes<'_>, at: usize) -> Result<Self, ObjectError> {
        let registers = bytes.u8(at + 1)?;
        let src = match bytes.endianness() {
            Endianness::Little => registers >> 4,
            Endianness::Big => registers & 0xf,
        };
        Ok(Self { code: bytes.u8(at)?, src, off: bytes.u16(at + 2)?, imm: bytes.u32(at + 4)? })
    }

    /// `imm` as the signed number that it is, widened so that adding to it cannot overflow much.
    fn signed_imm(self) -> i64 {
        i64::from(i32::from_ne_bytes(self.imm.to_ne_bytes()))
    }
}

/// Reads the function at `range` of `section`; the range was checked when it was found.
pub(super) fn uses<'a>(
    elf: &Elf<'a>,
    section: usize,
    range: std::ops::Range<usize>,
) -> Result<Uses<'a>, ObjectError> {
    let mut uses = Uses::default();
    let Some(of) = elf.sections.get(section) else { return Ok(uses) };
    let bytes = Bytes::new(of.data, elf.endianness, of.name);
    if range.len() / INSN_LEN > 4096 {
        uses.features.insert(Feature::LargeProgram);
    }
    let mut at = range.start;
    while at < range.end {
        let insn = Insn::read(&bytes, at)?;
        let half = || bytes.error(at, Problem::HalfInstruction);
        match insn.code {
            LD_IMM64 if at + 2 * INSN_LEN > range.end => return Err(half()),
            LD_IMM64 => {
                uses.load(elf, &bytes, (section, at), insn)?;
                at += INSN_LEN;
            }
            CALL => uses.call(elf, &bytes, (section, at), insn)?,
            _ => uses.features.extend(feature(insn)),
        }
        at += INSN_LEN;
    }
    Ok(uses)
}

impl<'a> Uses<'a> {
    /// A 64-bit load: of a map, a global, an extern or a function's address where relocated.
    fn load(
        &mut self,
        elf: &Elf<'a>,
        bytes: &Bytes<'_>,
        (section, at): (usize, usize),
        insn: Insn,
    ) -> Result<(), ObjectError> {
        let Some(symbol) = elf.relocation_at(section, at as u64) else { return Ok(()) };
        if symbol.undefined {
            self.externs.insert(symbol.name);
            return Ok(());
        }
        let Some((target, found)) =
            symbol.section.and_then(|index| Some((index, elf.sections.get(index)?)))
        else {
            return Ok(());
        };
        // Against a section's symbol the place is in the instruction.
        let addend = if symbol.kind == SymbolKind::Section { insn.signed_imm() } else { 0 };
        let place = symbol.value.checked_add_signed(addend);
        let place = place.ok_or_else(|| bytes.error(at, Problem::OutOfBounds))?;
        if is_map_section(found.name) {
            self.maps.insert((target, place));
        } else if found.executable {
            self.features.insert(Feature::Callback);
            self.callees.insert((target, place));
        } else {
            self.features.insert(Feature::GlobalData);
        }
        Ok(())
    }

    fn call(
        &mut self,
        elf: &Elf<'a>,
        bytes: &Bytes<'_>,
        (section, at): (usize, usize),
        insn: Insn,
    ) -> Result<(), ObjectError> {
        let relocated = elf.relocation_at(section, at as u64);
        if let Some(symbol) = relocated.filter(|symbol| symbol.undefined) {
            self.kfuncs.insert(symbol.name);
            self.features.insert(Feature::Kfunc);
            return Ok(());
        }
        if insn.src != CALL_SUBPROGRAM && relocated.is_none() {
            if insn.src == 0 {
                self.helpers.insert(insn.imm);
            }
            return Ok(());
        }
        self.features.insert(Feature::Subprogram);
        let nowhere = || bytes.error(at, Problem::CallNowhere);
        let slots = (insn.signed_imm() + 1) * 8;
        let (target, base) = match relocated {
            Some(symbol) => (symbol.section.ok_or_else(nowhere)?, symbol.value),
            None => (section, at as u64),
        };
        self.callees.insert((target, base.checked_add_signed(slots).ok_or_else(nowhere)?));
        Ok(())
    }

    /// Takes in what a callee uses.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.helpers.extend(&other.helpers);
        self.kfuncs.extend(&other.kfuncs);
        self.externs.extend(&other.externs);
        self.maps.extend(&other.maps);
        self.features.extend(&other.features);
    }

    /// Entries that [`Uses::absorb`] has to look at.
    pub(super) fn weight(&self) -> usize {
        self.helpers.len() + self.kfuncs.len() + self.externs.len() + self.maps.len() + 1
    }

    /// Tail calls out of programs with subprograms came later than either.
    pub(super) fn combine(&mut self) {
        let has_both =
            self.helpers.contains(&TAIL_CALL) && self.features.contains(&Feature::Subprogram);
        if has_both {
            self.features.insert(Feature::TailCallWithSubprograms);
        }
    }
}

/// Sections whose symbols are maps: BTF maps, and the legacy form with its older spelling.
pub(super) fn is_map_section(name: &str) -> bool {
    name == ".maps" || is_legacy_map_section(name)
}

/// The form that libbpf 1.0 gave up and aya still writes.
pub(super) fn is_legacy_map_section(name: &str) -> bool {
    name == "maps" || name.starts_with("maps/")
}

/// What an instruction set of a certain age is needed for.
fn feature(insn: Insn) -> Option<Feature> {
    let (class, operation) = (insn.code & 0x07, insn.code & 0xf0);
    match class {
        // LDX with sign extension.
        0x1 if insn.code & 0xe0 == 0x80 => Some(Feature::CpuV4),
        // STX atomic: only a plain add is as old as BPF.
        0x3 if insn.code & 0xe0 == 0xc0 => match insn.imm {
            0 => None,
            0x100 | 0x110 => Some(Feature::LoadAcquire),
            _ => Some(Feature::Atomics),
        },
        0x5 if operation == 0xe0 => Some(Feature::MayGoto),
        0x5 if insn.code == 0x0d => Some(Feature::IndirectJump),
        0x6 if insn.code == 0x06 => Some(Feature::CpuV4),
        0x6 => Some(Feature::Jmp32),
        // MOV between address spaces, sign-extending MOV, signed division, unconditional swap.
        0x7 if insn.code == 0xbf && insn.off == 1 => Some(Feature::AddressSpaceCast),
        0x4 | 0x7 if operation == 0xb0 && insn.off != 0 => Some(Feature::CpuV4),
        0x4 | 0x7 if matches!(operation, 0x30 | 0x90) && insn.off == 1 => Some(Feature::CpuV4),
        0x7 if operation == 0xd0 => Some(Feature::CpuV4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insn(code: u8, off: u16, imm: u32) -> Insn {
        Insn { code, src: 0, off, imm }
    }

    #[test]
    fn features_by_opcode() {
        assert_eq!(feature(insn(0xdb, 0, 0)), None, "lock add");
        assert_eq!(feature(insn(0xdb, 0, 1)), Some(Feature::Atomics), "fetch add");
        assert_eq!(feature(insn(0xc3, 0, 0xf1)), Some(Feature::Atomics), "cmpxchg");
        assert_eq!(feature(insn(0xd3, 0, 0x100)), Some(Feature::LoadAcquire));
        assert_eq!(feature(insn(0x16, 3, 0)), Some(Feature::Jmp32));
        assert_eq!(feature(insn(0x06, 0, 9)), Some(Feature::CpuV4), "gotol");
        assert_eq!(feature(insn(0x05, 3, 0)), None, "goto");
        assert_eq!(feature(insn(0xe5, 3, 0)), Some(Feature::MayGoto));
        assert_eq!(feature(insn(0xbf, 0, 0)), None, "mov");
        assert_eq!(feature(insn(0xbf, 8, 0)), Some(Feature::CpuV4), "movsx");
        assert_eq!(feature(insn(0x91, 0, 0)), Some(Feature::CpuV4), "ldsx");
        assert_eq!(feature(insn(0x3f, 1, 0)), Some(Feature::CpuV4), "sdiv");
        assert_eq!(feature(insn(0xd7, 0, 16)), Some(Feature::CpuV4), "bswap");
        assert_eq!(feature(insn(0xdc, 0, 16)), None, "to big endian");
    }

    #[test]
    fn source_register_depends_on_the_byte_order() {
        let read = |endianness, raw: &[u8; 8]| {
            Insn::read(&Bytes::new(raw, endianness, "x"), 0).expect("whole")
        };
        let little = read(Endianness::Little, &[CALL, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!((little.src, little.signed_imm()), (1, -1));
        let big = read(Endianness::Big, &[CALL, 0x01, 0, 0, 0, 0, 0, 6]);
        assert_eq!((big.src, big.imm), (1, 6));
    }
}
