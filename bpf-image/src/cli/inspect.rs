//! `bpf-image inspect`.

mod listing;
mod table;

use std::path::Path;
use std::process::ExitCode;

use bpf_image::registry::Access;
use bpf_image::report::{self, Exit};
use bpf_image::text;
use bpf_image::verbs::inspect::{InspectRequest, InspectResponse, Target, inspect};
use bpf_image_spec::{Platform, Reference};

use super::Failure;
use super::output::{self, Output};

const EXAMPLES: &str = "\
Examples:
  bpf-image inspect counter.o
  bpf-image inspect objects/*.o -o json | jq -r '.[].object.programs[].name'
  bpf-image inspect localhost:5000/org/counter:v1
  bpf-image inspect oci:images:v1 --object
  bpf-image inspect counter.o --program xdp_counter --disasm
  bpf-image inspect counter.o --btf flow_key

Of an image, manifest and config are read, and what is shown is what they declare. With --object, or
where they declare less, the object is fetched and compared with the declaration; the command ends
with code 3 when they differ. Signatures are checked by `bpf-image verify`.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Object files, and images: registry/repository[:tag], oci:DIR[:TAG]
    #[arg(value_name = "FILE|REF", value_parser = target, required = true)]
    targets: Vec<Target>,

    /// Platform of an image that has several [default: this machine's]
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,

    /// Fetch the object of an image and show what is declared beside what is found
    #[arg(long)]
    object: bool,

    /// Show this program only, with all that is known of it and the maps it uses
    #[arg(long, value_name = "NAME")]
    program: Option<String>,

    /// List the instructions, with the source lines they were made from
    #[arg(long)]
    disasm: bool,

    /// Show a type of the object's BTF in C [repeatable]
    #[arg(long, value_name = "TYPE")]
    btf: Vec<String>,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// A name that is there as a file is one, or has no slash; others have to be references.
pub(super) fn target(text: &str) -> Result<Target, String> {
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

/// Looks and prints. Of several, each that can be read is shown, and the first failure decides
/// about the exit code.
pub(crate) async fn run(args: Args, access: Access) -> Result<ExitCode, Failure> {
    let has_several = args.targets.len() > 1;
    let mut shown = Vec::new();
    let mut code = None;
    for target in args.targets {
        let request = InspectRequest {
            platform: args.platform.clone(),
            fetch_object: args.object,
            program: args.program.clone(),
            disassemble: args.disasm,
            types: args.btf.clone(),
            ..InspectRequest::new(target, access.clone())
        };
        match inspect(&request).await {
            Ok(response) => {
                if !response.differences.is_empty() {
                    code.get_or_insert(Exit::Refused);
                }
                shown.push(response);
            }
            Err(error) if has_several => {
                let advice = error.advice();
                anstream::eprint!("{}", report::render(&error, &advice));
                code.get_or_insert(advice.exit);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match (args.output, shown.as_slice()) {
        (Output::Table, all) => {
            let texts: Vec<_> = all.iter().map(table::text).collect();
            output::print(&texts.join("\n"))?;
        }
        // One answer for one question; a list for several, also when only one can be answered.
        (data, [one]) if !has_several => output::print_data(data, one)?,
        (data, all) => output::print_data(data, &all)?,
    }
    for response in &shown {
        differences(response);
    }
    Ok(code.map_or(ExitCode::SUCCESS, |code| ExitCode::from(code as u8)))
}

fn differences(response: &InspectResponse) {
    if response.differences.is_empty() {
        return;
    }
    anstream::eprintln!("error: the image declares what its object does not hold");
    for of in &response.differences {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let line =
            format!("{}: declared {}, found {}", of.path, side(&of.declared), side(&of.found));
        anstream::eprintln!("  {}", text::printable(&line));
    }
    anstream::eprintln!("fault: image");
}

#[cfg(test)]
mod tests {
    use super::*;

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
