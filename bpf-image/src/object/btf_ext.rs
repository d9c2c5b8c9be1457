//! The `.BTF.ext` section: what instructions are made from, and CO-RE relocations.
//!
//! Read here as far as records by section; what they mean is read in `lines` and `relocation`.

use super::btf::header_len;
use super::bytes::{Bytes, u32_bytes};
use super::error::{ObjectError, Problem};

/// Header with and without CO-RE relocations.
const HEADER_MIN: usize = 24;
const HEADER_WITH_CORE: usize = 32;

/// The three parts of the section.
#[derive(Debug)]
pub(super) struct BtfExt<'a> {
    pub(super) functions: Part<'a>,
    pub(super) lines: Part<'a>,
    pub(super) core: Part<'a>,
}

/// Blocks of records of one size.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    pub(super) record_size: u32,
    pub(super) blocks: Vec<Block<'a>>,
}

/// The records of one ELF section.
#[derive(Debug)]
pub(super) struct Block<'a> {
    /// The section's name: an offset in the strings of `.BTF`.
    pub(super) section: u32,
    pub(super) count: u32,
    pub(super) records: Bytes<'a>,
}

impl<'a> Part<'a> {
    /// Every record with the name of its section; nothing where records are shorter than `len`.
    pub(super) fn records(&self, len: u32) -> impl Iterator<Item = (u32, Bytes<'a>)> + '_ {
        let size = self.record_size as usize;
        let blocks = self.blocks.iter().filter(move |_| self.record_size >= len);
        blocks.flat_map(move |block| {
            let records = (0..block.count as usize)
                .map_while(move |index| block.records.part(index.checked_mul(size)?, size).ok());
            records.map(|record| (block.section, record))
        })
    }
}

impl<'a> BtfExt<'a> {
    pub(super) fn read(bytes: Bytes<'a>) -> Result<Self, ObjectError> {
        let header_len = header_len(&bytes, HEADER_MIN)?;
        let core = if header_len >= HEADER_WITH_CORE {
            part(&bytes, 24, header_len)?
        } else {
            Part::default()
        };
        let (functions, lines) = (part(&bytes, 8, header_len)?, part(&bytes, 16, header_len)?);
        Ok(Self { functions, lines, core })
    }

    /// Number of CO-RE relocations.
    pub(super) fn core_relocations(&self) -> u32 {
        self.core.blocks.iter().fold(0, |sum, block| sum.saturating_add(block.count))
    }

    /// Writes the section anew with other names of sections; `None` leaves a section out.
    pub(super) fn rewritten(
        &self,
        bytes: Bytes<'_>,
        rename: impl Fn(u32) -> Option<u32>,
    ) -> Result<Vec<u8>, ObjectError> {
        let word = |value: u32| u32_bytes(value, bytes.endianness());
        let mut out = bytes.slice(0, 4)?.to_vec();
        let header_len = u32::try_from(HEADER_WITH_CORE).unwrap_or_default();
        out.extend_from_slice(&word(header_len));
        let mut body = Vec::new();
        for part in [&self.functions, &self.lines, &self.core] {
            let start = body.len();
            if part.record_size > 0 {
                body.extend_from_slice(&word(part.record_size));
            }
            for block in &part.blocks {
                if let Some(section) = rename(block.section) {
                    body.extend_from_slice(&word(section));
                    body.extend_from_slice(&word(block.count));
                    body.extend_from_slice(block.records.data());
                }
            }
            // A part of nothing but its record size is one that no reader expects.
            if body.len() - start <= 4 {
                body.truncate(start);
            }
            for value in [start, body.len() - start] {
                let value = u32::try_from(value).map_err(|_| bytes.error(0, Problem::TooBig))?;
                out.extend_from_slice(&word(value));
            }
        }
        out.extend_from_slice(&body);
        Ok(out)
    }
}

fn part<'a>(bytes: &Bytes<'a>, field: usize, header_len: usize) -> Result<Part<'a>, ObjectError> {
    let outside = || bytes.error(field, Problem::OutOfBounds);
    let start = bytes.offset(field)?.checked_add(header_len).ok_or_else(outside)?;
    let len = bytes.offset(field + 4)?;
    let end = start.checked_add(len).filter(|end| *end <= bytes.len()).ok_or_else(outside)?;
    if len == 0 {
        return Ok(Part::default());
    }
    let record_size = bytes.u32(start)?;
    if record_size < 8 || record_size % 4 != 0 {
        return Err(bytes.error(start, Problem::Misaligned));
    }
    let mut blocks = Vec::new();
    let mut at = start + 4;
    while at < end {
        let (section, count) = (bytes.u32(at)?, bytes.u32(at + 4)?);
        let records = at + 8;
        let size = usize::try_from(u64::from(count) * u64::from(record_size)).ok();
        let next = size.and_then(|size| records.checked_add(size)).filter(|next| *next <= end);
        // An empty block is nothing that a compiler writes, and many of them cost memory.
        let next = next.filter(|_| count > 0);
        let next = next.ok_or_else(|| bytes.error(at, Problem::OutOfBounds))?;
        blocks.push(Block { section, count, records: bytes.part(records, next - records)? });
        at = next;
    }
    Ok(Part { record_size, blocks })
}
