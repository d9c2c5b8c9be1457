//! What a compiled BPF object is, read from its bytes alone.
//!
//! [`Object::read`] is pure: the same bytes give the same [`ObjectSpec`] on every machine, and
//! bytes from anybody give an error in one line at worst, within bounded time and memory. What
//! follows from tables of kernel versions is apart, in [`Object::requires`].
//!
//! [`elf`] alone knows the ELF library; `btf` and `btf_ext` read type information; `section`
//! gives section names their meaning; `insn`, `program`, `map` and `global` make the spec.
//! [`encode_global`] and [`for_aya`] are the two things that a loader does with it.

mod btf;
mod btf_ext;
mod bytes;
mod elf;
mod error;
mod global;
mod insn;
mod map;
mod normalise;
mod patch;
mod program;
mod requires;
mod section;
mod sections;
mod set;
mod table;

use std::collections::BTreeSet;

use bpf_image_spec::Digest;
use bpf_image_spec::config::{BtfSpec, ObjectSpec, Requires};

use self::btf::Btf;
use self::btf_ext::BtfExt;
use self::bytes::Bytes;
use self::elf::Elf;
use self::table::feature::Feature;

pub use self::error::{MapProblem, ObjectError, Problem};
pub use self::normalise::{NormaliseError, for_aya};
pub use self::sections::SectionSize;
pub use self::set::{SetError, encode_global};

/// Largest object that is read, in bytes; the largest real one seen has 2.25 MB.
pub const OBJECT_MAX: usize = 64 * 1024 * 1024;

/// A BPF object that was read in full.
#[derive(Debug)]
pub struct Object {
    bytes: Vec<u8>,
    spec: ObjectSpec,
    /// What the instructions of all programs ask of a kernel.
    features: BTreeSet<Feature>,
    /// Whether the kernel's symbols are referred to, other than by calls.
    has_kernel_symbols: bool,
    /// Section of each program, and the externs that it uses; in the order of the spec.
    details: Vec<ProgramDetail>,
}

/// What loading a program takes and its spec does not hold.
#[derive(Debug)]
struct ProgramDetail {
    section: usize,
    externs: Vec<String>,
}

impl Object {
    /// Reads and checks an object.
    pub fn read(bytes: Vec<u8>) -> Result<Self, ObjectError> {
        if bytes.len() > OBJECT_MAX {
            return Err(ObjectError::TooLarge { size: bytes.len() as u64 });
        }
        let elf = Elf::read(&bytes)?;
        let btf = btf(&elf)?;
        let ext = btf_ext(&elf)?;
        let maps = map::maps(&elf, btf.as_ref())?;
        let programs = program::programs(&elf, &maps.places)?;
        let globals = global::globals(&elf, btf.as_ref())?;
        let kconfig = externs_of(btf.as_ref(), ".kconfig")?;
        let license = license(&elf)?;
        let spec = ObjectSpec {
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
            endianness: elf.endianness,
            license,
            programs: programs.iter().map(|program| program.spec.clone()).collect(),
            maps: maps.specs,
            globals,
            btf: BtfSpec {
                present: btf.is_some(),
                core_relocations: ext.map_or(0, |ext| ext.core_relocations()),
            },
        };
        let mut object = Self {
            spec,
            features: BTreeSet::new(),
            has_kernel_symbols: false,
            details: Vec::with_capacity(programs.len()),
            bytes: Vec::new(),
        };
        for program in programs {
            object.features.extend(program.features);
            object.has_kernel_symbols |= program.externs.iter().any(|name| !kconfig.contains(name));
            let detail = ProgramDetail { section: program.section, externs: program.externs };
            object.details.push(detail);
        }
        object.bytes = bytes;
        Ok(object)
    }

    /// The file, byte for byte as it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it is.
    pub fn spec(&self) -> &ObjectSpec {
        &self.spec
    }

    /// What a kernel must have for all of its programs: advice, by this version's tables.
    pub fn requires(&self) -> Requires {
        requires::requires(self)
    }
}

fn btf<'a>(elf: &Elf<'a>) -> Result<Option<Btf<'a>>, ObjectError> {
    let found = elf.section_named(".BTF");
    found.map(|(_, of)| Btf::read(Bytes::new(of.data, elf.endianness, of.name))).transpose()
}

fn btf_ext<'a>(elf: &Elf<'a>) -> Result<Option<BtfExt<'a>>, ObjectError> {
    let found = elf.section_named(".BTF.ext");
    found.map(|(_, of)| BtfExt::read(Bytes::new(of.data, elf.endianness, of.name))).transpose()
}

/// Names of the variables in a BTF data section of externs.
fn externs_of(btf: Option<&Btf<'_>>, section: &str) -> Result<BTreeSet<String>, ObjectError> {
    let mut names = BTreeSet::new();
    let Some(btf) = btf else { return Ok(names) };
    for (_, of) in btf.iter() {
        let of = of?;
        if of.kind == btf::Kind::DataSection && btf.string(of.name)? == section {
            for variable in of.variables() {
                names.insert(btf.string(btf.get(variable?.id)?.name)?.to_owned());
            }
        }
    }
    Ok(names)
}

/// The text of the `license` section up to its NUL; libbpf takes 63 bytes of it.
fn license(elf: &Elf<'_>) -> Result<Option<String>, ObjectError> {
    const LICENSE_MAX: usize = 63;
    let Some((_, section)) = elf.section_named("license") else { return Ok(None) };
    let bad = || ObjectError::malformed(section.name, 0u64, Problem::Name);
    let end = section.data.iter().take(LICENSE_MAX + 1).position(|byte| *byte == 0);
    let text = section.data.get(..end.ok_or_else(bad)?).ok_or_else(bad)?;
    let text = std::str::from_utf8(text).ok().filter(|text| bytes::is_printable(text));
    Ok(Some(text.ok_or_else(bad)?.to_owned()))
}
