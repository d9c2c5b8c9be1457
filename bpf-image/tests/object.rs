//! The reader of objects on what clang makes, and on broken variants of it.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[path = "object/compile.rs"]
mod compile;

use bpf_image::object::{NormaliseError, Object, ObjectError, SetError, encode_global, for_aya};
use bpf_image_spec::config::{
    Encoding, Endianness, GlobalSpec, MapSpec, MapType, Pinning, ProgramSpec,
};
use compile::{compile, stripped};

fn everything(target: &str, options: &[&str]) -> Option<Object> {
    let bytes = compile("tests/object/everything.bpf.c", target, options)?;
    Some(Object::read(bytes).unwrap())
}

fn program<'a>(object: &'a Object, name: &str) -> &'a ProgramSpec {
    object.spec().programs.iter().find(|p| p.name == name).unwrap()
}

fn map<'a>(object: &'a Object, name: &str) -> &'a MapSpec {
    object.spec().maps.iter().find(|m| m.name == name).unwrap()
}

fn global<'a>(object: &'a Object, name: &str) -> &'a GlobalSpec {
    object.spec().globals.iter().find(|g| g.name == name).unwrap()
}

#[test]
fn programs_with_everything_that_they_call() {
    let Some(object) = everything("bpf", &["-mcpu=v3"]) else { return };
    let names: Vec<_> = object.spec().programs.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["classify", "first", "loops", "many", "second", "sleeps"]);

    let first = program(&object, "first");
    assert_eq!(first.helpers, ["bpf_get_smp_processor_id", "bpf_map_lookup_elem"]);
    assert_eq!(first.maps, ["flows"], "through a static function that a global one calls");

    let loops = program(&object, "loops");
    assert_eq!(loops.helpers, ["bpf_ktime_get_ns", "bpf_loop"], "the callback's too");
    assert_eq!(loops.attach_target.as_deref(), Some("sched/sched_switch"));

    let many = program(&object, "many");
    assert_eq!(
        (many.section.as_str(), many.program_type.label()),
        ("?kprobe.multi/vfs_*", "kprobe")
    );
    assert_eq!(many.maps, ["events"], "and not the constant");

    let sleeps = program(&object, "sleeps");
    assert!(sleeps.sleepable);
    assert_eq!(sleeps.kfuncs, ["bpf_a_kernel_function"]);
    assert_eq!(program(&object, "second").maps, ["jumps"]);
    assert_eq!(object.spec().license.as_deref(), Some("Dual BSD/GPL"));
    assert!(object.spec().btf.core_relocations > 0);
}

#[test]
fn maps_with_their_shapes() {
    let Some(object) = everything("bpf", &["-mcpu=v3"]) else { return };
    let flows = map(&object, "flows");
    assert_eq!((flows.map_type, flows.key_size, flows.value_size), (MapType::Hash, 8, 8));
    assert_eq!((flows.max_entries, flows.flags, flows.pinning), (1024, 1, Pinning::ByName));
    assert_eq!(flows.key_type.as_deref(), Some("struct flow"));
    assert_eq!(flows.value_type.as_deref(), Some("__u64"));
    let inner = map(&object, "inner");
    assert_eq!((inner.value_size, inner.value_type.as_deref()), (12, Some("__u8[12]")));
    let outer = map(&object, "outer");
    assert_eq!((outer.map_type, outer.key_size, outer.value_size), (MapType::ArrayOfMaps, 4, 4));
    assert_eq!(map(&object, "events").max_entries, 0);
    assert_eq!(object.spec().maps.len(), 5);
}

