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
    /// `kind_flag`: members say the width of bit fields, an enumeration is signed.
    flag: bool,
    /// Whether values have 64 bits.
    wide: bool,
    bytes: Option<Bytes<'a>>,
}

/// `BTF_KIND_*` with what the fixed part of a type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::object) enum Kind {
    Void,
    Int {
        size: u32,
        signed: bool,
        character: bool,
        boolean: bool,
        plain: bool,
    },
    Pointer(u32),
    Array {
        element: u32,
        count: u32,
    },
    Struct {
        size: u32,
    },
    Union {
        size: u32,
    },
    Enum {
        size: u32,
        signed: bool,
    },
    Forward {
        union: bool,
    },
    Typedef(u32),
    Volatile(u32),
    Const(u32),
    Restrict(u32),
    Function(u32),
    /// With the type that it returns.
    Prototype(u32),
    Variable {
        target: u32,
        fixed: bool,
    },
    DataSection,
    Float {
        size: u32,
    },
    DeclTag {
        target: u32,
        component: Option<u32>,
    },
    TypeTag(u32),
}

/// A member of a structure or union.
#[derive(Debug, Clone, Copy)]
pub(in crate::object) struct Member {
    pub(in crate::object) name: u32,
    pub(in crate::object) target: u32,
    /// Width of a bit field; 0 for any other member.
    pub(in crate::object) bits: u32,
}

/// A parameter of a function prototype; the last one with neither name nor type is `...`.
#[derive(Debug, Clone, Copy)]
pub(in crate::object) struct Parameter {
    pub(in crate::object) name: u32,
    pub(in crate::object) target: u32,
}

/// A value of an enumeration, in the bits of a `u64`.
#[derive(Debug, Clone, Copy)]
pub(in crate::object) struct Value {
    pub(in crate::object) name: u32,
    pub(in crate::object) bits: u64,
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
            13 => Kind::Prototype(size_or_type),
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
        let (entries, wide) = (extra, number == 19);
        Ok(Type { name, kind, count, entries, flag, wide, bytes: Some(bytes) })
    }
}

impl Type<'_> {
    pub(super) const VOID: Self = Self {
        name: 0,
        kind: Kind::Void,
        count: 0,
        entries: 0,
        flag: false,
        wide: false,
        bytes: None,
    };

    /// How many members, values, parameters or variables it has.
    pub(in crate::object) fn len(&self) -> usize {
        self.count
    }

    /// Members of a structure or union; nothing for another kind.
    pub(in crate::object) fn members(
        &self,
    ) -> impl Iterator<Item = Result<Member, ObjectError>> + '_ {
        (0..self.count).map_while(|index| self.member(index).transpose())
    }

    /// One member of a structure or union.
    pub(in crate::object) fn member(&self, index: usize) -> Result<Option<Member>, ObjectError> {
        let has = matches!(self.kind, Kind::Struct { .. } | Kind::Union { .. });
        let Some((bytes, at)) = self.entry(has, 12, index) else { return Ok(None) };
        let bits = if self.flag { bytes.u32(at + 8)? >> 24 } else { 0 };
        Ok(Some(Member { name: bytes.u32(at)?, target: bytes.u32(at + 4)?, bits }))
    }

    /// One value of an enumeration.
    pub(in crate::object) fn value(&self, index: usize) -> Result<Option<Value>, ObjectError> {
        let Kind::Enum { signed, .. } = self.kind else { return Ok(None) };
        let each = if self.wide { 12 } else { 8 };
        let Some((bytes, at)) = self.entry(true, each, index) else { return Ok(None) };
        let low = bytes.u32(at + 4)?;
        let bits = if self.wide {
            u64::from(bytes.u32(at + 8)?) << 32 | u64::from(low)
        } else if signed {
            i64::from(low.cast_signed()).cast_unsigned()
        } else {
            u64::from(low)
        };
        Ok(Some(Value { name: bytes.u32(at)?, bits }))
    }

    /// Parameters of a function prototype; nothing for another kind.
    pub(in crate::object) fn parameters(
        &self,
    ) -> impl Iterator<Item = Result<Parameter, ObjectError>> + '_ {
        (0..self.count).map_while(|index| {
            let (bytes, at) = self.entry(matches!(self.kind, Kind::Prototype(_)), 8, index)?;
            let read = || Ok(Parameter { name: bytes.u32(at)?, target: bytes.u32(at + 4)? });
            Some(read())
        })
    }

    /// Variables of a data section; nothing for another kind.
    pub(in crate::object) fn variables(
        &self,
    ) -> impl Iterator<Item = Result<Variable, ObjectError>> + '_ {
        (0..self.count).map_while(|index| {
            let (bytes, at) = self.entry(self.kind == Kind::DataSection, 12, index)?;
            let read = || {
                Ok(Variable {
                    id: bytes.u32(at)?,
                    offset: bytes.u32(at + 4)?,
                    size: bytes.u32(at + 8)?,
                })
            };
            Some(read())
        })
    }

    fn entry(&self, has: bool, each: usize, index: usize) -> Option<(&Bytes<'_>, usize)> {
        let bytes = self.bytes.as_ref().filter(|_| has && index < self.count)?;
        Some((bytes, self.entries + index * each))
    }
}
