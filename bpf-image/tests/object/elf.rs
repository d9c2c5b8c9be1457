//! Writes small ELF files and BTF sections, right or wrong as a test wants them.

/// `SHT_PROGBITS`, `SHT_SYMTAB`, `SHT_STRTAB`, `SHT_REL`.
pub(crate) const PROGBITS: u32 = 1;
pub(crate) const REL: u32 = 9;
/// `SHF_ALLOC | SHF_EXECINSTR`.
pub(crate) const EXECUTABLE: u64 = 6;
/// `STT_FUNC` and `STT_OBJECT`, both global.
pub(crate) const FUNCTION: u8 = 0x12;
pub(crate) const OBJECT: u8 = 0x11;

/// An ELF file in the making. The first section that is added gets index 3.
#[derive(Default)]
pub(crate) struct Elf {
    sections: Vec<Section>,
    symbols: Vec<u8>,
    strings: Vec<u8>,
}

struct Section {
    name: u32,
    kind: u32,
    flags: u64,
    data: Vec<u8>,
    size: u64,
    link: u32,
    info: u32,
}

impl Elf {
    pub(crate) fn new() -> Self {
        let mut elf = Self { sections: Vec::new(), symbols: vec![0; 24], strings: vec![0] };
        for name in [".strtab", ".symtab"] {
            elf.name(name);
        }
        elf
    }

    /// Adds a name to the table that sections and symbols share.
    pub(crate) fn name(&mut self, name: &str) -> u32 {
        let at = u32::try_from(self.strings.len()).unwrap();
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        at
    }

    pub(crate) fn section(&mut self, name: &str, kind: u32, flags: u64, data: Vec<u8>) -> u16 {
        let size = data.len() as u64;
        let name = self.name(name);
        self.sections.push(Section { name, kind, flags, data, size, link: 2, info: 0 });
        u16::try_from(self.sections.len() + 2).unwrap()
    }

    pub(crate) fn code(&mut self, name: &str, instructions: &[[u8; 8]]) -> u16 {
        self.section(name, PROGBITS, EXECUTABLE, instructions.concat())
    }

    /// Declares another size for the section that was added last.
    pub(crate) fn size(&mut self, size: u64) {
        self.sections.last_mut().unwrap().size = size;
    }

    /// Relocations of `section`: offset, symbol.
    pub(crate) fn relocations(&mut self, section: u16, entries: &[(u64, u32)]) {
        let entries = entries.iter().flat_map(|(offset, symbol)| {
            [offset.to_le_bytes(), ((u64::from(*symbol) << 32) | 1).to_le_bytes()].concat()
        });
        let entries = entries.collect();
        self.section(".rel", REL, 0, entries);
        self.sections.last_mut().unwrap().info = section.into();
    }

    pub(crate) fn symbol(&mut self, name: &str, info: u8, section: u16, value: u64, size: u64) {
        let name = self.name(name);
        self.symbol_at(name, info, section, value, size);
    }

    pub(crate) fn symbol_at(&mut self, name: u32, info: u8, section: u16, value: u64, size: u64) {
        self.symbols.extend_from_slice(&name.to_le_bytes());
        self.symbols.extend_from_slice(&[info, 0]);
        self.symbols.extend_from_slice(&section.to_le_bytes());
        self.symbols.extend_from_slice(&value.to_le_bytes());
        self.symbols.extend_from_slice(&size.to_le_bytes());
    }

    pub(crate) fn write(self) -> Vec<u8> {
        let strings = Section {
            name: 1,
            kind: 3,
            flags: 0,
            size: self.strings.len() as u64,
            data: self.strings,
            link: 0,
            info: 0,
        };
        let symbols = Section {
            name: 9,
            kind: 2,
            flags: 0,
            size: self.symbols.len() as u64,
            data: self.symbols,
            link: 1,
            info: 1,
        };
        let mut file = vec![0; 64];
        let mut headers = vec![0; 64];
        for section in [strings, symbols].iter().chain(&self.sections) {
            file.resize(file.len().next_multiple_of(8), 0);
            let entry_size: u64 = match section.kind {
                2 => 24,
                9 => 16,
                _ => 0,
            };
            headers.extend_from_slice(&section.name.to_le_bytes());
            headers.extend_from_slice(&section.kind.to_le_bytes());
            headers.extend_from_slice(&section.flags.to_le_bytes());
            headers.extend_from_slice(&0u64.to_le_bytes());
            headers.extend_from_slice(&(file.len() as u64).to_le_bytes());
            headers.extend_from_slice(&section.size.to_le_bytes());
            headers.extend_from_slice(&section.link.to_le_bytes());
            headers.extend_from_slice(&section.info.to_le_bytes());
            headers.extend_from_slice(&8u64.to_le_bytes());
            headers.extend_from_slice(&entry_size.to_le_bytes());
            file.extend_from_slice(&section.data);
        }
        file.resize(file.len().next_multiple_of(8), 0);
        let count = u16::try_from(headers.len() / 64).unwrap();
        let table = file.len() as u64;
        file.extend_from_slice(&headers);
        file[..20].copy_from_slice(&[
            0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 247, 0,
        ]);
        file[20] = 1;
        file[40..48].copy_from_slice(&table.to_le_bytes());
        file[52..54].copy_from_slice(&64u16.to_le_bytes());
        file[58..60].copy_from_slice(&64u16.to_le_bytes());
        file[60..62].copy_from_slice(&count.to_le_bytes());
        file[62..64].copy_from_slice(&1u16.to_le_bytes());
        file
    }
}

/// A `.BTF` section of the given words of types and the given strings.
pub(crate) fn btf(types: &[u32], strings: &[u8]) -> Vec<u8> {
    let types: Vec<u8> = types.iter().flat_map(|word| word.to_le_bytes()).collect();
    let (types_len, strings_len) = (types.len(), strings.len());
    let mut section = vec![0x9f, 0xeb, 1, 0];
    for word in [24, 0, types_len, types_len, strings_len] {
        section.extend_from_slice(&u32::try_from(word).unwrap().to_le_bytes());
    }
    section.extend_from_slice(&types);
    section.extend_from_slice(strings);
    section
}
