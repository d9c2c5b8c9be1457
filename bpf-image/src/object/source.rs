//! What a program was compiled from: its instructions with what they refer to, and source lines.
//!
//! Read when somebody asks, from the bytes that were checked before.

use super::bytes::Bytes;
use super::elf::{Elf, Symbol, SymbolKind};
use super::error::{ObjectError, Problem};
use super::insn::{CALL, CALL_SUBPROGRAM, INSN_LEN, Insn, LD_IMM64, is_map_section};
use super::table::helper;
use super::{Object, btf, btf_ext};

/// File name, line and text: the part of `struct bpf_line_info` that every version has.
const LINE_LEN: u32 = 16;

/// One instruction of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Slot of 8 bytes, counted from the program's start.
    pub slot: u32,
    /// Operation.
    pub code: u8,
    /// Destination register.
    pub dst: u8,
    /// Source register.
    pub src: u8,
    /// Offset of a jump or an access to memory.
    pub offset: i16,
    /// Constant.
    pub imm: i32,
    /// The constant of a 64-bit load, which takes two slots.
    pub wide: Option<u64>,
    /// What it refers to by name.
    pub target: Option<Target>,
}

/// What an instruction refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A call of a helper.
    Helper(String),
    /// A call of a kernel function, or the address of a kernel symbol or Kconfig value.
    Extern(String),
    /// A call of a function of the object, or its address.
    Function(String),
    /// A map's address.
    Map(String),
    /// Address in a section of global variables.
    Global {
        /// The variable; its section, where no symbol stands there.
        name: String,
        /// Bytes after its start.
        offset: u64,
    },
}

/// A line of source, from the instruction at `slot` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// Slot of 8 bytes, counted from the program's start.
    pub slot: u32,
    /// File as the compiler was given it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1; 0 where unknown.
    pub column: u32,
    /// The line's text; empty where the compiler did not keep it.
    pub text: String,
}

impl Object {
    /// Instructions of the program with that name; `None` if there is none.
    pub fn instructions(&self, program: &str) -> Result<Option<Vec<Instruction>>, ObjectError> {
        let Some(place) = self.place(program) else { return Ok(None) };
        let elf = Elf::read(&self.bytes)?;
        let Some(section) = elf.sections.get(place.section) else { return Ok(None) };
        let bytes = Bytes::new(section.data, elf.endianness, section.name);
        let end = place.start + place.len;
        let (mut at, mut all) = (place.start, Vec::new());
        while at < end {
            let insn = Insn::read(&bytes, at)?;
            let slot = u32::try_from((at - place.start) / INSN_LEN);
            let mut instruction = Instruction {
                slot: slot.map_err(|_| bytes.error(at, Problem::TooBig))?,
                code: insn.code,
                dst: insn.dst,
                src: insn.src,
                offset: insn.off.cast_signed(),
                imm: insn.imm.cast_signed(),
                wide: None,
                target: target(&elf, place.section, at, insn),
            };
            if insn.code == LD_IMM64 {
                at += INSN_LEN;
                let high = u64::from(bytes.u32(at + 4)?);
                instruction.wide = Some(high << 32 | u64::from(insn.imm));
            }
            all.push(instruction);
            at += INSN_LEN;
        }
        Ok(Some(all))
    }

    /// Source lines of the program with that name, by slot; empty without `.BTF.ext`.
    pub fn lines(&self, program: &str) -> Result<Vec<SourceLine>, ObjectError> {
        let Some(place) = self.place(program) else { return Ok(Vec::new()) };
        let elf = Elf::read(&self.bytes)?;
        let (Some(btf), Some(ext)) = (btf(&elf)?, btf_ext(&elf)?) else { return Ok(Vec::new()) };
        let name = elf.sections.get(place.section).map_or("", |section| section.name);
        let mut lines = Vec::new();
        for (section, record) in ext.lines.records(LINE_LEN) {
            let within = record.offset(0)?.checked_sub(place.start);
            let Some(within) = within.filter(|within| *within < place.len) else { continue };
            if btf.string(section)? != name {
                continue;
            }
            let (file, text, position) = (record.u32(4)?, record.u32(8)?, record.u32(12)?);
            lines.push(SourceLine {
                slot: u32::try_from(within / INSN_LEN).unwrap_or(u32::MAX),
                file: btf.string(file)?.to_owned(),
                line: position >> 10,
                column: position & 0x3ff,
                text: btf.source_text(text)?,
            });
            // Records may repeat without end; instructions do not.
            if lines.len() > place.len {
                return Err(record.error(0, Problem::OutOfBounds));
            }
        }
        lines.sort_by_key(|line| line.slot);
        Ok(lines)
    }

    /// Every type, function and variable of that name in C, from the object's BTF. `struct NAME`,
    /// `union NAME`, `enum NAME` and `typedef NAME` choose among them.
    pub fn btf_type(&self, name: &str) -> Result<Option<String>, ObjectError> {
        let elf = Elf::read(&self.bytes)?;
        btf(&elf)?.map_or(Ok(None), |btf| btf.print_named(name))
    }

    fn place(&self, program: &str) -> Option<super::Place> {
        let mut all = self.spec.programs.iter().zip(&self.details);
        all.find(|(spec, _)| spec.name == program).map(|(_, detail)| detail.place)
    }
}

fn target(elf: &Elf<'_>, section: usize, at: usize, insn: Insn) -> Option<Target> {
    let relocated = elf.relocation_at(section, at as u64);
    let slots = (insn.signed_imm() + 1) * 8;
    match (insn.code, relocated) {
        (CALL | LD_IMM64, Some(symbol)) if symbol.undefined => {
            Some(Target::Extern(symbol.name.to_owned()))
        }
        (CALL, Some(symbol)) => {
            named(elf, symbol.section?, symbol.value.checked_add_signed(slots)?)
        }
        (CALL, None) if insn.src == 0 => {
            let name = helper::name(insn.imm).map(str::to_owned);
            Some(Target::Helper(name.unwrap_or_else(|| format!("helper_{}", insn.imm))))
        }
        (CALL, None) if insn.src == CALL_SUBPROGRAM => {
            named(elf, section, (at as u64).checked_add_signed(slots)?)
        }
        (LD_IMM64, Some(symbol)) => {
            let addend = if symbol.kind == SymbolKind::Section { insn.signed_imm() } else { 0 };
            let place = symbol.value.checked_add_signed(addend)?;
            let within = symbol.section?;
            let named = named(elf, within, place);
            let global = || {
                let name = elf.sections.get(within)?.name.to_owned();
                Some(Target::Global { name, offset: place })
            };
            named.or_else(global)
        }
        _ => None,
    }
}

/// What stands at a place of a section.
fn named(elf: &Elf<'_>, section: usize, place: u64) -> Option<Target> {
    let of = elf.sections.get(section)?;
    let holds = |symbol: &&Symbol<'_>| {
        let has_name = symbol.section == Some(section) && !symbol.name.is_empty();
        let offset = place.checked_sub(symbol.value);
        has_name && offset.is_some_and(|offset| offset == 0 || offset < symbol.size)
    };
    let symbol = elf.symbols.iter().filter(|s| s.kind != SymbolKind::Section).find(holds)?;
    let name = symbol.name.to_owned();
    Some(if is_map_section(of.name) {
        Target::Map(name)
    } else if of.executable {
        Target::Function(name)
    } else {
        Target::Global { name, offset: place - symbol.value }
    })
}
