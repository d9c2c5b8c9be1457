//! What the instructions of one function tell (Documentation/bpf/standardization).

use std::collections::BTreeSet;

use bpf_image_spec::config::Endianness;

use super::bytes::Bytes;
use super::elf::{Elf, SymbolKind};
use super::error::{ObjectError, Problem};
use super::table::feature::Feature;

/// Size of one instruction slot.
pub(super) const INSN_LEN: usize = 8;

pub(super) const LD_IMM64: u8 = 0x18;
pub(super) const CALL: u8 = 0x85;
pub(super) const CALL_SUBPROGRAM: u8 = 1;
const TAIL_CALL: u32 = 12;
/// The frame pointer.
const FRAME: u8 = 10;

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
    /// Atomic operations by name.
    pub(super) atomics: BTreeSet<&'static str>,
    /// Bytes below the frame pointer that are accessed, or whose address is taken.
    pub(super) stack: u32,
}

/// One decoded slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Insn {
    pub(super) code: u8,
    pub(super) dst: u8,
    pub(super) src: u8,
    pub(super) off: u16,
    pub(super) imm: u32,
}

impl Insn {
    pub(super) fn read(bytes: &Bytes<'_>, at: usize) -> Result<Self, ObjectError> {
        let registers = bytes.u8(at + 1)?;
        let (high, low) = (registers >> 4, registers & 0xf);
        let (dst, src) = match bytes.endianness() {
            Endianness::Little => (low, high),
            Endianness::Big => (high, low),
        };
        let (code, off, imm) = (bytes.u8(at)?, bytes.u16(at + 2)?, bytes.u32(at + 4)?);
        Ok(Self { code, dst, src, off, imm })
    }

    /// `imm` as the signed number that it is, widened so that adding to it cannot overflow much.
    pub(super) fn signed_imm(self) -> i64 {
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
    let mut frame = Frame::default();
    let mut at = range.start;
    while at < range.end {
        let insn = Insn::read(&bytes, at)?;
        frame.step(insn);
        let half = || bytes.error(at, Problem::HalfInstruction);
        match insn.code {
            LD_IMM64 if at + 2 * INSN_LEN > range.end => return Err(half()),
            LD_IMM64 => {
                uses.load(elf, &bytes, (section, at), insn)?;
                at += INSN_LEN;
            }
            CALL => uses.call(elf, &bytes, (section, at), insn)?,
            _ => {
                uses.features.extend(feature(insn));
                uses.atomics.extend(atomic(insn));
            }
        }
        at += INSN_LEN;
    }
    uses.stack = frame.bytes;
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
        self.atomics.extend(&other.atomics);
    }

    /// Entries that [`Uses::absorb`] has to look at.
    pub(super) fn weight(&self) -> usize {
        let named = self.helpers.len() + self.kfuncs.len() + self.externs.len() + self.maps.len();
        named + self.atomics.len() + 1
    }

    /// Whether it may go on in another program.
    pub(super) fn tail_calls(&self) -> bool {
        self.helpers.contains(&TAIL_CALL)
    }

    /// Tail calls out of programs with subprograms came later than either.
    pub(super) fn combine(&mut self) {
        if self.tail_calls() && self.features.contains(&Feature::Subprogram) {
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

/// What aya takes for maps: more than anybody means, and a map that nobody sees must not be made.
pub(super) fn is_map_section_to_aya(name: &str) -> bool {
    name.starts_with("maps") || name.starts_with(".maps")
}

/// Follows copies of the frame pointer through straight code.
#[derive(Debug, Default)]
struct Frame {
    /// Distance of each register from the frame pointer, where it is known.
    registers: [Option<i64>; 11],
    bytes: u32,
}

impl Frame {
    fn step(&mut self, insn: Insn) {
        let (class, dst) = (insn.code & 0x07, usize::from(insn.dst));
        let offset = i64::from(insn.off.cast_signed());
        match class {
            // A load reads what its source points to, a store writes what its destination does.
            0x1 => {
                self.touch(insn.src, offset);
                self.set(dst, None);
            }
            0x2 | 0x3 => self.touch(insn.dst, offset),
            0x7 if insn.code == 0xbf && insn.off == 0 => {
                let copied = self.distance(insn.src);
                self.set(dst, copied);
            }
            0x7 if matches!(insn.code, 0x07 | 0x17) => {
                let change = insn.signed_imm();
                let change = if insn.code == 0x07 { change } else { -change };
                let moved = self.distance(insn.dst).and_then(|at| at.checked_add(change));
                self.set(dst, moved);
                self.touch(insn.dst, 0);
            }
            0x0 | 0x4 | 0x7 => self.set(dst, None),
            // Behind a jump or a call another path may have come in.
            _ => self.registers = [None; 11],
        }
    }

    fn distance(&self, register: u8) -> Option<i64> {
        if register == FRAME { Some(0) } else { *self.registers.get(usize::from(register))? }
    }

    fn set(&mut self, register: usize, distance: Option<i64>) {
        if let Some(known) = self.registers.get_mut(register) {
            *known = distance;
        }
    }

    fn touch(&mut self, register: u8, offset: i64) {
        let at = self.distance(register).and_then(|at| at.checked_add(offset));
        let below = at.and_then(i64::checked_neg).and_then(|below| u32::try_from(below).ok());
        self.bytes = self.bytes.max(below.unwrap_or_default());
    }
}

/// Name of an atomic operation (`BPF_ATOMIC`).
fn atomic(insn: Insn) -> Option<&'static str> {
    if insn.code & 0xe7 != 0xc3 {
        return None;
    }
    Some(match insn.imm {
        0x00 => "add",
        0x01 => "fetch_add",
        0x40 => "or",
        0x41 => "fetch_or",
        0x50 => "and",
        0x51 => "fetch_and",
        0xa0 => "xor",
        0xa1 => "fetch_xor",
        0xe1 => "xchg",
        0xf1 => "cmpxchg",
        0x100 => "load_acquire",
        0x110 => "store_release",
        _ => "unknown",
    })
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
        Insn { code, dst: 0, src: 0, off, imm }
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
    fn stack_is_followed_through_copies() {
        let mut frame = Frame::default();
        let insn = |code, dst, src, off: i16, imm: i32| Insn {
            code,
            dst,
            src,
            off: off.cast_unsigned(),
            imm: imm.cast_unsigned(),
        };
        frame.step(insn(0x7b, FRAME, 1, -8, 0));
        assert_eq!(frame.bytes, 8, "store");
        frame.step(insn(0xbf, 2, FRAME, 0, 0));
        frame.step(insn(0x07, 2, 0, 0, -24));
        assert_eq!(frame.bytes, 24, "address taken");
        frame.step(insn(0x71, 3, 2, -4, 0));
        assert_eq!(frame.bytes, 28, "load through the copy");
        frame.step(insn(0x85, 0, 0, 0, 1));
        frame.step(insn(0x7b, 2, 1, -64, 0));
        assert_eq!(frame.bytes, 28, "a call forgets");
        frame.step(insn(0x07, FRAME, 0, i16::MIN, i32::MIN));
    }

    #[test]
    fn atomics_by_name() {
        assert_eq!(atomic(insn(0xdb, 0, 0)), Some("add"));
        assert_eq!(atomic(insn(0xc3, 0, 0xf1)), Some("cmpxchg"));
        assert_eq!(atomic(insn(0x7b, 0, 0)), None, "a plain store");
        assert_eq!(atomic(insn(0xdc, 0, 16)), None, "a byte swap");
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