#[test]
fn globals_of_both_byte_orders() {
    for (target, endianness, port, encoded) in [
        ("bpfel", Endianness::Little, "901f", [0xfe, 0xff, 0xff, 0xff]),
        ("bpfeb", Endianness::Big, "1f90", [0xff, 0xff, 0xff, 0xfe]),
    ] {
        let Some(object) = everything(target, &["-mcpu=v2"]) else { return };
        assert_eq!(object.spec().endianness, endianness);
        let found = global(&object, "port");
        assert_eq!((found.section.as_str(), found.size, found.tunable), (".rodata", 2, true));
        assert_eq!(found.default.as_deref(), Some(port));
        assert_eq!(found.type_name.as_deref(), Some("__u16"));
        assert_eq!(global(&object, "on").encoding, Some(Encoding::Bool));
        assert_eq!(global(&object, "name").type_name.as_deref(), Some("char[16]"));
        assert_eq!(global(&object, "level").type_name.as_deref(), Some("enum level"));
        assert!(global(&object, "name").tunable && global(&object, "limit").tunable);
        for fixed in ["constant", "counter", "initialised"] {
            assert!(!global(&object, fixed).tunable, "{fixed}");
        }
        assert_eq!(encode_global(object.spec(), "offset", "-2").as_deref(), Ok(&encoded[..]));
        let helpers = &program(&object, "first").helpers;
        assert_eq!(helpers.as_slice(), ["bpf_get_smp_processor_id", "bpf_map_lookup_elem"]);
    }
}

#[test]
fn every_instruction_set_reads_alike() {
    let Some(newest) = everything("bpf", &["-mcpu=v3"]) else { return };
    for cpu in ["-mcpu=v1", "-mcpu=v2"] {
        let Some(object) = everything("bpf", &[cpu]) else { return };
        assert_eq!(object.spec().maps, newest.spec().maps);
        assert_eq!(object.spec().globals, newest.spec().globals);
        for (old, new) in object.spec().programs.iter().zip(&newest.spec().programs) {
            assert_eq!((&old.helpers, &old.maps), (&new.helpers, &new.maps), "{}", old.name);
        }
    }
    let reasons: Vec<_> = newest.requires().reasons.into_iter().map(|r| r.feature).collect();
    assert!(reasons.contains(&"helper `bpf_loop`".to_owned()), "{reasons:?}");
    assert!(reasons.iter().any(|r| r.contains("32-bit jumps")), "{reasons:?}");
    assert_eq!(newest.requires().kernel.to_string(), "5.18", "kprobe.multi");
    assert!(newest.requires().kernel_btf);
}

#[test]
fn decl_tags_choose_the_tunables() {
    let Some(bytes) = compile("tests/object/tagged.bpf.c", "bpf", &[]) else { return };
    let object = Object::read(bytes).unwrap();
    assert!(!global(&object, "untagged").tunable);
    assert!(global(&object, "tagged").tunable && global(&object, "in_data").tunable);
    assert_eq!(object.spec().license, None);
    assert_eq!(
        encode_global(object.spec(), "untagged", "1"),
        Err(SetError::NotTunable {
            name: "untagged".to_owned(),
            tunable: vec!["in_data".to_owned(), "tagged".to_owned()],
        })
    );
    let normal = Object::read(for_aya(&object, &["only"]).unwrap()).unwrap();
    assert_eq!(program(&normal, "only").section, "xdp");
}

#[test]
fn renamed_sections_keep_everything_else() {
    let Some(object) = everything("bpf", &["-mcpu=v3"]) else { return };
    let normal = Object::read(for_aya(&object, &["classify", "first", "loops"]).unwrap()).unwrap();
    let names: Vec<_> = normal.spec().programs.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["classify", "first", "loops", "second"], "the unwanted are out of sight");
    assert_eq!(program(&normal, "classify").section, "classifier");
    for name in names {
        let (mut old, new) = (program(&object, name).clone(), program(&normal, name));
        old.section.clone_from(&new.section);
        assert_eq!(old, *new);
    }
    assert_eq!(normal.spec().maps, object.spec().maps);
    assert_eq!(normal.spec().globals, object.spec().globals);
    assert_eq!(
        normal.spec().btf.core_relocations,
        object.spec().btf.core_relocations,
        "they follow the new name"
    );
}

#[test]
fn what_aya_cannot_load_is_named() {
    let Some(object) = everything("bpf", &[]) else { return };
    assert_eq!(
        for_aya(&object, &["many"]),
        Err(NormaliseError::NotLoadable {
            program: "many".to_owned(),
            section: "?kprobe.multi/vfs_*".to_owned(),
        })
    );
    assert_eq!(
        for_aya(&object, &["sleeps"]),
        Err(NormaliseError::Extern {
            program: "sleeps".to_owned(),
            symbol: "bpf_a_kernel_function".to_owned(),
        })
    );
    let ghost = NormaliseError::NoSuchProgram { program: "ghost".to_owned() };
    assert_eq!(for_aya(&object, &["ghost"]), Err(ghost));
}

