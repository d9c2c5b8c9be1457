//! `check`: everything up to the kernel's door, and what this kernel has. Nothing is loaded, and
//! no bpf(2) call is made.

use std::path::Path;

use bpf_image::object::{self, Object};
use bpf_image::pipeline::CheckedObject;
use bpf_image_spec::config::{KernelVersion, ProgramSpec, ProgramType, Requires};

use super::Source;
use super::obtain::obtain;
use super::run::running_kernel;
use crate::error::LoaderError;
use crate::paths::Paths;
use crate::state::BlobStore;

/// What was found out about an image on this node.
#[derive(Debug)]
pub struct Checked {
    /// The image and its signers.
    pub checked: CheckedObject,
    /// The running kernel.
    pub kernel: KernelVersion,
    /// What the tables say the object needs.
    pub requires: Requires,
    /// Each requirement with its answer.
    pub requirements: Vec<Requirement>,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// What is needed.
    pub what: String,
    /// Whether this kernel has it.
    pub met: Answer,
    /// More about it.
    pub note: Option<String>,
}

/// Whether a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is.
    Yes,
    /// It is not; loading would fail.
    No,
    /// It would be for a program that is left out of the load.
    NotLoaded,
    /// By version it is not, and a distribution may have brought it to an older kernel.
    Unknown,
}

impl Checked {
    /// What is surely missing.
    pub fn missing(&self) -> Vec<String> {
        self.requirements
            .iter()
            .filter(|requirement| requirement.met == Answer::No)
            .map(|requirement| requirement.what.clone())
            .collect()
    }
}

/// Checks signature, object and kernel.
pub fn check(source: &Source, paths: &Paths) -> Result<Checked, LoaderError> {
    let checked = obtain(source, &BlobStore::new(&paths.state))?;
    let kernel = running_kernel();
    let requires = checked.object().requires();
    let mut requirements: Vec<Requirement> = requires
        .reasons
        .iter()
        .map(|reason| Requirement {
            what: format!("{} (Linux {})", reason.feature, reason.kernel),
            met: if reason.kernel <= kernel { Answer::Yes } else { Answer::Unknown },
            note: (reason.kernel > kernel)
                .then(|| format!("this is Linux {kernel}; a backport may have it")),
        })
        .collect();
    if requires.kernel_btf {
        let present = Path::new("/sys/kernel/btf/vmlinux").exists();
        requirements.push(Requirement {
            what: "BTF of the running kernel".to_owned(),
            met: if present { Answer::Yes } else { Answer::No },
            note: (!present).then(|| "/sys/kernel/btf/vmlinux is not there".to_owned()),
        });
    }
    requirements.extend(loadable(checked.object()));
    requirements.push(endianness(&checked));
    Ok(Checked { checked, kernel, requires, requirements })
}

/// Whether this version of the loader can attach and load the object's programs.
fn loadable(object: &Object) -> Vec<Requirement> {
    let programs = &object.spec().programs;
    let (can, cannot): (Vec<&ProgramSpec>, Vec<&ProgramSpec>) =
        programs.iter().partition(|program| is_attachable(program.program_type));
    let row = |program: &ProgramSpec, met, note: Option<&str>| Requirement {
        what: format!("attaching `{}` ({})", program.name, program.program_type),
        met,
        note: note.map(str::to_owned),
    };
    let mut all: Vec<_> = can.iter().map(|program| row(program, Answer::Yes, None)).collect();
    // Programs beside others are only loaded if they are attached.
    let other = if can.is_empty() { Answer::No } else { Answer::NotLoaded };
    let note = Some("this version of bpf-loader has no such attach point");
    all.extend(cannot.iter().map(|program| row(program, other, note)));
    let names: Vec<&str> = can.iter().map(|program| program.name.as_str()).collect();
    let taken = object::for_aya(object, &names);
    all.push(Requirement {
        what: "an object that this version can load".to_owned(),
        met: if taken.is_ok() { Answer::Yes } else { Answer::No },
        note: taken.err().map(|error| error.to_string()),
    });
    let licensed = object.spec().license.is_some();
    all.push(Requirement {
        what: "a license section".to_owned(),
        met: if licensed { Answer::Yes } else { Answer::No },
        note: (!licensed).then(|| "without one no licence is claimed".to_owned()),
    });
    all
}

/// Types that this version of the loader can attach.
const fn is_attachable(program_type: ProgramType) -> bool {
    matches!(
        program_type,
        ProgramType::Xdp
            | ProgramType::Tc
            | ProgramType::Tcx
            | ProgramType::Tracepoint
            | ProgramType::RawTracepoint
            | ProgramType::Uprobe
            | ProgramType::Uretprobe
            | ProgramType::CgroupSkb
    )
}

fn endianness(checked: &CheckedObject) -> Requirement {
    use bpf_image_spec::config::Endianness;
    let object = checked.object().spec().endianness;
    let host = if cfg!(target_endian = "big") { Endianness::Big } else { Endianness::Little };
    Requirement {
        what: "byte order of this machine".to_owned(),
        met: if object == host { Answer::Yes } else { Answer::No },
        note: (object != host).then(|| "the object is for the other byte order".to_owned()),
    }
}
