//! Load through aya, pin, attach, pin the links.
//!
//! What is pinned or attached when this fails is taken away by the command with
//! [`super::unload`], from its pending record; so there is one way to clean up, and a kill takes
//! the same one.

use aya::maps::MapInfo;
use aya::programs::{Program, ProgramError};
use aya::{Btf, Ebpf, EbpfError, EbpfLoader};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{attach, chain, errno, mounts, not_permitted, pins};
use crate::checkpoint::checkpoint;
use crate::kernel::error::KernelError;
use crate::kernel::protocol::{Installed, InstalledMap, InstalledProgram, LoadPlan, ProgramPlan};

/// How much of the verifier's log is kept, in bytes.
const LOG_MAX: usize = 1024 * 1024;

/// Carries out `plan` with the normalised bytes of its object.
pub(super) fn load(plan: &LoadPlan, object: &[u8]) -> Result<Installed, KernelError> {
    mounts::require_bpffs(&plan.bpffs)?;
    pins::make(&plan.pin_dir)?;
    attach::require_targets(&plan.links)?;
    raise_memlock();
    checkpoint("worker-directories");
    let mut ebpf = parse(plan, object)?;
    checkpoint("worker-parsed");
    let mut programs = Vec::new();
    for program in &plan.programs {
        programs.push(load_program(&mut ebpf, program)?);
    }
    checkpoint("worker-programs");
    let mut maps = Vec::new();
    for map in &plan.maps {
        let found = ebpf.map(&map.name).ok_or_else(|| absent("map", &map.name))?;
        if !map.by_name {
            found.pin(&map.pin).map_err(|error| pin_failed(&map.pin, &error))?;
        }
        let info = MapInfo::from_pin(&map.pin).map_err(|error| pin_failed(&map.pin, &error))?;
        maps.push(InstalledMap {
            name: map.name.clone(),
            id: Some(info.id()),
            pin: map.pin.clone(),
        });
    }
    checkpoint("worker-maps");
    let mut links = Vec::new();
    for link in &plan.links {
        let name = &link.point.program;
        let program = ebpf.program_mut(name).ok_or_else(|| absent("program", name))?;
        links.push(attach::attach(program, link, &plan.pin_dir)?);
        checkpoint("worker-link");
    }
    checkpoint("worker-links");
    Ok(Installed { pin_dir: plan.pin_dir.clone(), programs, maps, links })
}

/// Parses and relocates the object and creates its maps.
fn parse(plan: &LoadPlan, object: &[u8]) -> Result<Ebpf, KernelError> {
    let kernel_btf = if plan.needs_kernel_btf {
        Some(Btf::from_sys_fs().map_err(|error| KernelError::Unsupported {
            action: "give its BTF, which the object's CO-RE relocations or hooks need".to_owned(),
            cause: chain(&error),
        })?)
    } else {
        None
    };
    let mut loader = loader_without_btf();
    loader.btf(kernel_btf.as_ref());
    for (name, value) in &plan.globals {
        loader.override_global(name, value.as_slice(), true);
    }
    for map in plan.maps.iter().filter(|map| map.by_name) {
        loader.map_pin_path(&map.name, map.pin.as_path());
    }
    // aya pins by name what it takes for such a map; what the plan does not name stays in here.
    loader.default_map_pin_directory(plan.pin_dir.join("maps"));
    let ebpf = loader.load(object).map_err(|error| object_error(&error))?;
    let stranger = ebpf.maps().map(|(name, _)| name).find(|name| !is_known(plan, name));
    if let Some(name) = stranger {
        return Err(KernelError::Object {
            cause: format!("aya finds a map `{name}` in it that our own reader does not"),
        });
    }
    Ok(ebpf)
}

/// The object's maps, and what aya makes of its data sections.
fn is_known(plan: &LoadPlan, name: &str) -> bool {
    const DATA: [&str; 4] = [".bss", ".data", ".rodata", ".kconfig"];
    DATA.iter().any(|section| name.starts_with(section))
        || plan.known_maps.iter().any(|known| known == name)
}

