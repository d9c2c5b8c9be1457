//! What `inspect` shows to people.

use bpf_image::text;
use bpf_image::value::default_value;
use bpf_image::verbs::inspect::InspectResponse;
use bpf_image::verbs::inspect::response::ImageDetails;
use bpf_image_spec::config::{
    Endianness, GlobalSpec, MapSpec, ObjectSpec, Pinning, ProgramSpec, Requires,
};

use super::listing;
use crate::cli::paint::{self, CYAN, GREEN, RED};

pub(super) fn text(response: &InspectResponse) -> String {
    let object = &response.object;
    let mut rows = Vec::new();
    if let Some(file) = &response.file {
        rows.push(("file", file.clone()));
    }
    if let Some(image) = &response.image {
        rows.extend(image_facts(image, response));
    }
    rows.push(("object", format!("{}  {}", object.digest, text::bytes(object.size))));
    rows.push(("license", object.license.clone().unwrap_or_else(|| "none".to_owned())));
    rows.push(("byte order", byte_order(object).to_owned()));
    rows.push(("BTF", btf(object)));
    if let Some(requires) = &response.requires {
        rows.extend(kernel(requires, object));
    }
    let mut text = text::facts(&rows);
    let tables = [
        disagreements(response),
        comparison(response),
        programs(&object.programs),
        maps(&object.maps),
        globals(&object.globals, object.endianness),
    ];
    let types = response.types.values().map(|text| listing::definition(text));
    let listings = response.disassembly.iter().map(listing::listing);
    for part in tables.into_iter().chain(types).chain(listings).filter(|part| !part.is_empty()) {
        text += "\n";
        text += &part;
    }
    text
}

fn image_facts(image: &ImageDetails, response: &InspectResponse) -> Vec<(&'static str, String)> {
    let source = match (response.from_bytes, response.differences.is_empty()) {
        (false, _) => "as declared",
        (true, true) => "compared with the object",
        (true, false) => "NOT what the object holds",
    };
    let mut rows = vec![
        ("image", image.reference.clone()),
        ("digest", image.digest.to_string()),
        ("form", format!("{}, {source}", image.form)),
    ];
    for entry in &image.platforms {
        let note = if entry.digest == image.manifest {
            "  (shown)"
        } else if image.same_object.contains(&entry.platform) {
            "  (the same object)"
        } else {
            ""
        };
        rows.push(("platform", format!("{}  {}{note}", entry.platform, entry.digest)));
    }
    if let Some(legacy) = &image.labels.legacy {
        let kind = legacy.program_type.as_deref().unwrap_or("no type");
        rows.push(("old labels", format!("program {} ({kind})", legacy.program)));
    }
    let ours = |key: &str| key.starts_with("io.ebpf.") || key.starts_with("dev.bpfimage.");
    for (key, value) in image.annotations.iter().filter(|(key, _)| !ours(key)) {
        rows.push(("annotation", format!("{key}={value}")));
    }
    rows
}

fn disagreements(response: &InspectResponse) -> String {
    let all = response.image.iter().flat_map(|image| &image.disagreements);
    let rows: Vec<_> = all.map(|of| [of.platform.clone(), of.what.clone()]).collect();
    paint::table(["PLATFORM", "DIFFERS FROM THE ONE SHOWN"], &rows, |_| RED)
}

/// Declared beside found, with a mark at each difference.
fn comparison(response: &InspectResponse) -> String {
    let Some(image) = response.image.as_ref().filter(|_| response.from_bytes) else {
        return String::new();
    };
    let object = &response.object;
    let nothing = || "-".to_owned();
    let mut rows: Vec<[String; 4]> = Vec::new();
    for of in &response.differences {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(nothing);
        rows.push(["DIFFERS".to_owned(), of.path.clone(), side(&of.declared), side(&of.found)]);
    }
    let is_told = |path: &str| response.differences.iter().any(|of| of.path.starts_with(path));
    let mut same = |path: String, declared: String, found: String| {
        if !is_told(&path) {
            let mark = if declared == "-" { "undeclared" } else { "same" };
            rows.push([mark.to_owned(), path, declared, found]);
        }
    };
    let label = |names: &Option<std::collections::BTreeMap<String, String>>, name: &str| {
        names.as_ref().and_then(|names| names.get(name)).cloned().unwrap_or_else(nothing)
    };
    for program in &object.programs {
        let found = program.program_type.to_string();
        same(
            format!("programs[{}]", program.name),
            label(&image.labels.programs, &program.name),
            found,
        );
    }
    for map in &object.maps {
        let found = map.map_type.to_string();
        same(format!("maps[{}]", map.name), label(&image.labels.maps, &map.name), found);
    }
    let is_same = |row: usize| response.differences.len() <= row;
    paint::table(
        ["", "FACT", "DECLARED", "FOUND"],
        &rows,
        |row| {
            if is_same(row) { GREEN } else { RED }
        },
    )
}

