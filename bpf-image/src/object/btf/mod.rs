//! A bounds-checked reader of the `.BTF` section (Documentation/bpf/btf.rst), both byte orders.
//!
//! Types stay where they are: only an offset is kept for each, and [`types`] decodes one when it
//! is asked for. Every walk through references has a depth limit, as the kernel's has.

mod print;
mod resolve;
mod types;

pub(super) use types::{Kind, Member, Type, Variable};

use bpf_image_spec::text::is_steering;

use super::bytes::{Bytes, NAME_MAX, is_printable};
use super::error::{ObjectError, Problem};

/// As the kernel: `BTF_MAX_TYPE`.
const TYPES_MAX: usize = 0x000f_ffff;
/// As the kernel: `BTF_MAX_NAME_OFFSET`.
const STRINGS_MAX: usize = 0x00ff_ffff;
const HEADER_LEN: usize = 24;
/// The first two bytes of `.BTF` and of `.BTF.ext`.
pub(super) const MAGIC: u16 = 0xeb9f;

/// The types of one object.
#[derive(Debug)]
pub(super) struct Btf<'a> {
    bytes: Bytes<'a>,
    types: std::ops::Range<usize>,
    strings: &'a [u8],
    /// Offset of each type's header in the section; the first entry is type 1.
    offsets: Vec<u32>,
}

/// The length that the header of `.BTF` or `.BTF.ext` states, at least `least`; both begin alike.
pub(super) fn header_len(bytes: &Bytes<'_>, least: usize) -> Result<usize, ObjectError> {
    let magic = bytes.u16(0)?;
    if magic != MAGIC {
        return Err(bytes.error(0, Problem::Magic(magic)));
    }
    let version = bytes.u8(2)?;
    if version != 1 {
        return Err(bytes.error(2, Problem::Version(version)));
    }
    let length = bytes.offset(4)?;
    if length < least || length > bytes.len() {
        return Err(bytes.error(4, Problem::OutOfBounds));
    }
    Ok(length)
}

impl<'a> Btf<'a> {
    pub(super) fn read(bytes: Bytes<'a>) -> Result<Self, ObjectError> {
        let header_len = header_len(&bytes, HEADER_LEN)?;
        let types = part(&bytes, 8, header_len)?;
        let strings = part(&bytes, 16, header_len)?;
        let count = strings.len();
        if count > STRINGS_MAX {
            let (count, max) = (count as u64, STRINGS_MAX as u64);
            return Err(ObjectError::TooMany { what: "bytes of BTF strings", count, max });
        }
        let strings = bytes.slice(strings.start, strings.len())?;
        let mut btf = Self { bytes, types, strings, offsets: Vec::new() };
        btf.index()?;
        Ok(btf)
    }

    /// Finds where each type starts.
    fn index(&mut self) -> Result<(), ObjectError> {
        let mut at = self.types.start;
        while at < self.types.end {
            let len = types::encoded_len(&self.bytes, at)?;
            let end = at.checked_add(len).filter(|end| *end <= self.types.end);
            let end = end.ok_or_else(|| self.bytes.error(at, Problem::Truncated))?;
            if self.offsets.len() >= TYPES_MAX {
                let max = TYPES_MAX as u64;
                return Err(ObjectError::TooMany { what: "BTF types", count: max + 1, max });
            }
            let offset = u32::try_from(at).map_err(|_| self.bytes.error(at, Problem::TooBig))?;
            self.offsets.push(offset);
            at = end;
        }
        Ok(())
    }

