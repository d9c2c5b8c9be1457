//! Sections, symbols and relocations of an ELF file; the only module that imports `object`.
//!
//! Everything is checked once, here: names are printable UTF-8, section data lies inside the
//! file, counts are bounded. What comes out borrows from the file.

use bpf_image_spec::config::Endianness;
use object::elf as raw;
use object::read::elf::{FileHeader, Rel, Rela, SectionHeader, SectionTable, Sym};

use super::bytes::{NAME_MAX, is_printable};
use super::error::{ObjectError, Problem};

type Header = raw::FileHeader64<object::Endianness>;
type RawSections<'a> = SectionTable<'a, Header>;

const SECTIONS_MAX: usize = 16_384;
const SYMBOLS_MAX: usize = 65_536;
const RELOCATIONS_MAX: usize = 1 << 20;

/// An ELF file for BPF.
#[derive(Debug)]
pub(super) struct Elf<'a> {
    pub(super) endianness: Endianness,
    pub(super) sections: Vec<Section<'a>>,
    pub(super) symbols: Vec<Symbol<'a>>,
    /// Sorted by section, then by offset.
    relocations: Vec<Relocation>,
    /// Where the table of section headers starts; each has 64 bytes.
    pub(super) headers: usize,
    /// Index of the section that holds the names of sections.
    pub(super) names: usize,
}

/// One section.
#[derive(Debug, Clone)]
pub(super) struct Section<'a> {
    pub(super) name: &'a str,
    pub(super) kind: SectionKind,
    pub(super) executable: bool,
    pub(super) address: u64,
    /// Size as declared; larger than `data` for a section without bytes (`.bss`).
    pub(super) size: u64,
    pub(super) data: &'a [u8],
}

/// What a section's type says about its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SectionKind {
    /// `SHT_PROGBITS`.
    Bits,
    /// `SHT_NOBITS`.
    NoBits,
    /// A table that ELF itself defines.
    Other,
}

/// One symbol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Symbol<'a> {
    pub(super) name: &'a str,
    pub(super) kind: SymbolKind,
    pub(super) local: bool,
    pub(super) weak: bool,
    /// `None`: undefined, absolute or common.
    pub(super) section: Option<usize>,
    pub(super) undefined: bool,
    pub(super) value: u64,
    pub(super) size: u64,
}

/// Type of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SymbolKind {
    /// `STT_FUNC`.
    Function,
    /// `STT_SECTION`.
    Section,
    /// `STT_OBJECT`, `STT_NOTYPE` and what else there is.
    Other,
}

/// One relocation of a section; the addend is in the instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relocation {
    section: usize,
    pub(super) offset: u64,
    pub(super) symbol: usize,
}

impl<'a> Elf<'a> {
    pub(super) fn read(file: &'a [u8]) -> Result<Self, ObjectError> {
        let (header, endian) = header(file)?;
        let broken = |error: object::read::Error| elf_error(&error);
        let endianness = match endian {
            object::Endianness::Little => Endianness::Little,
            object::Endianness::Big => Endianness::Big,
        };
        let table = header.sections(endian, file).map_err(broken)?;
        bound("sections", table.len(), SECTIONS_MAX)?;
        let sections = sections(file, endian, &table)?;
        let symbols = symbols(file, endian, &table, &sections)?;
        let relocations = relocations(file, endian, &table, &sections, symbols.len())?;
        let headers = usize::try_from(header.e_shoff(endian)).unwrap_or(usize::MAX);
        let names = if table.is_empty() {
            0
        } else {
            header.shstrndx(endian, file).map_err(broken)?.try_into().unwrap_or(0)
        };
        Ok(Self { endianness, sections, symbols, relocations, headers, names })
    }

    /// The first section with that name.
    pub(super) fn section_named(&self, name: &str) -> Option<(usize, &Section<'a>)> {
        self.sections.iter().enumerate().find(|(_, section)| section.name == name)
    }

    /// The relocations of `section` in the order of their offsets.
    pub(super) fn relocations(&self, section: usize) -> &[Relocation] {
        let start = self.relocations.partition_point(|r| r.section < section);
        let end = self.relocations.partition_point(|r| r.section <= section);
        self.relocations.get(start..end).unwrap_or_default()
    }

    /// The relocation of the instruction at `offset`.
    pub(super) fn relocation_at(&self, section: usize, offset: u64) -> Option<&Symbol<'a>> {
        let relocations = self.relocations(section);
        let at = relocations.partition_point(|r| r.offset < offset);
        let found = relocations.get(at).filter(|r| r.offset == offset)?;
        self.symbols.get(found.symbol)
    }
}

fn header(file: &[u8]) -> Result<(&Header, object::Endianness), ObjectError> {
    if !file.starts_with(&raw::ELFMAG) {
        return Err(ObjectError::NotElf);
    }
    if file.get(4) == Some(&raw::ELFCLASS32.0) {
        return Err(ObjectError::Class32);
    }
    let header = Header::parse(file).map_err(|error| elf_error(&error))?;
    let endian = header.endian().map_err(|error| elf_error(&error))?;
    let machine = header.e_machine(endian);
    // Old compilers left the machine empty, and libbpf takes that to this day.
    if machine != raw::EM_BPF && machine != raw::EM_NONE {
        return Err(ObjectError::NotBpf { machine: machine.0 });
    }
    let kind = header.e_type(endian);
    if kind != raw::ET_REL {
        return Err(ObjectError::NotRelocatable { kind: kind.0 });
    }
    Ok((header, endian))
}

fn elf_error(error: &object::read::Error) -> ObjectError {
    ObjectError::Elf { reason: error.to_string() }
}