#[test]
fn stripped_object_says_the_same() {
    let Some(object) = everything("bpf", &[]) else { return };
    let Some(stripped) = stripped(object.bytes()) else { return };
    let stripped = Object::read(stripped).unwrap();
    assert!(stripped.spec().size < object.spec().size);
    assert_eq!(stripped.spec().programs, object.spec().programs);
    assert_eq!(stripped.spec().maps, object.spec().maps);
    assert_eq!(stripped.spec().globals, object.spec().globals);
}

#[test]
fn random_bytes_are_no_object() {
    assert_eq!(Object::read(vec![]).unwrap_err(), ObjectError::NotElf);
    assert_eq!(Object::read(vec![0x5a; 4096]).unwrap_err(), ObjectError::NotElf);
    let executable = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let error = Object::read(executable.get(..1024).unwrap().to_vec()).unwrap_err();
    assert!(matches!(error, ObjectError::NotBpf { .. }), "{error}");
}

#[test]
fn object_over_the_limit_is_refused_unread() {
    let error = Object::read(vec![0; bpf_image::object::OBJECT_MAX + 1]).unwrap_err();
    assert!(matches!(error, ObjectError::TooLarge { .. }));
}

/// `SplitMix64`: the same mutations on every run, so that a failure is one to repeat.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
}

fn mutated(original: &[u8], random: &mut Random) -> Vec<u8> {
    const WORDS: [u32; 8] = [0, 1, 8, 0x7f, 0xffff, 0x7fff_ffff, 0xffff_fff8, 0xffff_ffff];
    let mut bytes = original.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at.max(1)),
            1..=3 => {
                let word = WORDS[random.below(WORDS.len())].to_le_bytes();
                let end = (at + 4).min(bytes.len());
                bytes[at..end].copy_from_slice(&word[..end - at]);
            }
            4 => {
                // Section headers are small and everything hangs on them.
                let at = bytes.len().saturating_sub(1 + random.below(64 * 24));
                bytes[at] = u8::try_from(random.below(256)).unwrap();
            }
            _ => bytes[at] ^= 1 << random.below(8),
        }
    }
    bytes
}

#[test]
fn broken_objects_give_errors_of_one_line() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let rounds = number("BPF_IMAGE_FUZZ_ROUNDS").unwrap_or(2_500);
    let seed = number("BPF_IMAGE_FUZZ_SEED").unwrap_or(7);
    for (source, target) in [
        ("tests/object/everything.bpf.c", "bpfel"),
        ("tests/object/everything.bpf.c", "bpfeb"),
        ("tests/object/deep.bpf.c", "bpfel"),
        ("tests/object/deep.bpf.c", "bpfeb"),
    ] {
        let Some(original) = compile(source, target, &[]) else { return };
        // Without DWARF a mutation hits something that is read.
        let original = stripped(&original).unwrap_or(original);
        let mut random = Random(seed);
        for round in 0..rounds {
            let bytes = mutated(&original, &mut random);
            match Object::read(bytes) {
                Ok(object) => {
                    let names: Vec<_> =
                        object.spec().programs.iter().map(|p| p.name.as_str()).collect();
                    let _ = for_aya(&object, names.get(..1).unwrap_or_default());
                    let _ = object.requires();
                    for name in names.iter().copied().chain(["deep", "flow"]) {
                        let lines = object.lines(name).err();
                        let instructions = object.instructions(name).err();
                        let btf_type = object.btf_type(name).err();
                        for error in [lines, instructions, btf_type].into_iter().flatten() {
                            assert!(!error.to_string().contains('\n'), "round {round}");
                        }
                    }
                    for global in &object.spec().globals {
                        if let Ok(bytes) = encode_global(object.spec(), &global.name, "1") {
                            assert_eq!(bytes.len(), global.size as usize, "round {round}");
                        }
                    }
                }
                Err(error) => assert!(!error.to_string().contains('\n'), "round {round}"),
            }
        }
    }
}
