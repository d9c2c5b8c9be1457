//! One attach point: make the link, pin what holds it.

use std::fs::File;
use std::io;
use std::num::NonZeroU32;
use std::path::Path;

use aya::programs::links::FdLink;
use aya::programs::tc::{NlOptions, TcAttachOptions, TcHandle};
use aya::programs::uprobe::{UProbeAttachLocation, UProbeError, UProbeScope};
use aya::programs::{
    CgroupAttachMode, CgroupSkbAttachType, LinkOrder, Program, ProgramError, TcAttachType,
    XdpMode as AyaXdpMode,
};
use bpf_image_spec::attach::{AttachTarget, Direction, NetNs, XdpMode};

use super::netns::{self, NetNsError};
use super::{chain, clsact, errno, mounts, not_permitted};
use crate::kernel::error::KernelError;
use crate::kernel::protocol::{Held, InstalledLink, LinkPlan, TcFilter};

/// Looks for every interface, namespace and file before anything is loaded.
pub(super) fn require_targets(links: &[LinkPlan]) -> Result<(), KernelError> {
    for link in links {
        match &link.point.target {
            AttachTarget::Xdp { interface, netns, .. }
            | AttachTarget::Tcx { interface, netns, .. }
            | AttachTarget::Tc { interface, netns, .. } => {
                in_netns(link, netns.as_ref(), |_| find_interface(link, interface).map(drop))?;
            }
            AttachTarget::Uprobe { path, .. } | AttachTarget::CgroupSkb { path, .. } => {
                require_path(link, path)?;
            }
            AttachTarget::Tracepoint { category, name } => {
                let events = mounts::require_tracefs()?.join("events");
                if !events.join(category).join(name).exists() {
                    return Err(no_target(link, format!("tracepoint `{category}/{name}`")));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Attaches `program`, which is loaded, at `link`'s point.
pub(super) fn attach(
    program: &mut Program,
    link: &LinkPlan,
    pin_dir: &Path,
) -> Result<InstalledLink, KernelError> {
    let held = match &link.point.target {
        AttachTarget::Xdp { interface, netns, mode } => in_netns(link, netns.as_ref(), |_| {
            let Program::Xdp(program) = program else { return Err(wrong_type(link)) };
            let ifindex = find_interface(link, interface)?;
            let mode = match mode {
                XdpMode::Auto => AyaXdpMode::Default,
                XdpMode::Native => AyaXdpMode::Driver,
                XdpMode::Generic => AyaXdpMode::Skb,
            };
            let id = program.attach_to_if_index(ifindex, mode);
            keep(link, id.and_then(|id| program.take_link(id)))
        })?,
        AttachTarget::Tcx { interface, netns, .. } => in_netns(link, netns.as_ref(), |_| {
            let Program::SchedClassifier(program) = program else { return Err(wrong_type(link)) };
            find_interface(link, interface)?;
            let options = TcAttachOptions::TcxOrder(LinkOrder::default());
            let kind = attach_type(direction(link)?);
            let id = program.attach_with_options(interface, kind, options);
            keep(link, id.and_then(|id| program.take_link(id)))
        })?,
        AttachTarget::Tc { interface, netns, priority, .. } => {
            in_netns(link, netns.as_ref(), |namespace| {
                attach_filter(program, link, interface, *priority, namespace, pin_dir)
            })?
        }
        AttachTarget::Tracepoint { category, name } => {
            let Program::TracePoint(program) = program else { return Err(wrong_type(link)) };
            let id = program.attach(category, name);
            keep(link, id.and_then(|id| program.take_link(id)))?
        }
        AttachTarget::RawTracepoint { name } => {
            let Program::RawTracePoint(program) = program else { return Err(wrong_type(link)) };
            let id = program.attach(name);
            keep(link, id.and_then(|id| program.take_link(id)))?
        }
        AttachTarget::Uprobe { path, symbol, offset, pid, .. } => {
            let Program::UProbe(program) = program else { return Err(wrong_type(link)) };
            let location = match symbol {
                Some(symbol) => UProbeAttachLocation::SymbolOffset(symbol, *offset),
                None => UProbeAttachLocation::AbsoluteOffset(*offset),
            };
            let scope = match pid.and_then(NonZeroU32::new) {
                Some(pid) => UProbeScope::OneProcess(pid),
                None => UProbeScope::AllProcesses,
            };
            let id = program.attach(location, path, scope);
            keep(link, id.and_then(|id| program.take_link(id)))?
        }
        AttachTarget::CgroupSkb { path, .. } => {
            let Program::CgroupSkb(program) = program else { return Err(wrong_type(link)) };
            let cgroup = require_path(link, path)?;
            let kind = match direction(link)? {
                Direction::Ingress => CgroupSkbAttachType::Ingress,
                Direction::Egress => CgroupSkbAttachType::Egress,
            };
            // A bpf_link to a cgroup is always one of many; the flag for it is refused.
            let id = program.attach(cgroup, kind, CgroupAttachMode::Single);
            keep(link, id.and_then(|id| program.take_link(id)))?
        }
        _ => return Err(wrong_type(link)),
    };
    Ok(InstalledLink { point: link.point.clone(), held })
}

fn attach_filter(
    program: &mut Program,
    link: &LinkPlan,
    interface: &str,
    priority: u16,
    namespace: &netns::Entered,
    pin_dir: &Path,
) -> Result<Held, KernelError> {
    let Program::SchedClassifier(program) = program else { return Err(wrong_type(link)) };
    let ifindex = find_interface(link, interface)?;
    let direction = direction(link)?;
    let failed = |error: io::Error| attach_error(link, &ProgramError::IOError(error));
    clsact::make(pin_dir, namespace.id(), ifindex).map_err(failed)?;
    let handle = TcHandle::from(link.tc_handle);
    let options = TcAttachOptions::Netlink(NlOptions { priority, handle, classid: None });
    let id = program.attach_with_options(interface, attach_type(direction), options);
    let made =
        id.and_then(|id| program.take_link(id)).map_err(|error| attach_error(link, &error))?;
    // aya detaches a filter when its link is dropped; this one is to stay.
    std::mem::forget(made);
    Ok(Held::TcFilter(TcFilter {
        direction,
        priority,
        handle: link.tc_handle,
        ifindex: Some(ifindex),
        netns: Some(namespace.id()),
    }))
}

/// Pins what was made; what cannot be pinned would end with this process, and is refused.
fn keep<L: TryInto<FdLink>>(
    link: &LinkPlan,
    made: Result<L, ProgramError>,
) -> Result<Held, KernelError> {
    let made = made.map_err(|error| attach_error(link, &error))?;
    let made: FdLink = made.try_into().map_err(|_| KernelError::Unsupported {
        action: format!("keep `{}` when the command ends", link.point),
        cause: "it has no link of this kind that can be pinned".to_owned(),
    })?;
    let failed = |cause: String| KernelError::Pin {
        action: "pin link".to_owned(),
        path: link.pin.clone(),
        cause,
    };
    let id = made.info().map_err(|error| failed(chain(&error)))?.id();
    made.pin(&link.pin).map_err(|error| failed(chain(&error)))?;
    Ok(Held::PinnedLink { id: Some(id), pin: link.pin.clone() })
}

fn in_netns<T>(
    link: &LinkPlan,
    netns: Option<&NetNs>,
    body: impl FnOnce(&netns::Entered) -> Result<T, KernelError>,
) -> Result<T, KernelError> {
    match netns::enter(netns) {
        Ok(entered) => body(&entered),
        Err(NetNsError::Absent(name)) => Err(no_target(link, format!("network namespace {name}"))),
        Err(error @ NetNsError::Enter(..)) if errno(&error) == Some(libc::EPERM) => {
            Err(not_permitted("entering a network namespace", chain(&error)))
        }
        Err(error) => {
            Err(KernelError::Attach { point: link.point.to_string(), cause: chain(&error) })
        }
    }
}

fn find_interface(link: &LinkPlan, interface: &str) -> Result<u32, KernelError> {
    netns::interface_index(interface)
        .ok_or_else(|| no_target(link, format!("interface `{interface}`")))
}

fn require_path(link: &LinkPlan, path: &Path) -> Result<File, KernelError> {
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => no_target(link, path.display().to_string()),
        _ => KernelError::Attach { point: link.point.to_string(), cause: error.to_string() },
    })
}

fn direction(link: &LinkPlan) -> Result<Direction, KernelError> {
    link.direction.ok_or_else(|| KernelError::Attach {
        point: link.point.to_string(),
        cause: "neither the attach point nor the section says ingress or egress".to_owned(),
    })
}

const fn attach_type(direction: Direction) -> TcAttachType {
    match direction {
        Direction::Ingress => TcAttachType::Ingress,
        Direction::Egress => TcAttachType::Egress,
    }
}

fn attach_error(link: &LinkPlan, error: &ProgramError) -> KernelError {
    let point = link.point.to_string();
    let cause = chain(error);
    if let ProgramError::UProbeError(UProbeError::SymbolError { symbol, error }) = error {
        // The cause alone tells only where else it was looked for: `failed to access debuglink …`.
        let cause = format!("symbol `{symbol}` is not found ({})", chain(error.as_ref()));
        return KernelError::Attach { point, cause };
    }
    match errno(error) {
        Some(libc::EBUSY | libc::EEXIST) => KernelError::Busy { point, cause: holder(link, cause) },
        Some(libc::EPERM | libc::EACCES) => not_permitted(&format!("attaching `{point}`"), cause),
        Some(libc::ENOENT | libc::ENODEV) => {
            KernelError::NoTarget { what: target(&link.point.target, &cause), point }
        }
        Some(libc::EOPNOTSUPP) if matches!(link.point.target, AttachTarget::Xdp { .. }) => {
            KernelError::Attach {
                point,
                cause: "the interface's driver has no XDP; `mode=generic` works on any".to_owned(),
            }
        }
        _ => KernelError::Attach { point, cause },
    }
}

/// What an attach point leads to, in words, when the kernel has no such thing.
fn target(target: &AttachTarget, cause: &str) -> String {
    match target {
        AttachTarget::Tracepoint { category, name } => format!("tracepoint `{category}/{name}`"),
        AttachTarget::RawTracepoint { name } => format!("raw tracepoint `{name}`"),
        _ => format!("its target ({cause})"),
    }
}

/// What is known of a hook that is taken: one XDP program an interface, unless a dispatcher runs.
fn holder(link: &LinkPlan, cause: String) -> String {
    match &link.point.target {
        AttachTarget::Xdp { interface, .. } => {
            format!("interface `{interface}` already has an XDP program ({cause})")
        }
        AttachTarget::Tc { priority, .. } => {
            format!("priority {priority} already has a filter with this handle ({cause})")
        }
        _ => cause,
    }
}

fn no_target(link: &LinkPlan, what: String) -> KernelError {
    KernelError::NoTarget { point: link.point.to_string(), what }
}

fn wrong_type(link: &LinkPlan) -> KernelError {
    KernelError::Attach {
        point: link.point.to_string(),
        cause: format!("program `{}` is not of a type that attaches there", link.point.program),
    }
}
