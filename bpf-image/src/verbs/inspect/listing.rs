//! Instructions of programs as text, each with the source line it was made from.

use schemars::JsonSchema;
use serde::Serialize;

use crate::disasm::{Fields, Instruction, Known};
use crate::object::{self, Object, ObjectError, Target};

/// One program's instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// The program.
    pub program: String,
    /// Its instructions, in order.
    pub lines: Vec<Line>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Its number in the function, counted in slots of 8 bytes; jumps name it.
    pub number: u32,
    /// The instruction.
    pub text: String,
    /// The source line, at the first instruction that was made from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// A source line as `.BTF.ext` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Name of the file.
    pub file: String,
    /// Number of the line.
    pub line: u32,
    /// Its text.
    pub text: String,
}

/// The listings of the named programs.
pub(super) fn listings<'a>(
    object: &Object,
    programs: impl Iterator<Item = &'a str>,
) -> Result<Vec<Listing>, ObjectError> {
    programs.map(|program| listing(object, program)).collect()
}

fn listing(object: &Object, program: &str) -> Result<Listing, ObjectError> {
    let mut sources = object.lines(program)?.into_iter().peekable();
    let mut lines = Vec::new();
    let mut shown = None;
    for instruction in object.instructions(program)?.unwrap_or_default() {
        let mut here = None;
        while let Some(line) = sources.next_if(|line| line.slot <= instruction.slot) {
            here = Some(Source { file: line.file, line: line.line, text: line.text });
        }
        // Code of no line, and lines that the compiler did not keep.
        let here = here.filter(|source| source.line > 0 && !source.text.trim().is_empty());
        // Records differ in their columns, too, which nobody reads.
        let source = here.filter(|source| Some(source) != shown.as_ref());
        if source.is_some() {
            shown.clone_from(&source);
        }
        let text = text(&instruction);
        lines.push(Line { number: instruction.slot, text, source });
    }
    Ok(Listing { program: program.to_owned(), lines })
}

fn text(of: &object::Instruction) -> String {
    let name = of.target.as_ref().map(name);
    let fields = Fields { code: of.code, dst: of.dst, src: of.src, off: of.offset, imm: of.imm };
    let known = Known { number: i64::from(of.slot), wide: of.wide, name: name.as_deref() };
    Instruction { fields, known }.to_string()
}

fn name(target: &Target) -> String {
    match target {
        Target::Helper(name) | Target::Extern(name) | Target::Function(name) => name.clone(),
        Target::Map(name) => format!("map[{name}]"),
        Target::Global { name, offset: 0 } => format!("&{name}"),
        Target::Global { name, offset } => format!("&{name} + {offset}"),
    }
}
