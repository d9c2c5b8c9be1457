//! Bounds-checked reads from one section, in the object's byte order.

use bpf_image_spec::config::Endianness;
/// What may appear in a spec: a terminal prints it as it is.
pub(super) use bpf_image_spec::text::is_printable;

use super::error::{ObjectError, Problem};

/// The bytes of a section, which errors name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a> {
    data: &'a [u8],
    endianness: Endianness,
    section: &'a str,
    /// Where they start in the section.
    start: usize,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(data: &'a [u8], endianness: Endianness, section: &'a str) -> Self {
        Self { data, endianness, section, start: 0 }
    }

    /// The bytes from `offset` on, `len` of them; errors still name their place in the section.
    pub(super) fn part(&self, offset: usize, len: usize) -> Result<Self, ObjectError> {
        let start = self.start.saturating_add(offset);
        Ok(Self { data: self.slice(offset, len)?, start, ..*self })
    }

    pub(super) fn data(&self) -> &'a [u8] {
        self.data
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn endianness(&self) -> Endianness {
        self.endianness
    }

    pub(super) fn error(&self, offset: usize, problem: Problem) -> ObjectError {
        ObjectError::malformed(self.section, self.start.saturating_add(offset), problem)
    }

    pub(super) fn slice(&self, offset: usize, len: usize) -> Result<&'a [u8], ObjectError> {
        offset
            .checked_add(len)
            .and_then(|end| self.data.get(offset..end))
            .ok_or_else(|| self.error(offset, Problem::Truncated))
    }

    pub(super) fn u8(&self, offset: usize) -> Result<u8, ObjectError> {
        self.data.get(offset).copied().ok_or_else(|| self.error(offset, Problem::Truncated))
    }

    pub(super) fn u16(&self, offset: usize) -> Result<u16, ObjectError> {
        let mut raw = [0; 2];
        raw.copy_from_slice(self.slice(offset, 2)?);
        Ok(match self.endianness {
            Endianness::Little => u16::from_le_bytes(raw),
            Endianness::Big => u16::from_be_bytes(raw),
        })
    }

    pub(super) fn u32(&self, offset: usize) -> Result<u32, ObjectError> {
        let mut raw = [0; 4];
        raw.copy_from_slice(self.slice(offset, 4)?);
        Ok(match self.endianness {
            Endianness::Little => u32::from_le_bytes(raw),
            Endianness::Big => u32::from_be_bytes(raw),
        })
    }

    /// A `u32` as an index; BPF objects are read on 64-bit and 32-bit machines alike.
    pub(super) fn offset(&self, offset: usize) -> Result<usize, ObjectError> {
        usize::try_from(self.u32(offset)?).map_err(|_| self.error(offset, Problem::TooBig))
    }
}

/// `value` in the given byte order.
pub(super) fn u32_bytes(value: u32, endianness: Endianness) -> [u8; 4] {
    match endianness {
        Endianness::Little => value.to_le_bytes(),
        Endianness::Big => value.to_be_bytes(),
    }
}

/// Longest name that is read. Mangled C++ and Rust names are long, but not longer.
pub(super) const NAME_MAX: usize = 4096;
