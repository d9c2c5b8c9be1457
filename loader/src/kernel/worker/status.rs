//! What the kernel shows of an instance.

use aya::maps::MapInfo;
use aya::programs::ProgramInfo;

use super::{clsact, sys};
use crate::kernel::protocol::{Held, Installed, InstalledLink, LinkState, Status};

/// Looks at each pin and filter of `installed`.
pub(super) fn status(installed: &Installed) -> Status {
    Status {
        programs: installed
            .programs
            .iter()
            .map(|program| ProgramInfo::from_pin(&program.pin).ok().map(|info| info.id()))
            .collect(),
        maps: installed
            .maps
            .iter()
            .map(|map| MapInfo::from_pin(&map.pin).ok().map(|info| info.id()))
            .collect(),
        links: installed.links.iter().map(|link| link_state(installed, link)).collect(),
    }
}

fn link_state(installed: &Installed, link: &InstalledLink) -> LinkState {
    match &link.held {
        Held::PinnedLink { id, pin } => match sys::pinned_link(pin) {
            Err(_) => LinkState::Absent,
            Ok(seen) if id.is_some_and(|id| id != seen.id) => LinkState::Absent,
            // The kernel keeps the link of an interface or cgroup that went away.
            Ok(seen) if seen.target_gone => LinkState::Defunct,
            Ok(_) => LinkState::Attached,
        },
        Held::TcFilter(filter) => match clsact::is_there(installed, link, filter) {
            Ok(true) => LinkState::Attached,
            Ok(false) | Err(_) => LinkState::Absent,
        },
    }
}
