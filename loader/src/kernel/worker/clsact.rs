//! Our filters on clsact qdiscs: made, found again, removed.
//!
//! A filter is ours only if the kernel says that it runs a program of ours. A qdisc is ours if a
//! *mark* says so: a directory on bpffs beside the instances, one for each interface, so that it
//! is known after a kill and whichever instance is the last to leave. Only an empty qdisc is
//! ever removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aya::programs::ProgramInfo;
use bpf_image_spec::attach::{AttachTarget, Direction};

use super::netns::{self, Entered};
use super::tc;
use crate::kernel::protocol::{Installed, InstalledLink, NetNsId, TcFilter};

/// `enum bpf_prog_type` (uapi/linux/bpf.h).
const BPF_PROG_TYPE_SCHED_CLS: u32 = 3;

/// An interface that a filter is on; the thread is in its namespace.
struct Hook {
    namespace: Entered,
    ifindex: u32,
}

/// Makes the qdisc if there is none, and marks it as ours. The mark comes first: a kill between
/// the two leaves one too many, which is harmless.
pub(super) fn make(pin_dir: &Path, netns: NetNsId, ifindex: u32) -> io::Result<()> {
    let mark = mark(pin_dir, netns, ifindex);
    let marked_before = mark.exists();
    if !marked_before {
        fs::create_dir_all(&mark)?;
    }
    if !tc::add_clsact(ifindex)? && !marked_before {
        remove_mark(&mark)?;
    }
    Ok(())
}

/// Whether the filter is there.
pub(super) fn is_there(
    installed: &Installed,
    link: &InstalledLink,
    wanted: &TcFilter,
) -> io::Result<bool> {
    let Some(hook) = hook(link, wanted)? else { return Ok(false) };
    Ok(find(installed, &hook, wanted)?.is_some())
}

/// Removes the filter if it is there, and the qdisc if it was ours and is empty now.
pub(super) fn remove(
    installed: &Installed,
    link: &InstalledLink,
    wanted: &TcFilter,
) -> io::Result<()> {
    let Some(hook) = hook(link, wanted)? else {
        // Namespace or interface are gone, and with them all that was on them.
        if let (Some(netns), Some(ifindex)) = (wanted.netns, wanted.ifindex) {
            remove_mark(&mark(&installed.pin_dir, netns, ifindex))?;
        }
        return Ok(());
    };
    if let Some(filter) = find(installed, &hook, wanted)? {
        tc::remove_filter(hook.ifindex, &filter)?;
    }
    leave(&installed.pin_dir, hook.namespace.id(), hook.ifindex)
}

/// Removes every filter, on whatever interface of whatever namespace, that runs a program pinned
/// under `pin_dir`: for pins whose record is gone.
pub(super) fn sweep(pin_dir: &Path) -> io::Result<()> {
    let ours = pinned_classifiers(&pin_dir.join("programs"));
    if ours.is_empty() {
        return Ok(());
    }
    for file in netns::all().into_values() {
        let namespace = match netns::enter_file(&file) {
            // It ended while we looked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        for ifindex in tc::interfaces()? {
            let mut removed = false;
            for direction in [Direction::Ingress, Direction::Egress] {
                for filter in tc::filters(ifindex, direction)? {
                    if filter.program_id.is_some_and(|id| ours.contains(&id)) {
                        tc::remove_filter(ifindex, &filter)?;
                        removed = true;
                    }
                }
            }
            if removed {
                leave(pin_dir, namespace.id(), ifindex)?;
            }
        }
    }
    Ok(())
}

/// Ids of the classifiers pinned in `dir`.
fn pinned_classifiers(dir: &Path) -> Vec<u32> {
    let entries = fs::read_dir(dir);
    entries
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| ProgramInfo::from_pin(entry.path()).ok())
        .filter(|info| info.program_type() as u32 == BPF_PROG_TYPE_SCHED_CLS)
        .map(|info| info.id())
        .collect()
}

/// The interface that the filter was made on, in the very namespace, whatever that is called now.
fn hook(link: &InstalledLink, wanted: &TcFilter) -> io::Result<Option<Hook>> {
    let AttachTarget::Tc { interface, netns, .. } = &link.point.target else { return Ok(None) };
    let named = match netns::enter(netns.as_ref()) {
        Ok(namespace) => Some(namespace),
        Err(netns::NetNsError::Absent(_)) => None,
        Err(netns::NetNsError::Enter(_, error)) => return Err(error),
    };
    let namespace = match wanted.netns {
        Some(id) if named.as_ref().is_none_or(|namespace| namespace.id() != id) => {
            // Left first: whoever leaves goes back to where it came from.
            drop(named);
            netns::enter_id(id)?
        }
        _ => named,
    };
    let Some(namespace) = namespace else { return Ok(None) };
    let ifindex = wanted.ifindex.or_else(|| netns::interface_index(interface));
    Ok(ifindex.map(|ifindex| Hook { namespace, ifindex }))
}

fn find(installed: &Installed, hook: &Hook, wanted: &TcFilter) -> io::Result<Option<tc::Filter>> {
    // By record where there is one, since pins may have vanished; by pin for a pending load.
    let ours: Vec<u32> = installed
        .programs
        .iter()
        .filter_map(|program| {
            program.id.or_else(|| ProgramInfo::from_pin(&program.pin).ok().map(|info| info.id()))
        })
        .collect();
    let filters = tc::filters(hook.ifindex, wanted.direction)?;
    Ok(filters.into_iter().find(|filter| {
        filter.handle == wanted.handle
            && filter.priority == wanted.priority
            && filter.program_id.is_some_and(|id| ours.contains(&id))
    }))
}

/// After a filter of ours has left an interface: the qdisc goes if it was ours and nothing else,
/// ours or foreign, is on it.
fn leave(pin_dir: &Path, netns: NetNsId, ifindex: u32) -> io::Result<()> {
    let mark = mark(pin_dir, netns, ifindex);
    if mark.exists() && tc::remove_clsact_if_empty(ifindex)? {
        remove_mark(&mark)?;
    }
    Ok(())
}

fn remove_mark(mark: &Path) -> io::Result<()> {
    match fs::remove_dir(mark) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if let Some(marks) = mark.parent() {
        // Other interfaces may be marked.
        let _ = fs::remove_dir(marks);
    }
    Ok(())
}

/// `ROOT/v1/clsact/INODE_IFINDEX`, from `ROOT/v1/INSTANCE/GENERATION`.
fn mark(pin_dir: &Path, netns: NetNsId, ifindex: u32) -> PathBuf {
    let version = pin_dir.ancestors().nth(2).unwrap_or(pin_dir);
    version.join("clsact").join(format!("{}_{ifindex}", netns.ino))
}
