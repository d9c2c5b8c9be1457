//! Sections of an object as parts of a file: what each is called and what it weighs.

use super::Object;
use super::elf::{Elf, SectionKind};
use super::error::ObjectError;

/// One section of the ELF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionSize {
    /// Its name.
    pub name: String,
    /// Its bytes in the file: none for `.bss`.
    pub size: u64,
}

impl Object {
    /// Every section in the order of the file.
    pub fn sections(&self) -> Result<Vec<SectionSize>, ObjectError> {
        let elf = Elf::read(self.bytes())?;
        let size = |section: &super::elf::Section<'_>| match section.kind {
            SectionKind::NoBits => 0,
            SectionKind::Bits | SectionKind::Other => section.data.len() as u64,
        };
        let sections = elf.sections.iter();
        Ok(sections.map(|s| SectionSize { name: s.name.to_owned(), size: size(s) }).collect())
    }
}
