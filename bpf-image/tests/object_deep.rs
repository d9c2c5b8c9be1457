//! The reader of objects on externs, relocations, inner maps, source lines and types.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[path = "object/compile.rs"]
mod compile;

use bpf_image::object::{Instruction, Object, Target};
use bpf_image_spec::config::{
    ExternKind, LookupKind, MapSpec, MapType, ObjectSpec, ProgramSpec, Requires,
};
use compile::compile;

const BOTH: [&str; 2] = ["bpfel", "bpfeb"];

fn deep(target: &str) -> Option<Object> {
    let bytes = compile("tests/object/deep.bpf.c", target, &["-mcpu=v3"])?;
    Some(Object::read(bytes).unwrap())
}

fn program<'a>(object: &'a Object, name: &str) -> &'a ProgramSpec {
    object.spec().programs.iter().find(|p| p.name == name).unwrap()
}

fn map<'a>(object: &'a Object, name: &str) -> &'a MapSpec {
    object.spec().maps.iter().find(|m| m.name == name).unwrap()
}

fn relocations(spec: &ObjectSpec) -> Vec<String> {
    spec.btf.relocations.iter().flatten().map(ToString::to_string).collect()
}

#[test]
fn maps_with_inner_maps_extra_and_unknown_types() {
    for target in BOTH {
        let Some(object) = deep(target) else { return };
        let inner = map(&object, "holds").inner.clone().unwrap();
        assert_eq!((inner.map_type, inner.max_entries, inner.flags), (MapType::LruHash, 7, 2));
        assert_eq!((inner.key_size, inner.value_size), (8, 64));
        assert_eq!(inner.value_type.as_deref(), Some("struct deep"));
        let bloom = map(&object, "bloom");
        assert_eq!((bloom.extra, bloom.numa_node), (Some(5), Some(1)));
        assert_eq!(map(&object, "younger").map_type, MapType::Unknown(4711));
        assert_eq!(map(&object, "jumps").inner, None, "programs are no maps");
    }
}

#[test]
fn externs_with_kind_and_weakness() {
    for target in BOTH {
        let Some(object) = deep(target) else { return };
        let externs = object.spec().externs.as_ref().unwrap();
        let brief: Vec<_> = externs
            .iter()
            .map(|e| (e.name.as_str(), e.kind, e.weak, e.type_name.as_deref()))
            .collect();
        assert_eq!(
            brief,
            [
                ("CONFIG_BPF_JIT", ExternKind::Kconfig, true, Some("_Bool")),
                ("LINUX_KERNEL_VERSION", ExternKind::Kconfig, false, Some("int")),
                ("a_kernel_variable", ExternKind::Variable, false, None),
                ("bpf_a_kernel_function", ExternKind::Function, false, None),
                ("bpf_a_younger_function", ExternKind::Function, true, None),
            ]
        );
    }
}

#[test]
fn relocations_by_type_field_and_kind() {
    for target in BOTH {
        let Some(object) = deep(target) else { return };
        let spec = object.spec();
        assert_eq!(
            relocations(spec),
            [
                "enum attach_kind.ATTACH_LAST (enumval_value)",
                "struct mm_struct.start_code (byte_off)",
                "struct task_struct.comm[3] (byte_off)",
                "struct task_struct.mm (byte_off)",
                "struct task_struct___old (type_exists)",
                "struct task_struct___old.tgid (byte_off)",
                "struct task_struct___old.tgid (field_exists)",
            ]
        );
        assert!(spec.btf.core_relocations >= 7);
    }
}

#[test]
fn programs_with_stack_atomics_and_tail_calls() {
    for target in BOTH {
        let Some(object) = deep(target) else { return };
        let jumping = program(&object, "jumping");
        assert_eq!(jumping.tail_call_maps.as_deref(), Some(&["jumps".to_owned()][..]));
        assert_eq!(jumping.atomics.as_deref(), Some(&["cmpxchg".to_owned()][..]));
        assert_eq!((jumping.frags, jumping.stack), (Some(true), Some(36)), "4 and the callee's 32");
        let asking = program(&object, "asking");
        assert_eq!((asking.frags, asking.tail_call_maps.as_deref()), (Some(false), Some(&[][..])));
        assert_eq!(asking.atomics.as_deref(), Some(&[][..]));
    }
}

fn reasons(requires: &Requires, program: &str) -> Vec<String> {
    let line = |r: &bpf_image_spec::config::Reason| format!("{} {}", r.kernel, r.feature);
    requires.reasons_of(program).map(line).collect()
}

