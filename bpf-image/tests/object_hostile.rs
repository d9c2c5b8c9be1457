//! Objects made to break a reader: each gives one line, soon.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the message")]

#[path = "object/elf.rs"]
mod elf;

use std::time::{Duration, Instant};

use bpf_image::object::{MapProblem, Object, ObjectError, Problem};
use bpf_image_spec::config::{MapType, Pinning};
use elf::{Elf, FUNCTION, OBJECT, PROGBITS, btf};

const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];
/// `call -1` of a function, to be relocated.
const CALL: [u8; 8] = [0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff];
const LOAD: [u8; 8] = [0x18, 0x01, 0, 0, 0, 0, 0, 0];
const NOTHING: [u8; 8] = [0; 8];

fn kind(kind: u32, count: u32) -> u32 {
    kind << 24 | count
}

fn read(elf: Elf) -> Result<Object, ObjectError> {
    let start = Instant::now();
    let result = Object::read(elf.write());
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
    if let Err(error) = &result {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    result
}

fn error(elf: Elf) -> ObjectError {
    read(elf).unwrap_err()
}

fn problem(elf: Elf) -> Problem {
    match error(elf) {
        ObjectError::Malformed { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

/// A variable `x` in `.rodata` whose type is BTF type 3; `types` are the types from 3 on.
fn variable_of(types: &[u32]) -> Elf {
    let mut words = vec![1, kind(14, 0), 3, 1, 3, kind(15, 1), 4, 1, 0, 4];
    words.extend_from_slice(types);
    let mut elf = Elf::new();
    let rodata = elf.section(".rodata", PROGBITS, 2, vec![0; 4]);
    elf.symbol("x", OBJECT, rodata, 0, 4);
    elf.section(".BTF", PROGBITS, 0, btf(&words, b"\0x\0.rodata\0"));
    elf
}

/// A map `m` in `.maps` whose definition is BTF type 3.
fn map_of(types: &[u32], strings: &[u8]) -> Elf {
    let mut words = vec![1, kind(14, 0), 3, 1, 3, kind(15, 1), 8, 1, 0, 8];
    words.extend_from_slice(types);
    let mut elf = Elf::new();
    let maps = elf.section(".maps", PROGBITS, 3, vec![0; 8]);
    elf.symbol("m", OBJECT, maps, 0, 8);
    elf.section(".BTF", PROGBITS, 0, btf(&words, &[b"\0m\0.maps\0", strings].concat()));
    elf
}

#[test]
fn smallest_object_is_read() {
    let mut elf = Elf::new();
    let xdp = elf.code("xdp", &[EXIT]);
    elf.symbol("p", FUNCTION, xdp, 0, 8);
    let object = read(elf).unwrap();
    assert_eq!(object.spec().programs.len(), 1);
    assert!(!object.spec().btf.present);
}

#[test]
fn lone_function_in_text_is_a_program_and_two_are_none() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[EXIT, EXIT]);
    elf.symbol("one", FUNCTION, text, 0, 8);
    assert_eq!(read(elf).unwrap().spec().programs[0].program_type.label(), "unspec");

    let mut elf = Elf::new();
    let text = elf.code(".text", &[EXIT, EXIT]);
    elf.symbol("one", FUNCTION, text, 0, 8);
    elf.symbol("two", FUNCTION, text, 8, 8);
    assert!(read(elf).unwrap().spec().programs.is_empty());
}

#[test]
fn legacy_maps_are_read() {
    let mut elf = Elf::new();
    let definition: Vec<u8> =
        [1u32, 4, 8, 16, 0, 0, 1].iter().flat_map(|word| word.to_le_bytes()).collect();
    let maps = elf.section("maps", PROGBITS, 3, definition);
    elf.symbol("m", OBJECT, maps, 0, 28);
    let object = read(elf).unwrap();
    let map = &object.spec().maps[0];
    assert_eq!((map.map_type, map.key_size, map.value_size), (MapType::Hash, 4, 8));
    assert_eq!((map.max_entries, map.pinning), (16, Pinning::ByName));
}

fn legacy(section: &str, info: u8, size: u64, words: &[u32]) -> Elf {
    let mut elf = Elf::new();
    let definition = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let maps = elf.section(section, PROGBITS, 3, definition);
    elf.symbol("m", info, maps, 0, size);
    elf
}

#[test]
fn maps_in_sections_that_only_aya_takes_for_maps() {
    for section in ["maps_x", "mapsx", "maps.x", ".maps.x", ".mapsx", ".maps/x"] {
        let elf = legacy(section, OBJECT, 28, &[1, 4, 8, 16, 0, 0, 1]);
        assert_eq!(error(elf), ObjectError::MapSection { section: section.to_owned() });
    }
    let elf = legacy("maps/x", OBJECT, 28, &[1, 4, 8, 16, 0, 0, 1]);
    assert_eq!(read(elf).unwrap().spec().maps[0].name, "m");
}

#[test]
fn legacy_maps_pinned_as_nobody_knows() {
    for pinning in [2, 0x100, u32::MAX] {
        let elf = legacy("maps", OBJECT, 28, &[1, 4, 8, 16, 0, 0, pinning]);
        let map = "m".to_owned();
        assert_eq!(error(elf), ObjectError::Map { map, problem: MapProblem::Pinning(pinning) });
    }
}

#[test]
fn legacy_maps_that_end_within_a_field() {
    // Of 27 bytes aya would read a pinning of 1, and another reader none.
    let words = [1, 4, 8, 16, 0, 0, 1];
    for size in [0, 4, 19, 21, 22, 23, 25, 26, 27] {
        let problem = MapProblem::Size(size);
        let map = "m".to_owned();
        assert_eq!(error(legacy("maps", OBJECT, size, &words)), ObjectError::Map { map, problem });
    }
    for size in [20, 24] {
        let object = read(legacy("maps", OBJECT, size, &words)).unwrap();
        assert_eq!(object.spec().maps[0].pinning, Pinning::None);
    }
    assert!(read(legacy("maps", OBJECT, 36, &[1, 4, 8, 16, 0, 0, 1, 0, 0])).is_ok());
    for size in [29, u64::MAX] {
        let map = "m".to_owned();
        let problem = MapProblem::NoSymbol;
        assert_eq!(error(legacy("maps", OBJECT, size, &words)), ObjectError::Map { map, problem });
    }
}

#[test]
fn functions_among_legacy_maps_that_aya_takes_for_maps() {
    let elf = legacy("maps", FUNCTION, 28, &[1, 4, 8, 16, 0, 0, 1]);
    let map = "m".to_owned();
    assert_eq!(error(elf), ObjectError::Map { map, problem: MapProblem::NotData });
}

#[test]
fn section_of_four_gibibytes() {
    let mut elf = Elf::new();
    elf.section("xdp", PROGBITS, 6, vec![0; 8]);
    elf.size(1 << 32);
    assert_eq!(problem(elf), Problem::OutOfBounds);
}

#[test]
fn hundred_thousand_symbols() {
    let mut elf = Elf::new();
    for _ in 0..100_000 {
        elf.symbol_at(0, 0, 0, 0, 0);
    }
    assert!(matches!(error(elf), ObjectError::TooMany { what: "symbols", .. }));
}

#[test]
fn symbols_whose_names_all_end_in_one_nul_far_away() {
    let mut elf = Elf::new();
    let long = "a".repeat(8 << 20);
    let start = elf.name(&long);
    for at in 0..60_000 {
        elf.symbol_at(start + at, 0, 0, 0, 0);
    }
    assert_eq!(problem(elf), Problem::Name);
}

#[test]
fn names_that_would_steer_a_terminal() {
    for name in ["p\u{1b}[2J", "p\u{202e}q", "p\u{2066}", "\u{200b}p"] {
        let mut elf = Elf::new();
        let xdp = elf.code("xdp", &[EXIT]);
        elf.symbol(name, FUNCTION, xdp, 0, 8);
        assert_eq!(problem(elf), Problem::Name, "{name:?}");
    }
}

#[test]
fn functions_outside_their_section() {
    for (value, size) in [(0, 16), (8, 8), (0, 0), (u64::MAX, 8), (8, u64::MAX)] {
        let mut elf = Elf::new();
        let xdp = elf.code("xdp", &[EXIT]);
        elf.symbol("p", FUNCTION, xdp, value, size);
        assert_eq!(problem(elf), Problem::OutOfBounds, "{value} {size}");
    }
    let mut elf = Elf::new();
    let xdp = elf.code("xdp", &[EXIT, EXIT]);
    elf.symbol("p", FUNCTION, xdp, 4, 8);
    assert_eq!(problem(elf), Problem::Misaligned);
}

#[test]
fn overlapping_functions_do_not_multiply_the_work() {
    let mut elf = Elf::new();
    let count = 20_000;
    let xdp = elf.code("xdp", &vec![EXIT; count]);
    for at in 0..count as u64 {
        elf.symbol(&format!("p{at}"), FUNCTION, xdp, at * 8, (count as u64 - at) * 8);
    }
    assert!(matches!(error(elf), ObjectError::TooMany { .. }));
}

#[test]
fn programs_that_all_call_everything_do_not_multiply_the_work() {
    let mut elf = Elf::new();
    let functions = 3_000u32;
    // Each function calls the next; each program calls the first.
    let chain: Vec<_> = (0..functions).flat_map(|_| [CALL, EXIT]).collect();
    let text = elf.code(".text", &chain);
    for at in 0..u64::from(functions) {
        elf.symbol(&format!("f{at}"), FUNCTION, text, at * 16, 16);
    }
    let programs: Vec<_> = (0..4_000).flat_map(|_| [CALL, EXIT]).collect();
    let xdp = elf.code("xdp", &programs);
    for at in 0..4_000u64 {
        elf.symbol(&format!("p{at}"), FUNCTION, xdp, at * 16, 16);
    }
    let next = |at: u32| (u64::from(at) * 16, (at + 1) % functions + 1);
    elf.relocations(text, &(0..functions).map(next).collect::<Vec<_>>());
    elf.relocations(xdp, &(0..4_000).map(|at| (at * 16, 1)).collect::<Vec<_>>());
    let _ = read(elf);
}

#[test]
fn functions_that_call_each_other() {
    let mut elf = Elf::new();
    let text = elf.code(".text", &[CALL, EXIT, CALL, EXIT]);
    let xdp = elf.code("xdp", &[CALL, EXIT]);
    elf.symbol("f", FUNCTION, text, 0, 16);
    elf.symbol("g", FUNCTION, text, 16, 16);
    elf.symbol("p", FUNCTION, xdp, 0, 16);
    elf.relocations(text, &[(0, 2), (16, 1)]);
    elf.relocations(xdp, &[(0, 1)]);
    assert_eq!(read(elf).unwrap().spec().programs.len(), 1);
}

#[test]
fn relocations_and_calls_to_nowhere() {
    let program = |relocation: Option<(u64, u32)>, code: &[[u8; 8]]| {
        let mut elf = Elf::new();
        let xdp = elf.code("xdp", code);
        elf.symbol("p", FUNCTION, xdp, 0, code.len() as u64 * 8);
        let maps = elf.section(".maps", PROGBITS, 3, vec![0; 8]);
        elf.symbol("m", OBJECT, maps, 0, 8);
        elf.symbol("absolute", FUNCTION, 0xfff1, 0, 8);
        elf.relocations(xdp, &relocation.into_iter().collect::<Vec<_>>());
        elf
    };
    assert_eq!(problem(program(Some((0, 99)), &[EXIT])), Problem::NoSuchSymbol(99));
    assert_eq!(problem(program(None, &[CALL.map(|b| b & 0x9f), EXIT])), Problem::CallNowhere);
    assert_eq!(problem(program(Some((0, 3)), &[CALL, EXIT])), Problem::CallNowhere);
    assert_eq!(problem(program(Some((0, 2)), &[LOAD, NOTHING, EXIT])), Problem::OutOfBounds);
    assert_eq!(problem(program(None, &[EXIT, LOAD])), Problem::HalfInstruction);
    // Where no instruction starts a relocation means nothing, and libbpf would refuse it.
    assert!(read(program(Some((u64::MAX, 1)), &[EXIT])).is_ok());

    let mut elf = Elf::new();
    let xdp = elf.code("xdp", &[EXIT]);
    elf.symbol("p", FUNCTION, xdp, 0, 8);
    elf.relocations(999, &[(0, 1)]);
    assert_eq!(problem(elf), Problem::NoSuchSection(999));
}

#[test]
fn two_programs_of_one_name() {
    let mut elf = Elf::new();
    let xdp = elf.code("xdp", &[EXIT]);
    let tc = elf.code("tc", &[EXIT]);
    elf.symbol("p", FUNCTION, xdp, 0, 8);
    elf.symbol("p", FUNCTION, tc, 0, 8);
    assert!(matches!(error(elf), ObjectError::Duplicate { what: "programs", .. }));
}

#[test]
fn btf_that_is_no_btf() {
    let with = |section: Vec<u8>| {
        let mut elf = Elf::new();
        elf.section(".BTF", PROGBITS, 0, section);
        elf
    };
    assert_eq!(problem(with(vec![])), Problem::Truncated);
    assert_eq!(problem(with(vec![0; 24])), Problem::Magic(0));
    assert_eq!(problem(with(btf(&[], b"\0")[..23].to_vec())), Problem::OutOfBounds);
    for field in [4, 8, 12, 16, 20] {
        let mut section = btf(&[], b"\0");
        section[field..field + 4].copy_from_slice(&[0xff; 4]);
        assert_eq!(problem(with(section)), Problem::OutOfBounds, "{field}");
    }
    assert_eq!(problem(with(btf(&[0, kind(31, 0), 0], b"\0"))), Problem::Kind(31));
    assert_eq!(problem(with(btf(&[0, kind(4, 0xffff), 0], b"\0"))), Problem::Truncated);
    assert_eq!(problem(with(btf(&[0, kind(8, 0)], b"\0"))), Problem::Truncated);
}

#[test]
fn btf_types_in_circles() {
    // A typedef of itself; const and volatile of each other; an array of itself; a pointer too.
    for types in [
        &[1, kind(8, 0), 3][..],
        &[0, kind(10, 0), 4, 0, kind(9, 0), 3],
        &[0, kind(3, 0), 0, 3, 3, 1],
        &[0, kind(2, 0), 3],
    ] {
        assert!(matches!(problem(variable_of(types)), Problem::TooDeep(_)), "{types:?}");
    }
    // A structure that points to itself is a list, and nothing is wrong with it.
    let list = [1, kind(4, 1), 8, 1, 4, 0, 0, kind(2, 0), 3];
    assert!(read(variable_of(&list)).is_ok());
}

#[test]
fn btf_references_to_nowhere() {
    assert_eq!(problem(variable_of(&[1, kind(8, 0), 77])), Problem::NoSuchType(77));
    assert_eq!(problem(variable_of(&[])), Problem::NoSuchType(3));
    assert_eq!(problem(variable_of(&[9999, kind(8, 0), 0])), Problem::OutOfBounds);
    let prototype = [0, kind(12, 0), 0];
    assert_eq!(problem(variable_of(&prototype)), Problem::UnexpectedType(3));
}

#[test]
fn map_definitions_that_mean_nothing() {
    let of = |elf| match error(elf) {
        ObjectError::Map { problem, .. } => problem,
        other => panic!("{other}"),
    };
    assert_eq!(of(map_of(&[0, kind(2, 0), 0], b"")), MapProblem::NotAStruct);
    assert_eq!(of(map_of(&[0, kind(4, 0), 0], b"")), MapProblem::NoType);
    let many: Vec<u32> =
        [0, kind(4, 60_000), 0].into_iter().chain([0, 3, 0].repeat(60_000)).collect();
    assert_eq!(of(map_of(&many, b"")), MapProblem::NotAStruct);
    let typed = |number| {
        // struct { int (*type)[number]; }
        let mut types = vec![0, kind(4, 1), 8, 9, 4, 0, 0, kind(2, 0), 5];
        types.extend([0, kind(3, 0), 0, 0, 0, number]);
        map_of(&types, b"type\0")
    };
    let younger = read(typed(4_000_000)).unwrap();
    assert_eq!(younger.spec().maps[0].map_type, MapType::Unknown(4_000_000));
    assert_eq!(read(typed(1)).unwrap().spec().maps[0].map_type, MapType::Hash);
    // struct { T *type; } with T a structure.
    let field = [0, kind(4, 1), 8, 9, 4, 0, 0, kind(2, 0), 3];
    assert_eq!(of(map_of(&field, b"type\0")), MapProblem::Field("type"));
    // struct { int *key_array_of_four_billion; }: sizes beyond 32 bits.
    let mut huge = vec![0, kind(4, 1), 8, 9, 4, 0, 0, kind(2, 0), 5];
    huge.extend([0, kind(3, 0), 0, 6, 6, u32::MAX, 0, kind(3, 0), 0, 7, 7, 2]);
    huge.extend([0, kind(1, 0), 4, 32]);
    assert_eq!(problem(map_of(&huge, b"key\0")), Problem::TooBig);
}

#[test]
fn licence_without_an_end() {
    let mut elf = Elf::new();
    elf.section("license", PROGBITS, 3, vec![b'G'; 1000]);
    assert_eq!(problem(elf), Problem::Name);
}

/// Types that only a person asks for: an object with these BTF types, numbered from 1.
fn types_of(words: &[u32]) -> Object {
    let mut elf = Elf::new();
    elf.section(".BTF", PROGBITS, 0, btf(words, b"\0x\0"));
    read(elf).unwrap()
}

#[test]
fn printing_types_that_hold_themselves() {
    // struct x { struct { itself; }; }, and a pointer to itself.
    let inner = [1, kind(4, 1), 8, 0, 2, 0, 0, kind(4, 1), 8, 0, 2, 0];
    let printed = types_of(&inner).btf_type("x");
    assert!(matches!(printed, Err(ObjectError::Malformed { problem: Problem::TooDeep(_), .. })));
    let pointer = [1, kind(8, 0), 2, 0, kind(2, 0), 2];
    let printed = types_of(&pointer).btf_type("x");
    assert!(matches!(printed, Err(ObjectError::Malformed { problem: Problem::TooDeep(_), .. })));
}

#[test]
fn printing_types_that_double_at_every_step() {
    // Each anonymous structure holds the next one twice: 2^30 lines, if nobody counts.
    let mut words = Vec::new();
    for id in 1..=30 {
        words.extend([u32::from(id == 1), kind(4, 2), 8, 0, id + 1, 0, 0, id + 1, 0]);
    }
    words.extend([1, kind(1, 0), 4, 32]);
    let start = Instant::now();
    let printed = types_of(&words).btf_type("struct x");
    assert!(matches!(printed, Err(ObjectError::TooMany { .. })), "{printed:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// A `.BTF.ext` with one CO-RE relocation of `struct x { }` by the access `0:9`.
fn relocation(type_id: u32, access: u32, number: u32) -> Elf {
    let mut elf = Elf::new();
    let strings = b"\0x\x000:9\0";
    elf.section(".BTF", PROGBITS, 0, btf(&[1, kind(4, 0), 0], strings));
    let header = [0x0001_eb9f, 32, 0, 0, 0, 0, 0, 28];
    let records = [16, 1, 1, 0, type_id, access, number];
    let words = header.iter().chain(&records);
    elf.section(".BTF.ext", PROGBITS, 0, words.flat_map(|word: &u32| word.to_le_bytes()).collect());
    elf
}

#[test]
fn relocations_to_nowhere() {
    assert_eq!(problem(relocation(1, 3, 0)), Problem::OutOfBounds, "no ninth field");
    assert_eq!(problem(relocation(7, 3, 8)), Problem::NoSuchType(7));
    assert_eq!(problem(relocation(1, 70, 0)), Problem::OutOfBounds, "access outside");
    assert_eq!(problem(relocation(1, 1, 10)), Problem::OutOfBounds, "no enumeration");
    let later = read(relocation(1, 3, 99)).unwrap();
    assert_eq!(later.spec().btf.relocations, None, "a kind of the future is not told");
    let exists = read(relocation(1, 3, 8)).unwrap();
    let relocations = exists.spec().btf.relocations.as_deref().unwrap_or_default();
    assert_eq!(relocations[0].to_string(), "struct x (type_exists)");
}
