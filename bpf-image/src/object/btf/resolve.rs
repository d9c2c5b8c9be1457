//! Walks through BTF references: sizes, spelled names, qualifiers.

use std::fmt::Write as _;

use super::{Btf, Kind, Type};
use crate::object::error::{ObjectError, Problem};

/// As the kernel: `MAX_RESOLVE_DEPTH`.
pub(super) const DEPTH_MAX: usize = 32;
/// A spelled type name longer than this is cut.
const NAME_MAX: usize = 256;

/// A type with typedefs and qualifiers taken off.
#[derive(Debug, Clone, Copy)]
pub(in crate::object) struct Bare<'a> {
    pub(in crate::object) id: u32,
    pub(in crate::object) of: Type<'a>,
    pub(in crate::object) is_const: bool,
    pub(in crate::object) is_volatile: bool,
}

impl<'a> Btf<'a> {
    /// Follows typedefs and qualifiers.
    pub(in crate::object) fn bare(&self, id: u32) -> Result<Bare<'a>, ObjectError> {
        let (mut is_const, mut is_volatile) = (false, false);
        let mut current = id;
        for _ in 0..DEPTH_MAX {
            let of = self.get(current)?;
            current = match of.kind {
                Kind::Const(target) => {
                    is_const = true;
                    target
                }
                Kind::Volatile(target) => {
                    is_volatile = true;
                    target
                }
                Kind::Typedef(target) | Kind::Restrict(target) | Kind::TypeTag(target) => target,
                _ => return Ok(Bare { id: current, of, is_const, is_volatile }),
            };
        }
        Err(self.error(id, Problem::TooDeep(id)))
    }

    /// Whether a variable of that type is `const volatile`; of an array, its elements are.
    pub(in crate::object) fn is_const_volatile(&self, id: u32) -> Result<bool, ObjectError> {
        let (mut is_const, mut is_volatile) = (false, false);
        let mut current = id;
        for _ in 0..DEPTH_MAX {
            let bare = self.bare(current)?;
            is_const |= bare.is_const;
            is_volatile |= bare.is_volatile;
            match bare.of.kind {
                Kind::Array { element, .. } => current = element,
                _ => return Ok(is_const && is_volatile),
            }
        }
        Err(self.error(id, Problem::TooDeep(id)))
    }

    /// Size of a value of that type in bytes.
    pub(in crate::object) fn size(&self, id: u32) -> Result<u32, ObjectError> {
        let mut factor = 1u32;
        let mut current = id;
        let too_big = || self.error(id, Problem::TooBig);
        for _ in 0..DEPTH_MAX {
            let bare = self.bare(current)?;
            let size = match bare.of.kind {
                Kind::Int { size, .. }
                | Kind::Struct { size }
                | Kind::Union { size }
                | Kind::Enum { size, .. }
                | Kind::Float { size } => size,
                Kind::Pointer(_) => 8,
                Kind::Array { element, count } => {
                    factor = factor.checked_mul(count).ok_or_else(too_big)?;
                    current = element;
                    continue;
                }
                _ => return Err(self.error(id, Problem::UnexpectedType(bare.id))),
            };
            return factor.checked_mul(size).ok_or_else(too_big);
        }
        Err(self.error(id, Problem::TooDeep(id)))
    }

    /// The type as C spells it, qualifiers left out: `__u32`, `struct flow`, `char[16]`.
    pub(in crate::object) fn spell(&self, id: u32) -> Result<String, ObjectError> {
        let mut suffix = String::new();
        let mut current = id;
        for _ in 0..DEPTH_MAX {
            let of = self.get(current)?;
            let named = |keyword: &str| -> Result<String, ObjectError> {
                let name = if of.name == 0 { "(anonymous)" } else { self.string(of.name)? };
                let name = name.chars().take(NAME_MAX).collect::<String>();
                Ok(if keyword.is_empty() { name } else { format!("{keyword} {name}") })
            };
            let base = match of.kind {
                Kind::Const(target)
                | Kind::Volatile(target)
                | Kind::Restrict(target)
                | Kind::TypeTag(target) => {
                    current = target;
                    continue;
                }
                Kind::Pointer(target) => {
                    suffix.insert(0, '*');
                    current = target;
                    continue;
                }
                Kind::Array { element, count } => {
                    let _ = write!(suffix, "[{count}]");
                    current = element;
                    continue;
                }
                Kind::Void => "void".to_owned(),
                Kind::Struct { .. } | Kind::Forward { union: false } => named("struct")?,
                Kind::Union { .. } | Kind::Forward { union: true } => named("union")?,
                Kind::Enum { .. } => named("enum")?,
                Kind::Prototype(_) => "function".to_owned(),
                Kind::Int { .. } | Kind::Float { .. } | Kind::Typedef(_) => named("")?,
                Kind::Function(_)
                | Kind::Variable { .. }
                | Kind::DataSection
                | Kind::DeclTag { .. } => {
                    return Err(self.error(id, Problem::UnexpectedType(current)));
                }
            };
            let space = if suffix.starts_with('*') { " " } else { "" };
            return Ok(format!("{base}{space}{suffix}"));
        }
        Err(self.error(id, Problem::TooDeep(id)))
    }
}