fn byte_order(object: &ObjectSpec) -> &'static str {
    match object.endianness {
        Endianness::Little => "little-endian",
        Endianness::Big => "big-endian",
    }
}

fn btf(object: &ObjectSpec) -> String {
    match (object.btf.present, object.btf.core_relocations) {
        (false, _) => "none".to_owned(),
        (true, 0) => "yes".to_owned(),
        (true, count) => format!("yes, {count} CO-RE relocations"),
    }
}

/// The reasons that decide: those of the newest kernel named. Of one program alone, all of them.
fn kernel(requires: &Requires, object: &ObjectSpec) -> Vec<(&'static str, String)> {
    let decisive: Vec<_> = requires
        .reasons
        .iter()
        .filter(|reason| reason.kernel == requires.kernel)
        .map(|reason| reason.feature.as_str())
        .collect();
    let because =
        if decisive.is_empty() { String::new() } else { format!(" for {}", decisive.join(", ")) };
    let btf = if requires.kernel_btf { ", and the kernel's BTF" } else { "" };
    let mut rows = vec![("kernel", format!("{} or newer{because}{btf}", requires.kernel))];
    if !requires.capabilities.is_empty() {
        rows.push(("capabilities", requires.capabilities.join(", ")));
    }
    if let [program] = object.programs.as_slice() {
        for reason in requires.reasons_of(&program.name) {
            rows.push(("needs", format!("{}: {}", reason.feature, reason.kernel)));
        }
    }
    rows
}

fn programs(programs: &[ProgramSpec]) -> String {
    let rows: Vec<_> = programs
        .iter()
        .map(|p| {
            [
                p.name.clone(),
                p.program_type.to_string(),
                p.section.clone(),
                p.instructions.to_string(),
                p.stack.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string()),
                list(&p.maps),
                list(&calls(p)),
            ]
        })
        .collect();
    let head = ["PROGRAM", "TYPE", "SECTION", "INSNS", "STACK", "MAPS", "CALLS"];
    paint::table(head, &rows, |_| CYAN)
}

/// Every helper starts with `bpf_`: what tells them apart is the rest.
fn calls(program: &ProgramSpec) -> Vec<String> {
    let short = |name: &String| name.strip_prefix("bpf_").unwrap_or(name).to_owned();
    program.helpers.iter().map(short).chain(program.kfuncs.iter().cloned()).collect()
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join(",") }
}

fn maps(maps: &[MapSpec]) -> String {
    let named = |size: u32, name: &Option<String>| match name {
        Some(name) => format!("{size} ({name})"),
        None => size.to_string(),
    };
    let rows: Vec<_> = maps
        .iter()
        .map(|m| {
            let inner = m.inner.as_ref();
            let inner = inner.map(|i| format!(" of {}[{}]", i.map_type, i.max_entries));
            [
                m.name.clone(),
                format!("{}{}", m.map_type, inner.unwrap_or_default()),
                named(m.key_size, &m.key_type),
                named(m.value_size, &m.value_type),
                m.max_entries.to_string(),
                if m.flags == 0 { "-".to_owned() } else { format!("{:#x}", m.flags) },
                match m.pinning {
                    Pinning::None => "-".to_owned(),
                    Pinning::ByName => "by name".to_owned(),
                },
            ]
        })
        .collect();
    let head = ["MAP", "TYPE", "KEY", "VALUE", "ENTRIES", "FLAGS", "PINNED"];
    paint::table(head, &rows, |_| CYAN)
}

fn globals(globals: &[GlobalSpec], order: Endianness) -> String {
    let rows: Vec<_> = globals
        .iter()
        .map(|g| {
            [
                g.name.clone(),
                g.type_name.clone().unwrap_or_else(|| "-".to_owned()),
                g.size.to_string(),
                default_value(g, order),
                g.section.clone(),
                if g.tunable { "yes" } else { "-" }.to_owned(),
            ]
        })
        .collect();
    let head = ["GLOBAL", "TYPE", "SIZE", "DEFAULT", "SECTION", "SETTABLE"];
    paint::table(head, &rows, |_| CYAN)
}
