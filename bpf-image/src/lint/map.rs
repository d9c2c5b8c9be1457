//! Maps: a size where the kernel wants one.

use bpf_image_spec::config::{MapSpec, MapType, ObjectSpec};

use super::{Code, Finding, Severity};

pub(super) fn findings(spec: &ObjectSpec, all: &mut Vec<Finding>) {
    for map in spec.maps.iter().filter(|map| map.max_entries == 0 && needs_bound(map)) {
        let message =
            format!("has no max_entries, and the kernel makes no {} without", map.map_type);
        let fix = "give __uint(max_entries, N); only an application with a loader of its own can set it later";
        let finding = Finding::new(Severity::Error, Code::UnboundedMap, message, fix);
        all.push(finding.about("map", &map.name));
    }
}

/// Storages must have none, loaders size perf arrays by CPU, and who knows what is unknown.
fn needs_bound(map: &MapSpec) -> bool {
    !matches!(
        map.map_type,
        MapType::PerfEventArray
            | MapType::CgroupStorage
            | MapType::PerCpuCgroupStorage
            | MapType::SkStorage
            | MapType::InodeStorage
            | MapType::TaskStorage
            | MapType::CgrpStorage
            | MapType::StructOps
            | MapType::Unspecified
            | MapType::Unknown(_)
    )
}
