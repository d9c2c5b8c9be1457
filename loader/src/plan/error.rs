//! Why what is wanted cannot be planned.

use bpf_image::object::{NormaliseError, SetError};
use bpf_image_spec::config::KernelVersion;

/// A wish that the object, or this kernel, cannot meet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The object has no program of that name.
    #[error("the image has no program `{program}`; it has {known}")]
    NoProgram {
        /// The name.
        program: String,
        /// Names it has.
        known: String,
    },
    /// The program's type attaches elsewhere.
    #[error(
        "program `{program}` is of type {program_type}, which does not attach at `{kind}`; it takes {right}"
    )]
    WrongKind {
        /// The program.
        program: String,
        /// Its type.
        program_type: String,
        /// The attach point's kind.
        kind: &'static str,
        /// A kind that fits.
        right: String,
    },
    /// Neither attach point nor section say which way.
    #[error("attach point `{point}` needs `direction=ingress` or `direction=egress`")]
    NoDirection {
        /// The attach point.
        point: String,
    },
    /// The same point twice.
    #[error("attach point `{point}` is given twice")]
    Repeated {
        /// The attach point.
        point: String,
    },
    /// Nothing would be attached.
    #[error("nothing says where to attach {programs}")]
    NoPoint {
        /// The programs.
        programs: String,
        /// What could be given.
        example: String,
    },
    /// A global set twice.
    #[error("global `{name}` is set twice")]
    RepeatedGlobal {
        /// The global.
        name: String,
    },
    /// A value that its global does not take.
    #[error(transparent)]
    Set(#[from] SetError),
    /// The object cannot be made ready for loading.
    #[error(transparent)]
    Normalise(#[from] NormaliseError),
    /// The object has no licence. aya would tell the kernel that it is GPL, which nobody said.
    #[error("the object has no license section")]
    NoLicense,
    /// The kernel is older than the attach point's kind.
    #[error("attach point `{point}` needs Linux {since}; this is {running}")]
    KernelLacks {
        /// The attach point.
        point: String,
        /// First kernel that has it.
        since: KernelVersion,
        /// The running kernel.
        running: KernelVersion,
        /// What works instead.
        instead: Option<&'static str>,
    },
}

impl PlanError {
    /// One hint.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPoint { example, .. } => Some(format!("add for example `--attach {example}`")),
            Self::KernelLacks { instead, .. } => instead.map(str::to_owned),
            Self::NoLicense => Some(
                "the author adds `char _license[] SEC(\"license\") = \"…\";` and builds it anew"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether the kernel is at fault rather than the command line: exit code 4, not 2.
    pub const fn kernel_cannot(&self) -> bool {
        matches!(self, Self::KernelLacks { .. } | Self::Normalise(_) | Self::NoLicense)
    }
}