/// `EbpfLoader::new` parses the whole vmlinux BTF, 14 ms and 20 MiB, and has no switch. Hiding
/// the file for the length of the call is safe here: one thread, and what needs the BTF was
/// given it by hand above.
fn loader_without_btf<'a>() -> EbpfLoader<'a> {
    let limit = getrlimit(Resource::Nofile);
    let hidden = setrlimit(Resource::Nofile, Rlimit { current: Some(0), maximum: limit.maximum });
    let loader = EbpfLoader::new();
    if hidden.is_ok() {
        // Raising a soft limit back to where it was below the hard one cannot fail.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    loader
}

fn load_program(ebpf: &mut Ebpf, plan: &ProgramPlan) -> Result<InstalledProgram, KernelError> {
    let program = ebpf.program_mut(&plan.name).ok_or_else(|| absent("program", &plan.name))?;
    let loaded = match program {
        Program::Xdp(program) => program.load(),
        Program::SchedClassifier(program) => program.load(),
        Program::TracePoint(program) => program.load(),
        Program::RawTracePoint(program) => program.load(),
        Program::UProbe(program) => program.load(),
        Program::CgroupSkb(program) => program.load(),
        _ => Err(ProgramError::UnexpectedProgramType),
    };
    loaded.map_err(|error| load_error(&plan.name, &error))?;
    program.pin(&plan.pin).map_err(|error| pin_failed(&plan.pin, &error))?;
    let info = program.info().map_err(|error| load_error(&plan.name, &error))?;
    Ok(InstalledProgram {
        name: plan.name.clone(),
        program_type: plan.program_type,
        id: Some(info.id()),
        pin: plan.pin.clone(),
    })
}

fn load_error(program: &str, error: &ProgramError) -> KernelError {
    let ProgramError::LoadError { io_error, verifier_log } = error else {
        return KernelError::Unsupported {
            action: format!("load program `{program}`"),
            cause: chain(error),
        };
    };
    let log = tail(verifier_log.to_string());
    match (io_error.raw_os_error(), log.trim()) {
        // With an empty log the refusal came before the verifier ran.
        (Some(libc::EPERM | libc::EACCES), "") => {
            not_permitted(&format!("loading program `{program}`"), io_error.to_string())
        }
        (_, "") => KernelError::Unsupported {
            action: format!("load program `{program}`"),
            cause: io_error.to_string(),
        },
        _ => KernelError::Rejected { program: program.to_owned(), summary: summary(&log), log },
    }
}

/// The end of a long log: there it says why.
fn tail(log: String) -> String {
    let start = log.len().saturating_sub(LOG_MAX);
    match log.char_indices().find(|(at, _)| *at >= start) {
        Some((at, _)) if at > 0 => log[at..].to_owned(),
        _ => log,
    }
}

/// The verifier ends with statistics; the line before them says why it refused.
fn summary(log: &str) -> String {
    let statistics = ["processed ", "verification time", "stack depth", "peak_states"];
    log.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty() && !statistics.iter().any(|start| line.starts_with(start)))
        .unwrap_or("no reason given")
        .to_owned()
}

fn object_error(error: &EbpfError) -> KernelError {
    let cause = chain(error);
    match (errno(error), error) {
        (Some(libc::EPERM), _) => not_permitted("creating maps", cause),
        (Some(_), EbpfError::MapError(_)) => {
            KernelError::Unsupported { action: "create a map of the object".to_owned(), cause }
        }
        _ => KernelError::Object { cause },
    }
}

fn absent(what: &str, name: &str) -> KernelError {
    KernelError::Object { cause: format!("aya does not find {what} `{name}` in it") }
}

fn pin_failed(pin: &std::path::Path, error: &(dyn std::error::Error + 'static)) -> KernelError {
    KernelError::Pin { action: "pin".to_owned(), path: pin.to_path_buf(), cause: chain(error) }
}

/// Before Linux 5.11 maps count against `RLIMIT_MEMLOCK`; later kernels ignore it.
fn raise_memlock() {
    let _ = setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None });
}