    /// Every type with its id, `void` (0) left out.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Result<Type<'a>, ObjectError>)> {
        (1..).zip(&self.offsets).map(|(id, offset)| (id, self.decode(*offset as usize)))
    }

    /// The type with that id; 0 is `void`.
    pub(super) fn get(&self, id: u32) -> Result<Type<'a>, ObjectError> {
        if id == 0 {
            return Ok(Type::VOID);
        }
        let offset = self.offsets.get(id as usize - 1);
        let offset = offset.ok_or_else(|| self.bytes.error(0, Problem::NoSuchType(id)))?;
        self.decode(*offset as usize)
    }

    /// The string at that offset of the string section.
    pub(super) fn string(&self, offset: u32) -> Result<&'a str, ObjectError> {
        let bad = |problem| self.bytes.error(offset as usize, problem);
        let tail = self.strings.get(offset as usize..).ok_or_else(|| bad(Problem::OutOfBounds))?;
        // Names may overlap: without a limit, a million of them could end in one NUL far away.
        let end = tail.iter().take(NAME_MAX).position(|byte| *byte == 0);
        let end = end.ok_or_else(|| bad(Problem::Name))?;
        let text = tail.get(..end).and_then(|name| std::str::from_utf8(name).ok());
        text.filter(|text| is_printable(text)).ok_or_else(|| bad(Problem::Name))
    }

    /// A line of source at that offset of the string section: any text, so tabs become spaces and
    /// what a terminal would obey is left out.
    pub(super) fn source_text(&self, offset: u32) -> Result<String, ObjectError> {
        let bad = |problem| self.bytes.error(offset as usize, problem);
        let tail = self.strings.get(offset as usize..).ok_or_else(|| bad(Problem::OutOfBounds))?;
        let line = tail.iter().take(NAME_MAX).position(|byte| *byte == 0);
        // A line longer than that is cut: it is for reading only.
        let line = tail.get(..line.unwrap_or(NAME_MAX.min(tail.len()))).unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        let printable = text.chars().map(|c| if c == '\t' { ' ' } else { c });
        Ok(printable.filter(|c| !is_steering(*c)).collect())
    }

    /// Error about the type with that id.
    pub(super) fn error(&self, id: u32, problem: Problem) -> ObjectError {
        let offset = (id as usize).checked_sub(1).and_then(|at| self.offsets.get(at));
        self.bytes.error(offset.map_or(0, |offset| *offset as usize), problem)
    }

    /// A copy of the section with `added` strings at its end, and the offset of each of them.
    pub(super) fn with_strings(&self, added: &[&str]) -> Result<(Vec<u8>, Vec<u32>), ObjectError> {
        let too_big = |_| self.bytes.error(0, Problem::TooBig);
        let types = self.bytes.slice(self.types.start, self.types.len())?;
        let mut strings = self.strings.to_vec();
        let mut offsets = Vec::with_capacity(added.len());
        for name in added {
            offsets.push(u32::try_from(strings.len()).map_err(too_big)?);
            strings.extend_from_slice(name.as_bytes());
            strings.push(0);
        }
        let header_len = self.bytes.offset(4)?;
        let mut section = self.bytes.slice(0, header_len)?.to_vec();
        let types_len = u32::try_from(types.len()).map_err(too_big)?;
        let strings_len = u32::try_from(strings.len()).map_err(too_big)?;
        let fields = [0, types_len, types_len, strings_len];
        for (field, value) in section[8..HEADER_LEN].chunks_exact_mut(4).zip(fields) {
            field.copy_from_slice(&super::bytes::u32_bytes(value, self.bytes.endianness()));
        }
        section.extend_from_slice(types);
        section.extend_from_slice(&strings);
        Ok((section, offsets))
    }
}

/// The range that the offset and length at `field` describe, counted from the header's end.
fn part(
    bytes: &Bytes<'_>,
    field: usize,
    header_len: usize,
) -> Result<std::ops::Range<usize>, ObjectError> {
    let outside = || bytes.error(field, Problem::OutOfBounds);
    let start = bytes.offset(field)?.checked_add(header_len).ok_or_else(outside)?;
    let end = start.checked_add(bytes.offset(field + 4)?).ok_or_else(outside)?;
    if end > bytes.len() {
        return Err(outside());
    }
    Ok(start..end)
}