#[test]
fn each_program_has_its_own_reasons() {
    let Some(object) = deep("bpf") else { return };
    let requires = object.requires();
    let jumping = reasons(&requires, "jumping");
    assert!(jumping.contains(&"5.18 program section `xdp.frags`".to_owned()), "{jumping:?}");
    assert!(jumping.contains(&"5.16 map type `bloom_filter`".to_owned()), "{jumping:?}");
    let asking = reasons(&requires, "asking");
    assert!(!asking.iter().any(|reason| reason.contains("xdp.frags")), "{asking:?}");
    let filter = reasons(&requires, "filter");
    assert!(filter.contains(&"5.16 map type `bloom_filter`".to_owned()), "all maps are made");
    assert_eq!(requires.kernel_of("filter"), Some(requires.kernel), "a map type of the future");
    assert_eq!(requires.capabilities, ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"]);

    assert!(requires.kernel_btf);
    let lookups: Vec<_> =
        requires.lookups.iter().map(|l| (l.kind, l.name.as_str(), l.optional)).collect();
    assert_eq!(
        lookups,
        [
            (LookupKind::Kfunc, "bpf_a_kernel_function", false),
            (LookupKind::Kfunc, "bpf_a_younger_function", true),
            (LookupKind::Type, "attach_kind", false),
            (LookupKind::Type, "mm_struct", false),
            (LookupKind::Type, "task_struct", false),
            (LookupKind::Tracepoint, "sched_switch", false),
        ]
    );
}

#[test]
fn source_lines_of_each_program() {
    for target in BOTH {
        let Some(object) = deep(target) else { return };
        let lines = object.lines("jumping").unwrap();
        let first = lines.first().unwrap();
        assert_eq!(first.slot, 0);
        assert!(first.file.ends_with("deep.bpf.c"), "{}", first.file);
        assert_eq!(first.text, "SEC(\"xdp.frags\") int jumping(struct xdp_md *ctx)");
        assert!(lines.iter().any(|line| line.text.contains("bpf_tail_call") && line.line > 80));
        assert!(lines.is_sorted_by_key(|line| line.slot));
        assert_eq!(object.lines("ghost"), Ok(vec![]));
    }
}

fn targets(instructions: &[Instruction]) -> Vec<Target> {
    instructions.iter().filter_map(|insn| insn.target.clone()).collect()
}

#[test]
fn instructions_name_what_they_refer_to() {
    for target in BOTH {
        let Some(object) = deep(target) else { return };
        let jumping = object.instructions("jumping").unwrap().unwrap();
        let slots: u32 = jumping.iter().map(|insn| 1 + u32::from(insn.wide.is_some())).sum();
        assert_eq!(slots, program(&object, "jumping").instructions);
        let targets_of_jumping = targets(&jumping);
        for expected in [
            Target::Map("holds".to_owned()),
            Target::Helper("bpf_tail_call".to_owned()),
            Target::Function("deeper".to_owned()),
            Target::Global { name: "word".to_owned(), offset: 0 },
        ] {
            assert!(targets_of_jumping.contains(&expected), "{expected:?}: {targets_of_jumping:?}");
        }
        assert_eq!(jumping.last().map(|insn| insn.code), Some(0x95), "exit");
        let asking = targets(&object.instructions("asking").unwrap().unwrap());
        assert!(asking.contains(&Target::Extern("bpf_a_kernel_function".to_owned())), "{asking:?}");
        assert_eq!(object.instructions("ghost"), Ok(None));
    }
}

#[test]
fn types_as_c_writes_them() {
    for target in BOTH {
        let Some(object) = deep(target) else { return };
        let text = |name| object.btf_type(name).unwrap();
        assert_eq!(
            text("deep").unwrap(),
            "struct deep {\n\
             \tlong unsigned int flags: 3;\n\
             \tconst char *const *names;\n\
             \tint (*table[4])[8];\n\
             \tcallback_t callback;\n\
             \tunion {\n\
             \t\t__u32 word;\n\
             \t\tstruct {\n\
             \t\t\t__u16 low;\n\
             \t\t\t__u16 high;\n\
             \t\t};\n\
             \t};\n\
             };\n"
                .replace("long unsigned int", "unsigned long")
        );
        assert_eq!(
            text("callback_t").unwrap(),
            "typedef int (*callback_t)(const char *, struct deep *);\n"
        );
        assert_eq!(
            text("enum attach_kind").unwrap(),
            "enum attach_kind {\n\tATTACH_FIRST = 0,\n\tATTACH_LAST = 5,\n};\n"
        );
        assert_eq!(text("union deep"), None);
        assert_eq!(text("no such type"), None);
        assert_eq!(text(""), None);
        assert_eq!(text("deeper").unwrap(), "int deeper(struct xdp_md *ctx);\n");
    }
}
