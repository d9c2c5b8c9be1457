//! Changes to an ELF file that leave everything else where it is.
//!
//! New data goes to the end of the file and section headers are patched in place. The ELF
//! library's builder would lay the file out anew, and fails on sections that it does not know
//! (`SHT_LLVM_ADDRSIG`).

use bpf_image_spec::config::Endianness;

use super::elf::Elf;
use super::error::{ObjectError, Problem};

const HEADER_LEN: usize = 64;
/// Fields of a section header (`Elf64_Shdr`).
const NAME: usize = 0;
const FLAGS: usize = 8;
const OFFSET: usize = 24;
const SIZE: usize = 32;
/// `SHF_EXECINSTR`.
const EXECUTABLE: u8 = 4;

/// A file that is being changed.
#[derive(Debug)]
pub(super) struct Patch<'a> {
    out: Vec<u8>,
    endianness: Endianness,
    headers: usize,
    names_section: usize,
    /// The table of section names as it will be; symbol names may be in it too.
    names: Vec<u8>,
    /// The table as it is.
    old_names: &'a [u8],
}

impl<'a> Patch<'a> {
    pub(super) fn new(file: &[u8], elf: &Elf<'a>) -> Self {
        let old_names = elf.sections.get(elf.names).map_or(&[][..], |section| section.data);
        Self {
            out: file.to_vec(),
            endianness: elf.endianness,
            headers: elf.headers,
            names_section: elf.names,
            names: old_names.to_vec(),
            old_names,
        }
    }

    /// Gives a section another name.
    pub(super) fn rename(&mut self, section: usize, name: &str) -> Result<(), ObjectError> {
        let offset = u32::try_from(self.names.len()).map_err(|_| too_big())?;
        self.names.extend_from_slice(name.as_bytes());
        self.names.push(0);
        let bytes = super::bytes::u32_bytes(offset, self.endianness);
        self.field(section, NAME, 4)?.copy_from_slice(&bytes);
        Ok(())
    }

    /// Makes a section one without instructions.
    pub(super) fn clear_executable(&mut self, section: usize) -> Result<(), ObjectError> {
        let low = match self.endianness {
            Endianness::Little => 0,
            Endianness::Big => 7,
        };
        self.field(section, FLAGS, 8)?[low] &= !EXECUTABLE;
        Ok(())
    }

    /// Gives a section other data.
    pub(super) fn replace(&mut self, section: usize, data: &[u8]) -> Result<(), ObjectError> {
        self.out.resize(self.out.len().next_multiple_of(8), 0);
        let offset = self.out.len();
        self.out.extend_from_slice(data);
        self.word(section, OFFSET, offset)?;
        self.word(section, SIZE, data.len())
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, ObjectError> {
        if self.names != self.old_names {
            let names = std::mem::take(&mut self.names);
            self.replace(self.names_section, &names)?;
        }
        Ok(self.out)
    }

    fn word(&mut self, section: usize, field: usize, value: usize) -> Result<(), ObjectError> {
        let value = value as u64;
        let bytes = match self.endianness {
            Endianness::Little => value.to_le_bytes(),
            Endianness::Big => value.to_be_bytes(),
        };
        self.field(section, field, 8)?.copy_from_slice(&bytes);
        Ok(())
    }

    fn field(&mut self, section: usize, at: usize, len: usize) -> Result<&mut [u8], ObjectError> {
        let start = section
            .checked_mul(HEADER_LEN)
            .and_then(|offset| offset.checked_add(self.headers)?.checked_add(at));
        let range = start.and_then(|start| Some(start..start.checked_add(len)?));
        range.and_then(|range| self.out.get_mut(range)).ok_or_else(too_big)
    }
}

fn too_big() -> ObjectError {
    ObjectError::malformed(".shstrtab", 0u64, Problem::TooBig)
}
