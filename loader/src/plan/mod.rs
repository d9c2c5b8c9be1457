//! Checked object → load plan: which programs, which maps, which links, which values. Pure.

mod error;
mod points;

pub use error::PlanError;

use std::path::{Path, PathBuf};

use bpf_image::object::{self, Object};
use bpf_image_spec::Digest;
use bpf_image_spec::attach::AttachPoint;
use bpf_image_spec::config::{KernelVersion, MapSpec, Pinning, ProgramSpec};

use crate::kernel::protocol::{
    Held, Installed, InstalledLink, InstalledMap, InstalledProgram, LinkPlan, LoadPlan, MapPlan,
    ProgramPlan, TcFilter,
};

/// What a user wants of an object.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Attach points given by hand.
    pub points: Vec<AttachPoint>,
    /// `GLOBAL=VALUE` pairs.
    pub globals: Vec<(String, String)>,
}

/// What the kernel worker is to be sent.
#[derive(Debug)]
pub struct Plan {
    load: LoadPlan,
    object: Vec<u8>,
}

impl Plan {
    /// The request.
    pub fn load(&self) -> &LoadPlan {
        &self.load
    }

    /// The object as aya is given it: section names normalised, instructions identical.
    pub fn object(&self) -> &[u8] {
        &self.object
    }

    /// What the load may leave in the kernel if it is interrupted: the pending record's content.
    pub fn expected(&self) -> Installed {
        let LoadPlan { pin_dir, programs, maps, links, .. } = &self.load;
        Installed {
            pin_dir: pin_dir.clone(),
            programs: programs
                .iter()
                .map(|program| InstalledProgram {
                    name: program.name.clone(),
                    program_type: program.program_type,
                    id: None,
                    pin: program.pin.clone(),
                })
                .collect(),
            maps: maps
                .iter()
                .map(|map| InstalledMap { name: map.name.clone(), id: None, pin: map.pin.clone() })
                .collect(),
            links: links.iter().map(expected_link).collect(),
        }
    }
}

fn expected_link(link: &LinkPlan) -> InstalledLink {
    let held = match (&link.point.target, link.direction) {
        (bpf_image_spec::attach::AttachTarget::Tc { priority, .. }, Some(direction)) => {
            Held::TcFilter(TcFilter {
                direction,
                priority: *priority,
                handle: link.tc_handle,
                ifindex: None,
                netns: None,
            })
        }
        _ => Held::PinnedLink { id: None, pin: link.pin.clone() },
    };
    InstalledLink { point: link.point.clone(), held }
}

/// Where one generation of an instance keeps its pins: generated names only.
pub fn pin_dir(pins: &Path, id: &str, generation: u32) -> PathBuf {
    pins.join("v1").join(id).join(generation.to_string())
}

/// Decides what is to be loaded, pinned and attached for instance `id`.
pub fn plan(
    object: &Object,
    wanted: &Wanted,
    kernel: KernelVersion,
    pins: &Path,
    pin_dir: &Path,
) -> Result<Plan, PlanError> {
    let spec = object.spec();
    if spec.license.is_none() {
        return Err(PlanError::NoLicense);
    }
    let points = points::choose(&spec.programs, &wanted.points)?;
    points::check_kernel(&points, kernel)?;
    let programs: Vec<&ProgramSpec> = spec
        .programs
        .iter()
        .filter(|program| points.iter().any(|(point, _)| point.program == program.name))
        .collect();
    let maps = spec.maps.iter().filter(|map| is_wanted(map, &programs));
    let mut globals = Vec::new();
    for (name, value) in &wanted.globals {
        if globals.iter().any(|(other, _)| other == name) {
            return Err(PlanError::RepeatedGlobal { name: name.clone() });
        }
        globals.push((name.clone(), object::encode_global(spec, name, value)?));
    }
    let names: Vec<&str> = programs.iter().map(|program| program.name.as_str()).collect();
    let bytes = object::for_aya(object, &names)?;
    let load = LoadPlan {
        bpffs: pins.to_path_buf(),
        pin_dir: pin_dir.to_path_buf(),
        programs: programs
            .iter()
            .enumerate()
            .map(|(number, program)| ProgramPlan {
                name: program.name.clone(),
                program_type: program.program_type,
                pin: pin_dir.join("programs").join(number.to_string()),
            })
            .collect(),
        maps: maps
            .enumerate()
            .map(|(number, map)| MapPlan {
                name: map.name.clone(),
                pin: pin_dir.join("maps").join(number.to_string()),
                by_name: map.pinning == Pinning::ByName,
            })
            .collect(),
        globals,
        links: points
            .into_iter()
            .enumerate()
            .map(|(number, (point, direction))| LinkPlan {
                point,
                direction,
                pin: pin_dir.join("links").join(number.to_string()),
                tc_handle: tc_handle(pin_dir, number),
            })
            .collect(),
        needs_kernel_btf: spec.btf.core_relocations > 0,
        known_maps: spec.maps.iter().map(|map| map.name.clone()).collect(),
        object_len: bytes.len() as u64,
    };
    Ok(Plan { load, object: bytes })
}

/// A map that a wanted program uses, or one that asks to be pinned by name: aya would pin that
/// one itself, wherever it likes, so it is always told where.
fn is_wanted(map: &MapSpec, programs: &[&ProgramSpec]) -> bool {
    map.pinning == Pinning::ByName
        || programs.iter().any(|program| program.maps.contains(&map.name))
}

/// A handle that a later command finds again, even if this one is killed before it can write down
/// what the kernel would have chosen. Never 0, which means "choose one".
fn tc_handle(pin_dir: &Path, number: usize) -> u32 {
    let digest = Digest::of(format!("{}/{number}", pin_dir.display()).as_bytes());
    let [a, b, c, d, ..] = *digest.as_bytes();
    u32::from_le_bytes([a, b, c, d]) >> 1 | 1
}