fn bound(what: &'static str, count: usize, max: usize) -> Result<(), ObjectError> {
    if count > max {
        return Err(ObjectError::TooMany { what, count: count as u64, max: max as u64 });
    }
    Ok(())
}

fn printable<'a>(bytes: &'a [u8], section: &str, offset: usize) -> Result<&'a str, ObjectError> {
    let bad = || ObjectError::malformed(section, offset, Problem::Name);
    // Names may overlap: without a limit, all of them could end in one NUL far away.
    let bytes = Some(bytes).filter(|bytes| bytes.len() <= NAME_MAX).ok_or_else(bad)?;
    std::str::from_utf8(bytes).ok().filter(|text| is_printable(text)).ok_or_else(bad)
}

fn sections<'a>(
    file: &'a [u8],
    endian: object::Endianness,
    table: &RawSections<'a>,
) -> Result<Vec<Section<'a>>, ObjectError> {
    let mut sections = Vec::with_capacity(table.len());
    for (index, header) in table.enumerate() {
        let name = table.section_name(endian, header).map_err(|error| elf_error(&error))?;
        let name = printable(name, &format!("number {}", index.0), 0)?;
        let kind = match header.sh_type(endian) {
            raw::SHT_PROGBITS => SectionKind::Bits,
            raw::SHT_NOBITS => SectionKind::NoBits,
            _ => SectionKind::Other,
        };
        let outside = |_| ObjectError::malformed(name, 0u64, Problem::OutOfBounds);
        let executable = header.sh_flags(endian).0 & raw::SHF_EXECINSTR.0 != 0;
        // libbpf goes by the flag and aya by the name: one would load what the other does not see.
        if executable && kind == SectionKind::Bits && holds_data(name) {
            return Err(ObjectError::malformed(name, 0u64, Problem::ExecutableData));
        }
        sections.push(Section {
            name,
            kind,
            executable,
            address: header.sh_addr(endian),
            size: header.sh_size(endian),
            data: header.data(endian, file).map_err(outside)?,
        });
    }
    Ok(sections)
}

/// Whether a section's name alone says that it has no instructions.
fn holds_data(name: &str) -> bool {
    let kinds = [".rodata", ".data", ".bss", ".struct_ops"];
    matches!(name, ".maps" | "maps" | "license" | "version" | ".BTF" | ".BTF.ext")
        || kinds.iter().any(|kind| {
            name.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
}

fn symbols<'a>(
    file: &'a [u8],
    endian: object::Endianness,
    table: &RawSections<'a>,
    sections: &[Section<'a>],
) -> Result<Vec<Symbol<'a>>, ObjectError> {
    let raw_symbols =
        table.symbols(endian, file, raw::SHT_SYMTAB).map_err(|error| elf_error(&error))?;
    bound("symbols", raw_symbols.len(), SYMBOLS_MAX)?;
    let mut symbols = Vec::with_capacity(raw_symbols.len());
    for (index, symbol) in raw_symbols.enumerate() {
        let at = index.0 * size_of::<raw::Sym64<object::Endianness>>();
        let name = raw_symbols.symbol_name(endian, symbol).map_err(|error| elf_error(&error))?;
        let section = raw_symbols
            .symbol_section(endian, symbol, index)
            .map_err(|error| elf_error(&error))?
            .map(|section| section.0);
        if let Some(section) = section.filter(|section| *section >= sections.len()) {
            let problem = Problem::NoSuchSection(section as u64);
            return Err(ObjectError::malformed(".symtab", at, problem));
        }
        symbols.push(Symbol {
            name: printable(name, ".symtab", at)?,
            kind: match symbol.st_type() {
                raw::STT_FUNC => SymbolKind::Function,
                raw::STT_SECTION => SymbolKind::Section,
                _ => SymbolKind::Other,
            },
            local: symbol.is_local(),
            weak: symbol.is_weak(),
            section,
            undefined: symbol.is_undefined(endian),
            value: symbol.st_value(endian),
            size: symbol.st_size(endian),
        });
    }
    Ok(symbols)
}

fn relocations<'a>(
    file: &'a [u8],
    endian: object::Endianness,
    table: &RawSections<'a>,
    sections: &[Section<'a>],
    symbols: usize,
) -> Result<Vec<Relocation>, ObjectError> {
    let mut all = Vec::new();
    for (index, header) in table.enumerate() {
        let mut found = Vec::new();
        if let Some((rels, _)) = header.rel(endian, file).map_err(|error| elf_error(&error))? {
            bound("relocations", all.len() + rels.len(), RELOCATIONS_MAX)?;
            found.extend(rels.iter().map(|r| (r.r_offset(endian), r.r_sym(endian))));
        } else if let Some((relas, _)) =
            header.rela(endian, file).map_err(|error| elf_error(&error))?
        {
            bound("relocations", all.len() + relas.len(), RELOCATIONS_MAX)?;
            found.extend(relas.iter().map(|r| (r.r_offset(endian), r.r_sym(endian, false))));
        }
        if found.is_empty() {
            continue;
        }
        let section = header.sh_info(endian) as usize;
        let name = sections.get(index.0).map_or("", |section| section.name);
        if section >= sections.len() {
            let problem = Problem::NoSuchSection(section as u64);
            return Err(ObjectError::malformed(name, 0u64, problem));
        }
        for (number, (offset, symbol)) in found.into_iter().enumerate() {
            if symbol as usize >= symbols {
                return Err(ObjectError::malformed(name, number, Problem::NoSuchSymbol(symbol)));
            }
            all.push(Relocation { section, offset, symbol: symbol as usize });
        }
    }
    all.sort_unstable();
    Ok(all)
}
