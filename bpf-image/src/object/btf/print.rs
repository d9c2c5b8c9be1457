//! Types as C writes them, for a person to read.

use std::fmt::Write as _;

use super::resolve::DEPTH_MAX;
use super::{Btf, Kind, Type};
use crate::object::error::{ObjectError, Problem};

/// Members, parameters and values that one answer may print; anonymous types nest, so what is
/// small as BTF may be huge as text.
const STEPS_MAX: usize = 100_000;

impl Btf<'_> {
    /// Every type, function and variable of that name in C; `struct NAME` gives the structure
    /// alone. `None` if there is none.
    pub(in crate::object) fn print_named(&self, name: &str) -> Result<Option<String>, ObjectError> {
        let (keyword, bare_name) = match name.split_once(' ') {
            Some((keyword @ ("struct" | "union" | "enum" | "typedef"), rest)) => (keyword, rest),
            _ => ("", name),
        };
        let mut printer = Printer { btf: self, steps: 0 };
        let (mut text, mut forward) = (String::new(), String::new());
        for (id, of) in self.iter() {
            let of = of?;
            let found = !bare_name.is_empty() && self.string(of.name)? == bare_name;
            if !found || !(keyword.is_empty() || keyword == keyword_of(of.kind)) {
                continue;
            }
            let out = match of.kind {
                Kind::Forward { .. } => &mut forward,
                Kind::DeclTag { .. } | Kind::TypeTag(_) => continue,
                _ => &mut text,
            };
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&printer.definition(id, &of)?);
            out.push('\n');
        }
        // A mere declaration says nothing beside the definition.
        let best = if text.is_empty() { forward } else { text };
        Ok(Some(best).filter(|text| !text.is_empty()))
    }
}

fn keyword_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Struct { .. } | Kind::Forward { union: false } => "struct",
        Kind::Union { .. } | Kind::Forward { union: true } => "union",
        Kind::Enum { .. } => "enum",
        Kind::Typedef(_) => "typedef",
        _ => "",
    }
}

struct Printer<'a> {
    btf: &'a Btf<'a>,
    steps: usize,
}

