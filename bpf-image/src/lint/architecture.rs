//! What ties an object to one CPU: registers of the traced program, and names of its system calls.
//!
//! ELF for BPF has no architecture. `struct pt_regs` has: a program that reads a register reads it
//! at an offset, or under a name, that only one architecture has.

use std::collections::BTreeSet;

use bpf_image_spec::config::{CoreKind, CoreRelocation, ProgramSpec, ProgramType};

use super::{Code, Context, Finding, Severity};
use crate::object::{Instruction, Object, ObjectError};

/// Structures of saved registers, one name or another on each architecture.
const REGISTERS: [&str; 3] = ["pt_regs", "user_pt_regs", "user_regs_struct"];

pub(super) fn findings(
    object: &Object,
    context: &Context,
    all: &mut Vec<Finding>,
) -> Result<(), ObjectError> {
    let mut reasons = Vec::new();
    let relocations = object.spec().btf.relocations.iter().flatten();
    reasons.extend(
        relocations.filter(|of| names_a_register(of)).map(|of| format!("CO-RE asks for `{of}`")),
    );
    for program in &object.spec().programs {
        if let Some(reason) = tied(object, program)? {
            reasons.push(format!("program `{}` {reason}", program.name));
        }
    }
    let Some(first) = reasons.first() else { return Ok(()) };
    let more = match reasons.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    match context.platforms.as_slice() {
        [_] => {}
        [] => {
            let message =
                format!("made for one architecture, and nothing says for which: {first}{more}");
            let fix = "say it with `build --platform linux/ARCH=OBJECT`, one object for each architecture";
            all.push(Finding::new(Severity::Warning, Code::NoPlatform, message, fix));
        }
        several => {
            let message = format!(
                "made for one architecture, and given for {}: {first}{more}",
                several.join(", ")
            );
            let fix = "compile it with -D__TARGET_ARCH_… for each architecture, and \
                       `build --platform linux/ARCH=OBJECT` for each";
            all.push(Finding::new(Severity::Error, Code::WrongPlatform, message, fix));
        }
    }
    Ok(())
}

/// Why one program is tied to an architecture.
fn tied(object: &Object, program: &ProgramSpec) -> Result<Option<String>, ObjectError> {
    if let Some(target) = system_call(program) {
        return Ok(Some(format!("attaches to `{target}`, a name of one architecture")));
    }
    if !gets_registers(program.program_type) {
        return Ok(None);
    }
    let instructions = object.instructions(&program.name)?.unwrap_or_default();
    let slot = reads_context(&instructions);
    Ok(slot
        .map(|slot| format!("reads registers of the traced code at offsets (instruction {slot})")))
}

/// The name of a field is an architecture's; whether a field exists may be asked anywhere.
fn names_a_register(of: &CoreRelocation) -> bool {
    REGISTERS.contains(&of.kernel_name()) && of.field.is_some() && of.kind != CoreKind::FieldExists
}

/// Whether the context is, or begins with, `struct pt_regs`.
fn gets_registers(program_type: ProgramType) -> bool {
    matches!(
        program_type,
        ProgramType::Kprobe
            | ProgramType::Kretprobe
            | ProgramType::Uprobe
            | ProgramType::Uretprobe
            | ProgramType::PerfEvent
    )
}

/// The first instruction that reads the context, or makes the address of one of its fields.
///
/// Followed from top to bottom, branches left out: compilers keep the context in one register, or
/// in one slot of the stack.
fn reads_context(instructions: &[Instruction]) -> Option<u32> {
    let mut registers = BTreeSet::from([1u8]);
    let mut slots = BTreeSet::new();
    for of in instructions {
        let from_stack = of.src == FRAME && slots.contains(&of.offset);
        match of.code {
            MOVE if of.offset == 0 && registers.contains(&of.src) => {
                registers.insert(of.dst);
            }
            ADD_CONSTANT if registers.contains(&of.dst) && of.imm != 0 => return Some(of.slot),
            STORE_WORD if of.dst == FRAME && registers.contains(&of.src) => {
                slots.insert(of.offset);
            }
            LOAD_WORD if from_stack => {
                registers.insert(of.dst);
            }
            code if code & 0x07 == LOAD && registers.contains(&of.src) => return Some(of.slot),
            CALL => registers.retain(|register| *register > 5),
            // Loads and arithmetic write their destination; stores and jumps do not.
            code if matches!(code & 0x07, 0x0 | LOAD | 0x4 | 0x7) => {
                registers.remove(&of.dst);
            }
            _ => {}
        }
    }
    None
}

const FRAME: u8 = 10;
const LOAD: u8 = 0x1;
const MOVE: u8 = 0xbf;
const ADD_CONSTANT: u8 = 0x07;
const STORE_WORD: u8 = 0x7b;
const LOAD_WORD: u8 = 0x79;
const CALL: u8 = 0x85;

/// Entry points of system calls carry the architecture's name (`ARCH_HAS_SYSCALL_WRAPPER`).
fn system_call(program: &ProgramSpec) -> Option<&str> {
    const PREFIXES: [&str; 6] =
        ["__x64_sys_", "__ia32_sys_", "__arm64_sys_", "__s390x_sys_", "__riscv_sys_", "__se_sys_"];
    let traces = matches!(
        program.program_type,
        ProgramType::Kprobe
            | ProgramType::Kretprobe
            | ProgramType::Fentry
            | ProgramType::Fexit
            | ProgramType::FmodRet
    );
    let target = program.attach_target.as_deref().filter(|_| traces)?;
    PREFIXES.iter().any(|prefix| target.starts_with(prefix)).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_at(code: &[(u8, u8, u8, i16, i32)]) -> Option<u32> {
        let instruction = |(slot, (code, dst, src, offset, imm))| Instruction {
            slot,
            code,
            dst,
            src,
            offset,
            imm,
            wide: None,
            target: None,
        };
        reads_context(&(0..).zip(code.iter().copied()).map(instruction).collect::<Vec<_>>())
    }

    #[test]
    fn context_is_followed_through_registers_and_the_stack() {
        let copy = (MOVE, 6, 1, 0, 0);
        let call = (CALL, 0, 0, 0, 1);
        let load = (LOAD_WORD, 2, 6, 112, 0);
        assert_eq!(read_at(&[copy, call, load]), Some(2));
        assert_eq!(read_at(&[copy, (0xb7, 6, 0, 0, 0), load]), None, "overwritten");
        let spill = (STORE_WORD, FRAME, 1, -8, 0);
        let fill = (LOAD_WORD, 6, FRAME, -8, 0);
        assert_eq!(read_at(&[spill, call, fill, load]), Some(3));
        assert_eq!(read_at(&[(ADD_CONSTANT, 1, 0, 0, 112)]), Some(0), "address of a field");
        assert_eq!(read_at(&[call, (LOAD_WORD, 2, 1, 0, 0)]), None, "gone with the call");
        assert_eq!(read_at(&[(LOAD_WORD, 2, 3, 0, 0), (0x95, 0, 0, 0, 0)]), None);
    }
}
