//! `bpf-image inspect`.

use std::path::Path;
use std::process::ExitCode;

use bpf_image::registry::Access;
use bpf_image::report::Exit;
use bpf_image::text;
use bpf_image::verbs::inspect::{ImageDetails, InspectRequest, InspectResponse, Target, inspect};
use bpf_image_spec::config::{
    Encoding, Endianness, GlobalSpec, MapSpec, ObjectSpec, Pinning, ProgramSpec, Requires,
};
use bpf_image_spec::{Platform, Reference};

use super::Failure;
use super::output::{self, Output};

const EXAMPLES: &str = "\
Examples:
  bpf-image inspect counter.o
  bpf-image inspect localhost:5000/org/counter:v1
  bpf-image inspect oci:images:v1 --object
  bpf-image inspect counter.o -o json | jq -r '.object.programs[].name'

Of an image, manifest and config are read, and what is shown is what they declare. With --object, or
where they declare nothing, the object is fetched and compared with the declaration; the command ends
with code 3 when they differ. Signatures are checked by `bpf-image verify`.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An object file, or an image: registry/repository[:tag], oci:DIR[:TAG]
    #[arg(value_name = "FILE|REF", value_parser = target)]
    target: Target,

    /// Platform of an image that has several [default: this machine's]
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,

    /// Fetch the object of an image and compare it with what is declared
    #[arg(long)]
    object: bool,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// A name that is there as a file is one, or has no slash; others have to be references.
fn target(text: &str) -> Result<Target, String> {
    let path = Path::new(text);
    let is_path = text.starts_with(['/', '.'])
        || !(text.starts_with("oci:") || text.contains('/'))
        || (!text.starts_with("oci:") && path.exists());
    if is_path {
        return Ok(Target::File(path.to_path_buf()));
    }
    match text.parse::<Reference>() {
        Ok(reference) => Ok(Target::Image(reference)),
        Err(error) => Err(format!("there is no such file, and as an image: {error}")),
    }
}

/// Looks and prints.
pub(crate) async fn run(args: Args, access: Access) -> Result<ExitCode, Failure> {
    let response = inspect(&InspectRequest {
        target: args.target,
        platform: args.platform,
        fetch_object: args.object,
        access,
    })
    .await?;
    match args.output {
        Output::Json => output::print_json(&response)?,
        Output::Table => output::print(&text(&response))?,
    }
    if response.differences.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    anstream::eprintln!("error: the image declares what its object does not hold");
    for difference in &response.differences {
        anstream::eprintln!("  {}", text::printable(difference));
    }
    anstream::eprintln!("fault: image");
    Ok(ExitCode::from(Exit::Refused as u8))
}

fn text(response: &InspectResponse) -> String {
    let object = &response.object;
    let mut rows = Vec::new();
    if let Some(file) = &response.file {
        rows.push(("file", file.display().to_string()));
    }
    if let Some(image) = &response.image {
        rows.extend(image_facts(image, response.from_bytes));
    }
    rows.push(("object", format!("{}  {}", object.digest, text::bytes(object.size))));
    rows.push(("license", object.license.clone().unwrap_or_else(|| "none".to_owned())));
    rows.push(("byte order", byte_order(object).to_owned()));
    rows.push(("BTF", btf(object)));
    if let Some(requires) = &response.requires {
        rows.push(("kernel", kernel(requires)));
    }
    let mut text = text::facts(&rows);
    let tables = [
        programs(&object.programs),
        maps(&object.maps),
        globals(&object.globals, object.endianness),
    ];
    for table in tables.iter().filter(|table| !table.is_empty()) {
        text += "\n";
        text += table;
    }
    text
}