impl Printer<'_> {
    fn step(&mut self, id: u32, depth: usize) -> Result<(), ObjectError> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            let (count, max) = (self.steps as u64, STEPS_MAX as u64);
            return Err(ObjectError::TooMany { what: "members to print", count, max });
        }
        if depth > DEPTH_MAX {
            return Err(self.btf.error(id, Problem::TooDeep(id)));
        }
        Ok(())
    }

    fn definition(&mut self, id: u32, of: &Type<'_>) -> Result<String, ObjectError> {
        let name = self.btf.string(of.name)?;
        Ok(match of.kind {
            Kind::Struct { .. } | Kind::Union { .. } | Kind::Enum { .. } => {
                format!("{};", self.body(id, of, 0)?)
            }
            Kind::Forward { .. } => format!("{} {name};", keyword_of(of.kind)),
            Kind::Typedef(target) => {
                format!("typedef {};", self.declare(target, name.to_owned(), 0)?)
            }
            Kind::Function(target) | Kind::Variable { target, .. } => {
                format!("{};", self.declare(target, name.to_owned(), 0)?)
            }
            Kind::Int { size, signed, boolean, .. } => {
                let sign = if boolean {
                    "boolean"
                } else if signed {
                    "signed"
                } else {
                    "unsigned"
                };
                format!("{name} /* {sign}, {size} bytes */;")
            }
            Kind::Float { size } => format!("{name} /* floating point, {size} bytes */;"),
            Kind::DataSection => {
                let mut text = format!("/* section {name} */");
                for variable in of.variables() {
                    let variable = self.btf.get(variable?.id)?;
                    let name = self.btf.string(variable.name)?.to_owned();
                    let (Kind::Variable { target, .. } | Kind::Function(target)) = variable.kind
                    else {
                        return Err(self.btf.error(id, Problem::UnexpectedType(id)));
                    };
                    let _ = write!(text, "\n{};", self.declare(target, name, 0)?);
                }
                text
            }
            _ => format!("{};", self.declare(id, String::new(), 0)?),
        })
    }

    /// `keyword name { … }` of a structure, union or enumeration.
    fn body(&mut self, id: u32, of: &Type<'_>, depth: usize) -> Result<String, ObjectError> {
        let indent = "\t".repeat(depth + 1);
        let mut text = keyword_of(of.kind).to_owned();
        let name = self.btf.string(of.name)?;
        if !name.is_empty() {
            let _ = write!(text, " {name}");
        }
        text.push_str(" {\n");
        for index in 0..of.len() {
            self.step(id, depth)?;
            if let Some(value) = of.value(index)? {
                let name = self.btf.string(value.name)?;
                let _ = match of.kind {
                    Kind::Enum { signed: true, .. } => {
                        writeln!(text, "{indent}{name} = {},", value.bits.cast_signed())
                    }
                    _ => writeln!(text, "{indent}{name} = {},", value.bits),
                };
            } else if let Some(member) = of.member(index)? {
                let name = self.btf.string(member.name)?.to_owned();
                let declared = self.declare(member.target, name, depth + 1)?;
                let _ = match member.bits {
                    0 => writeln!(text, "{indent}{declared};"),
                    bits => writeln!(text, "{indent}{declared}: {bits};"),
                };
            }
        }
        text.push_str(&"\t".repeat(depth));
        text.push('}');
        Ok(text)
    }

    /// A declaration of `name` with the type `id`, built from the name outwards.
    fn declare(&mut self, id: u32, name: String, depth: usize) -> Result<String, ObjectError> {
        let (mut declarator, mut current) = (name, id);
        let mut qualifiers = String::new();
        for _ in 0..DEPTH_MAX {
            self.step(id, depth)?;
            let of = self.btf.get(current)?;
            match of.kind {
                Kind::Pointer(target) => {
                    declarator.insert(0, '*');
                    if self.binds_tighter(target)? {
                        declarator = format!("({declarator})");
                    }
                    current = target;
                }
                Kind::Array { element, count } => {
                    let _ = write!(declarator, "[{count}]");
                    current = element;
                }
                Kind::Prototype(returned) => {
                    declarator.push_str(&self.parameters(&of, depth)?);
                    current = returned;
                }
                Kind::Const(target) | Kind::Volatile(target) | Kind::Restrict(target) => {
                    let word = match of.kind {
                        Kind::Const(_) => "const",
                        Kind::Volatile(_) => "volatile",
                        _ => "restrict",
                    };
                    // A qualified pointer has the word after its star.
                    if self.is_pointer(target)? {
                        let space = if declarator.is_empty() { "" } else { " " };
                        declarator = format!("{word}{space}{declarator}");
                    } else {
                        let _ = write!(qualifiers, "{word} ");
                    }
                    current = target;
                }
                Kind::TypeTag(target) => current = target,
                _ => {
                    let base = self.base(current, &of, depth)?;
                    let space = if declarator.is_empty() { "" } else { " " };
                    return Ok(format!("{qualifiers}{base}{space}{declarator}"));
                }
            }
        }
        Err(self.btf.error(id, Problem::TooDeep(id)))
    }

    fn parameters(&mut self, of: &Type<'_>, depth: usize) -> Result<String, ObjectError> {
        let mut all = Vec::new();
        for parameter in of.parameters() {
            let parameter = parameter?;
            all.push(if parameter.target == 0 {
                "...".to_owned()
            } else {
                let name = self.btf.string(parameter.name)?.to_owned();
                self.declare(parameter.target, name, depth + 1)?
            });
        }
        Ok(if all.is_empty() { "(void)".to_owned() } else { format!("({})", all.join(", ")) })
    }

    /// What stands left of the declarator.
    fn base(&mut self, id: u32, of: &Type<'_>, depth: usize) -> Result<String, ObjectError> {
        let name = self.btf.string(of.name)?;
        Ok(match of.kind {
            Kind::Void => "void".to_owned(),
            Kind::Struct { .. } | Kind::Union { .. } | Kind::Enum { .. } if name.is_empty() => {
                self.body(id, of, depth)?
            }
            Kind::Struct { .. } | Kind::Union { .. } | Kind::Enum { .. } | Kind::Forward { .. } => {
                format!("{} {name}", keyword_of(of.kind))
            }
            Kind::Int { .. } | Kind::Float { .. } | Kind::Typedef(_) => name.to_owned(),
            _ => return Err(self.btf.error(id, Problem::UnexpectedType(id))),
        })
    }

    /// Whether `[]` or `()` would be taken before a star.
    fn binds_tighter(&self, id: u32) -> Result<bool, ObjectError> {
        let kind = self.unqualified(id)?;
        Ok(matches!(kind, Kind::Array { .. } | Kind::Prototype(_)))
    }

    fn is_pointer(&self, id: u32) -> Result<bool, ObjectError> {
        Ok(matches!(self.unqualified(id)?, Kind::Pointer(_)))
    }

    fn unqualified(&self, id: u32) -> Result<Kind, ObjectError> {
        let mut current = id;
        for _ in 0..DEPTH_MAX {
            match self.btf.get(current)?.kind {
                Kind::Const(target)
                | Kind::Volatile(target)
                | Kind::Restrict(target)
                | Kind::TypeTag(target) => current = target,
                kind => return Ok(kind),
            }
        }
        Err(self.btf.error(id, Problem::TooDeep(id)))
    }
}
