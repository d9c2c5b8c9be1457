//! Why bytes are not a BPF object that this version can read: file section, offset and problem.

use std::fmt;

/// An object that cannot be read. Every message is one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// Larger than [`super::OBJECT_MAX`].
    #[error("object has {size} bytes, more than the {max} accepted", max = super::OBJECT_MAX)]
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// Not an ELF file at all.
    #[error("not an ELF file: it does not start with the bytes 7f 45 4c 46")]
    NotElf,
    /// A structure of the ELF file is broken.
    #[error("broken ELF file: {reason}")]
    Elf {
        /// What it is, in the words of the ELF reader.
        reason: String,
    },
    /// 32-bit ELF, which BPF never is.
    #[error("32-bit ELF file; BPF objects are 64-bit")]
    Class32,
    /// An ELF file for a CPU.
    #[error("ELF file for machine {machine}, not for BPF (247)")]
    NotBpf {
        /// `e_machine`.
        machine: u16,
    },
    /// Linked: an executable or a shared library.
    #[error("ELF file of type {kind}, not a relocatable object (1)")]
    NotRelocatable {
        /// `e_type`.
        kind: u16,
    },
    /// More of something than any real object has.
    #[error("object has {count} {what}, more than the {max} accepted")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// How many are accepted.
        max: u64,
    },
    /// Something inside a section is broken.
    #[error("section {section} at offset {offset:#x}: {problem}")]
    Malformed {
        /// Name of the section, or its number.
        section: String,
        /// Offset in bytes from the start of the section.
        offset: u64,
        /// What is wrong there.
        problem: Problem,
    },
    /// Two programs or two maps by one name: nobody could say which one is meant.
    #[error("object has two {what} named `{name}`")]
    Duplicate {
        /// `programs` or `maps`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A section that one loader takes for maps and another for none.
    #[error("section {section} holds maps to some loaders only; name it `.maps`")]
    MapSection {
        /// Name of the section.
        section: String,
    },
    /// A map definition that means nothing.
    #[error("map `{map}`: {problem}")]
    Map {
        /// Name of the map.
        map: String,
        /// What is wrong with its definition.
        problem: MapProblem,
    },
}

impl ObjectError {
    pub(super) fn malformed(section: &str, offset: impl TryInto<u64>, problem: Problem) -> Self {
        let offset = offset.try_into().unwrap_or(u64::MAX);
        Self::Malformed { section: section.to_owned(), offset, problem }
    }
}

/// What is wrong at a place of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The section ends in the middle of something.
    Truncated,
    /// An offset or a size points outside.
    OutOfBounds,
    /// An offset or a size is not a multiple of what it must be.
    Misaligned,
    /// Not BTF's magic number.
    Magic(u16),
    /// A version that this reader does not know.
    Version(u8),
    /// A kind of BTF type that this reader does not know, so that it cannot skip it.
    Kind(u8),
    /// A BTF type id that is not there.
    NoSuchType(u32),
    /// A BTF type of a kind that has no place here.
    UnexpectedType(u32),
    /// BTF types refer to each other deeper than the kernel accepts, or in a circle.
    TooDeep(u32),
    /// A size beyond 32 bits.
    TooBig,
    /// A name that is not printable UTF-8.
    Name,
    /// A relocation against a symbol that is not there.
    NoSuchSymbol(u32),
    /// A section index that is not there.
    NoSuchSection(u64),
    /// An opcode that uses two slots without its second.
    HalfInstruction,
    /// A call that leads to no function.
    CallNowhere,
    /// A section of data that is marked as one of instructions.
    ExecutableData,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("ends too early"),
            Self::OutOfBounds => f.write_str("points outside"),
            Self::Misaligned => f.write_str("is not aligned"),
            Self::Magic(magic) => write!(f, "magic number {magic:#06x} instead of 0xeb9f"),
            Self::Version(version) => write!(f, "unknown version {version}"),
            Self::Kind(kind) => write!(f, "unknown kind {kind} of BTF type"),
            Self::NoSuchType(id) => write!(f, "no BTF type {id}"),
            Self::UnexpectedType(id) => write!(f, "BTF type {id} cannot stand here"),
            Self::TooDeep(id) => write!(f, "BTF type {id} is nested too deeply, or in a circle"),
            Self::TooBig => f.write_str("size does not fit 32 bits"),
            Self::Name => f.write_str("name is not printable UTF-8"),
            Self::NoSuchSymbol(index) => write!(f, "no symbol {index}"),
            Self::NoSuchSection(index) => write!(f, "no section {index}"),
            Self::HalfInstruction => f.write_str("second half of a 16-byte instruction is missing"),
            Self::CallNowhere => f.write_str("call leads to no function"),
            Self::ExecutableData => f.write_str("data marked as instructions"),
        }
    }
}

/// What is wrong with a map's definition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MapProblem {
    /// No `type` field.
    NoType,
    /// A field that is not what the macros of `bpf_helpers.h` make.
    Field(&'static str),
    /// `key_size` or `value_size` beside a type of another size.
    SizeConflict(&'static str),
    /// An unknown way of pinning.
    Pinning(u32),
    /// Not a structure.
    NotAStruct,
    /// No symbol, or not inside its section.
    NoSymbol,
    /// A legacy definition that ends within a field, or before the fields that all have.
    Size(u64),
    /// A function or something unnamed among legacy definitions.
    NotData,
}

impl fmt::Display for MapProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoType => f.write_str("definition has no type"),
            Self::Field(name) => write!(f, "field `{name}` is not written as libbpf's macros do"),
            Self::SizeConflict(name) => write!(f, "`{name}` differs from the size of its type"),
            Self::Pinning(number) => write!(f, "unknown pinning {number}"),
            Self::NotAStruct => f.write_str("definition is not a structure"),
            Self::NoSymbol => f.write_str("no symbol inside the section"),
            Self::Size(size) => {
                write!(f, "definition has {size} bytes; 20, 24, 28 or more are known")
            }
            Self::NotData => f.write_str("not the symbol of a definition"),
        }
    }
}
