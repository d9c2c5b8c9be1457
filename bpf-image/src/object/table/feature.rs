//! What instructions ask of a kernel beyond helpers, maps and program types.

use bpf_image_spec::config::KernelVersion;

/// One ability of a kernel's BPF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::object) enum Feature {
    Subprogram,
    Jmp32,
    GlobalData,
    LargeProgram,
    KernelBtf,
    TailCallWithSubprograms,
    Atomics,
    Callback,
    Kfunc,
    CpuV4,
    MayGoto,
    AddressSpaceCast,
    LoadAcquire,
    IndirectJump,
}

impl Feature {
    /// First kernel that has it.
    pub(in crate::object) const fn since(self) -> KernelVersion {
        let (major, minor) = match self {
            Self::Subprogram => (4, 16),
            Self::Jmp32 => (5, 1),
            Self::GlobalData | Self::LargeProgram => (5, 2),
            Self::KernelBtf => (5, 4),
            Self::TailCallWithSubprograms => (5, 10),
            Self::Atomics => (5, 12),
            Self::Callback | Self::Kfunc => (5, 13),
            Self::CpuV4 => (6, 6),
            Self::MayGoto | Self::AddressSpaceCast => (6, 9),
            Self::LoadAcquire => (6, 15),
            Self::IndirectJump => (6, 19),
        };
        KernelVersion::new(major, minor)
    }

    /// How a person calls it.
    pub(in crate::object) const fn label(self) -> &'static str {
        match self {
            Self::Subprogram => "calls between BPF functions",
            Self::Jmp32 => "32-bit jumps (-mcpu=v3)",
            Self::GlobalData => "global variables",
            Self::LargeProgram => "more than 4096 instructions",
            Self::KernelBtf => "CO-RE (the kernel's BTF)",
            Self::TailCallWithSubprograms => "tail calls beside calls between BPF functions",
            Self::Atomics => "atomic operations beyond add (-mcpu=v3)",
            Self::Callback => "callback functions",
            Self::Kfunc => "calls of kernel functions",
            Self::CpuV4 => "instructions of -mcpu=v4",
            Self::MayGoto => "`may_goto`",
            Self::AddressSpaceCast => "arena address spaces",
            Self::LoadAcquire => "load-acquire and store-release",
            Self::IndirectJump => "indirect jumps",
        }
    }
}
