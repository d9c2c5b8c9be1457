//! What a compiled BPF object is, read from its bytes alone.
//!
//! [`Object::read`] is pure: the same bytes give the same [`ObjectSpec`] on every machine, and
//! bytes from anybody give an error in one line at worst, within bounded time and memory. What
//! follows from tables of kernel versions is apart, in [`Object::requires`].
//!
//! [`elf`] alone knows the ELF library; `btf` and `btf_ext` read type information; `section`
//! gives section names their meaning; `insn`, `program`, `map`, `global`, `external` and
//! `relocation` make the spec; `source` lists instructions and source lines for whoever asks.
//! [`encode_global`] and [`for_aya`] are the two things that a loader does with it.

mod btf;
mod btf_ext;
mod bytes;
mod elf;
mod error;
mod external;
mod global;
mod insn;
mod map;
mod normalise;
mod patch;
mod program;
mod relocation;
mod requires;
mod section;
mod sections;
mod set;
mod source;
mod table;

use std::collections::BTreeSet;

use bpf_image_spec::Digest;
use bpf_image_spec::config::{BtfSpec, ObjectSpec, Requires};

use self::btf::Btf;
use self::btf_ext::BtfExt;
use self::bytes::Bytes;
use self::elf::Elf;
use self::program::{Place, Program};
use self::table::feature::Feature;

pub use self::error::{MapProblem, ObjectError, Problem};
pub use self::normalise::{NormaliseError, for_aya};
pub use self::sections::SectionSize;
pub use self::set::{SetError, encode_global};
pub use self::source::{Instruction, SourceLine, Target};

/// Largest object that is read, in bytes; the largest real one seen has 2.25 MB.
pub const OBJECT_MAX: usize = 64 * 1024 * 1024;

/// A BPF object that was read in full.
#[derive(Debug)]
pub struct Object {
    bytes: Vec<u8>,
    spec: ObjectSpec,
    /// What else is known of each program, in the order of the spec.
    details: Vec<ProgramDetail>,
}

/// What loading a program takes and its spec does not hold.
#[derive(Debug)]
struct ProgramDetail {
    place: Place,
    /// Kernel variables, Kconfig values and kernel functions that are not called.
    externs: Vec<String>,
    /// What its instructions ask of a kernel.
    features: BTreeSet<Feature>,
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
        let programs = program::programs(&elf, &maps)?;
        let globals = global::globals(&elf, btf.as_ref())?;
        let called = programs.iter().flat_map(|program| &program.spec.kfuncs);
        let externs = external::externs(&elf, btf.as_ref(), called)?;
        let relocations = relocation::relocations(ext.as_ref(), btf.as_ref())?;
        let license = license(&elf)?;
        let (mut specs, mut details) = (Vec::new(), Vec::new());
        for Program { spec, place, features, externs } in programs {
            specs.push(spec);
            details.push(ProgramDetail { place, externs, features });
        }
        let spec = ObjectSpec {
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
            endianness: elf.endianness,
            license,
            programs: specs,
            maps: maps.specs,
            globals,
            externs: Some(externs),
            btf: BtfSpec {
                present: btf.is_some(),
                core_relocations: ext.map_or(0, |ext| ext.core_relocations()),
                relocations,
            },
        };
        Ok(Self { bytes, spec, details })
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
