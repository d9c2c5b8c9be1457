//! What the kernel shows of an instance.

use aya::maps::MapInfo;
use aya::programs::ProgramInfo;
use aya::programs::links::{FdLink, PinnedLink};

use super::{sys, unload};
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
        Held::PinnedLink { pin, .. } => match PinnedLink::from_pin(pin) {
            Err(_) => LinkState::Absent,
            Ok(pinned) => {
                let link = FdLink::from(pinned);
                match link.info().ok().and_then(|info| sys::link_ifindex(info.id())) {
                    // The kernel keeps the link of an interface that went away, with index 0.
                    Some(0) => LinkState::Defunct,
                    _ => LinkState::Attached,
                }
            }
        },
        Held::TcFilter(filter) => match unload::find_filter(installed, link, filter) {
            Some(_) => LinkState::Attached,
            None => LinkState::Absent,
        },
    }
}
