//! Decoding of one BTF type.

use super::Btf;
use crate::object::bytes::Bytes;
use crate::object::error::{ObjectError, Problem};

/// One type. Names are offsets of strings: most of them nobody asks for.
#[derive(Debug, Clone, Copy)]
pub(in crate::object) struct Type<'a> {
    pub(in crate::object) name: u32,
    pub(in crate::object) kind: Kind,
    /// Number of members, values, parameters or variables that follow.
    count: usize,
    /// Where they start.
    entries: usize,
    bytes: Option<Bytes<'a>>,
}

/// `BTF_KIND_*` with what the fixed part of a type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::object) enum Kind {
    Void,
    Int { size: u32, signed: bool, character: bool, boolean: bool, plain: bool },
    Pointer(u32),
    Array { element: u32, count: u32 },
    Struct { size: u32 },
    Union { size: u32 },
    Enum { size: u32, signed: bool },
    Forward { union: bool },
    Typedef(u32),
    Volatile(u32),
    Const(u32),
    Restrict(u32),
    Function(u32),
    Prototype,
    Variable { target: u32, fixed: bool },
    DataSection,
    Float { size: u32 },
    DeclTag { target: u32, component: Option<u32> },
    TypeTag(u32),
}

/// A member of a structure or union.
#[derive(Debug, Clone, Copy)]
pub(in crate::object) struct Member {
    pub(in crate::object) name: u32,
    pub(in crate::object) target: u32,
}

/// A variable of a data section.
#[derive(Debug, Clone, Copy)]
pub(in crate::object) struct Variable {
    pub(in crate::object) id: u32,
    pub(in crate::object) offset: u32,
    pub(in crate::object) size: u32,
}

const FIXED_LEN: usize = 12;

/// Bytes after the fixed part: once, and for each entry.
fn tail(kind: u8) -> Option<(usize, usize)> {
    Some(match kind {
        1 | 14 | 17 => (4, 0),
        3 => (12, 0),
        4 | 5 | 15 | 19 => (0, 12),
        6 | 13 => (0, 8),
        2 | 7..=12 | 16 | 18 => (0, 0),
        _ => return None,
    })
}

fn info(bytes: &Bytes<'_>, at: usize) -> Result<(u8, usize, bool), ObjectError> {
    let info = bytes.u32(at + 4)?;
    let [kind, ..] = (info >> 24 & 0x1f).to_le_bytes();
    Ok((kind, (info & 0xffff) as usize, info >> 31 == 1))
}

/// Length of the type that starts at `at`.
pub(super) fn encoded_len(bytes: &Bytes<'_>, at: usize) -> Result<usize, ObjectError> {
    let (kind, count, _) = info(bytes, at)?;
    let (once, each) = tail(kind).ok_or_else(|| bytes.error(at, Problem::Kind(kind)))?;
    Ok(FIXED_LEN + once + each * count)
}

impl<'a> Btf<'a> {
    pub(super) fn decode(&self, at: usize) -> Result<Type<'a>, ObjectError> {
        let bytes = self.bytes;
        let (number, count, flag) = info(&bytes, at)?;
        let size_or_type = bytes.u32(at + 8)?;
        let extra = at + FIXED_LEN;
        let kind = match number {
            1 => {
                let encoding = bytes.u32(extra)?;
                let flags = encoding >> 24 & 0xf;
                let bits = encoding & 0xff;
                let offset = encoding >> 16 & 0xff;
                Kind::Int {
                    size: size_or_type,
                    signed: flags & 1 != 0,
                    character: flags & 2 != 0,
                    boolean: flags & 4 != 0,
                    plain: offset == 0 && size_or_type.checked_mul(8) == Some(bits),
                }
            }
            2 => Kind::Pointer(size_or_type),
            3 => Kind::Array { element: bytes.u32(extra)?, count: bytes.u32(extra + 8)? },
            4 => Kind::Struct { size: size_or_type },
            5 => Kind::Union { size: size_or_type },
            6 | 19 => Kind::Enum { size: size_or_type, signed: flag },
            7 => Kind::Forward { union: flag },
            8 => Kind::Typedef(size_or_type),
            9 => Kind::Volatile(size_or_type),
            10 => Kind::Const(size_or_type),
            11 => Kind::Restrict(size_or_type),
            12 => Kind::Function(size_or_type),
            13 => Kind::Prototype,
            14 => Kind::Variable { target: size_or_type, fixed: bytes.u32(extra)? == 0 },
            15 => Kind::DataSection,
            16 => Kind::Float { size: size_or_type },
            17 => {
                let component = Some(bytes.u32(extra)?).filter(|index| *index != u32::MAX);
                Kind::DeclTag { target: size_or_type, component }
            }
            18 => Kind::TypeTag(size_or_type),
            _ => return Err(bytes.error(at, Problem::Kind(number))),
        };
        let name = bytes.u32(at)?;
        Ok(Type { name, kind, count, entries: extra, bytes: Some(bytes) })
    }
}

impl Type<'_> {
    pub(super) const VOID: Self =
        Self { name: 0, kind: Kind::Void, count: 0, entries: 0, bytes: None };

    /// Members of a structure or union; nothing for another kind.
    pub(in crate::object) fn members(
        &self,
    ) -> impl Iterator<Item = Result<Member, ObjectError>> + '_ {
        let has = matches!(self.kind, Kind::Struct { .. } | Kind::Union { .. });
        self.entries(has, 12)
            .map(|(bytes, at)| Ok(Member { name: bytes.u32(at)?, target: bytes.u32(at + 4)? }))
    }

    /// Variables of a data section; nothing for another kind.
    pub(in crate::object) fn variables(
        &self,
    ) -> impl Iterator<Item = Result<Variable, ObjectError>> + '_ {
        self.entries(self.kind == Kind::DataSection, 12).map(|(bytes, at)| {
            Ok(Variable {
                id: bytes.u32(at)?,
                offset: bytes.u32(at + 4)?,
                size: bytes.u32(at + 8)?,
            })
        })
    }

    fn entries(&self, has: bool, each: usize) -> impl Iterator<Item = (Bytes<'_>, usize)> {
        let count = if has { self.count } else { 0 };
        let start = self.entries;
        self.bytes
            .into_iter()
            .flat_map(move |bytes| (0..count).map(move |n| (bytes, start + n * each)))
    }
}