fn image_facts(image: &ImageDetails, from_bytes: bool) -> Vec<(&'static str, String)> {
    let source = if from_bytes { "compared with the object" } else { "as declared" };
    let mut rows = vec![
        ("image", image.reference.clone()),
        ("digest", image.digest.to_string()),
        ("form", format!("{}, {source}", image.form)),
    ];
    for entry in &image.platforms {
        let shown = if entry.digest == image.manifest { "  (shown)" } else { "" };
        rows.push(("platform", format!("{}  {}{shown}", entry.platform, entry.digest)));
    }
    let ours = |key: &str| key.starts_with("io.ebpf.") || key.starts_with("dev.bpfimage.");
    for (key, value) in image.annotations.iter().filter(|(key, _)| !ours(key)) {
        rows.push(("annotation", format!("{key}={value}")));
    }
    rows
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

/// The reasons that decide: those of the newest kernel named.
fn kernel(requires: &Requires) -> String {
    let decisive: Vec<_> = requires
        .reasons
        .iter()
        .filter(|reason| reason.kernel == requires.kernel)
        .map(|reason| reason.feature.as_str())
        .collect();
    let because =
        if decisive.is_empty() { String::new() } else { format!(" for {}", decisive.join(", ")) };
    let btf = if requires.kernel_btf { ", and the kernel's BTF" } else { "" };
    format!("{} or newer{because}{btf}", requires.kernel)
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
                list(&p.maps),
                list(&helpers(p)),
            ]
        })
        .collect();
    text::table(["PROGRAM", "TYPE", "SECTION", "INSNS", "MAPS", "CALLS"], &rows)
}

/// Every helper starts with `bpf_`: what tells them apart is the rest.
fn helpers(program: &ProgramSpec) -> Vec<String> {
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
            [
                m.name.clone(),
                m.map_type.to_string(),
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
    text::table(["MAP", "TYPE", "KEY", "VALUE", "ENTRIES", "FLAGS", "PINNED"], &rows)
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
    text::table(["GLOBAL", "TYPE", "SIZE", "DEFAULT", "SECTION", "SETTABLE"], &rows)
}

/// A number where it is one, else the bytes.
fn default_value(global: &GlobalSpec, order: Endianness) -> String {
    let Some(hex) = &global.default else {
        return "-".to_owned();
    };
    number(global, hex, order).unwrap_or_else(|| format!("hex:{hex}"))
}

fn number(global: &GlobalSpec, hex: &str, order: Endianness) -> Option<String> {
    let size = usize::try_from(global.size).ok().filter(|size| (1..=16).contains(size))?;
    if hex.len() != 2 * size {
        return None;
    }
    let written = u128::from_str_radix(hex, 16).ok()?;
    let bits = 8 * global.size;
    let value = match order {
        Endianness::Big => written,
        Endianness::Little => written.swap_bytes() >> (128 - bits),
    };
    Some(match global.encoding? {
        Encoding::Unsigned => value.to_string(),
        Encoding::Bool => (value != 0).to_string(),
        Encoding::Signed => {
            let shift = 128 - bits;
            ((value << shift).cast_signed() >> shift).to_string()
        }
        Encoding::Char => match u8::try_from(value) {
            Ok(byte) if byte.is_ascii_graphic() => format!("'{}'", char::from(byte)),
            _ => value.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(size: u32, encoding: Encoding, default: &str) -> GlobalSpec {
        GlobalSpec {
            name: "g".to_owned(),
            section: ".rodata".to_owned(),
            type_name: None,
            encoding: Some(encoding),
            size,
            default: Some(default.to_owned()),
            tunable: true,
        }
    }

    #[test]
    fn defaults_are_read_in_the_objects_byte_order() {
        use Encoding::{Bool, Char, Signed, Unsigned};
        use Endianness::{Big, Little};
        for (size, encoding, hex, order, text) in [
            (2, Unsigned, "611e", Little, "7777"),
            (2, Unsigned, "1e61", Big, "7777"),
            (4, Signed, "feffffff", Little, "-2"),
            (8, Signed, "fffffffffffffffe", Big, "-2"),
            (16, Unsigned, "01000000000000000000000000000000", Little, "1"),
            (1, Bool, "01", Little, "true"),
            (1, Char, "78", Little, "'x'"),
            (4, Unsigned, "0102", Little, "hex:0102"),
            (0, Unsigned, "", Little, "hex:"),
        ] {
            assert_eq!(default_value(&global(size, encoding, hex), order), text);
        }
    }

    #[test]
    fn file_that_is_there_is_a_file() {
        assert!(matches!(target("/etc/passwd"), Ok(Target::File(_))));
        assert!(matches!(target("./missing.o"), Ok(Target::File(_))));
        assert!(matches!(target("localhost:5000/a"), Ok(Target::Image(_))));
        assert!(matches!(target("oci:images"), Ok(Target::Image(_))));
        assert!(matches!(target("missing.o"), Ok(Target::File(_))));
        assert!(target("objects/missing.o").is_err());
    }
}
