//! Detach and unload, of whole loads and of what an interrupted one left.

use aya::programs::ProgramInfo;
use bpf_image_spec::attach::AttachTarget;

use super::{netns, pins, tc};
use crate::kernel::error::KernelError;
use crate::kernel::protocol::{Held, Installed, InstalledLink, TcFilter};

/// Removes every link.
pub(super) fn detach(installed: &Installed) -> Result<(), KernelError> {
    for link in &installed.links {
        match &link.held {
            // The pin is the last reference; without it the kernel detaches.
            Held::PinnedLink { pin, .. } => pins::remove(pin)?,
            Held::TcFilter(filter) => remove_filter(installed, link, filter)?,
        }
    }
    Ok(())
}

/// Removes every link, then every pin of the generation.
pub(super) fn unload(installed: &Installed) -> Result<(), KernelError> {
    detach(installed)?;
    pins::remove_dir(&installed.pin_dir)
}

/// A filter of ours, found, with its interface; the thread is in its namespace.
pub(super) struct FoundFilter {
    ifindex: u32,
    filter: tc::Filter,
    _namespace: netns::Entered,
}

/// Looks for a filter by handle and priority that runs one of our pinned programs.
pub(super) fn find_filter(
    installed: &Installed,
    link: &InstalledLink,
    wanted: &TcFilter,
) -> Option<FoundFilter> {
    let (ifindex, namespace) = interface_of(link, wanted)?;
    // By record where there is one, since pins may have vanished; by pin for a pending load.
    let ours: Vec<u32> = installed
        .programs
        .iter()
        .filter_map(|program| {
            program.id.or_else(|| ProgramInfo::from_pin(&program.pin).ok().map(|info| info.id()))
        })
        .collect();
    let filter = tc::filters(ifindex, wanted.direction).ok()?.into_iter().find(|filter| {
        filter.handle == wanted.handle
            && filter.priority == wanted.priority
            && filter.program_id.is_some_and(|id| ours.contains(&id))
    })?;
    Some(FoundFilter { ifindex, filter, _namespace: namespace })
}

/// The interface that the filter was made on, if it and its namespace are still the same.
fn interface_of(link: &InstalledLink, wanted: &TcFilter) -> Option<(u32, netns::Entered)> {
    let AttachTarget::Tc { interface, netns, .. } = &link.point.target else { return None };
    let namespace = netns::enter(netns.as_ref()).ok()?;
    if wanted.netns.is_some_and(|id| id != namespace.id()) {
        return None;
    }
    let ifindex = wanted.ifindex.or_else(|| netns::interface_index(interface))?;
    Some((ifindex, namespace))
}

fn remove_filter(
    installed: &Installed,
    link: &InstalledLink,
    wanted: &TcFilter,
) -> Result<(), KernelError> {
    let failed = |error: std::io::Error| KernelError::Pin {
        action: "remove clsact filter of".to_owned(),
        path: installed.pin_dir.clone(),
        cause: error.to_string(),
    };
    if let Some(found) = find_filter(installed, link, wanted) {
        tc::remove_filter(found.ifindex, &found.filter).map_err(failed)?;
    }
    if wanted.clsact_mark.exists() {
        if let Some((ifindex, _namespace)) = interface_of(link, wanted) {
            tc::remove_clsact_if_empty(ifindex).map_err(failed)?;
        }
        std::fs::remove_dir(&wanted.clsact_mark).map_err(failed)?;
    }
    Ok(())
}
