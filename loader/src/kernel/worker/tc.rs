//! clsact filters over rtnetlink: what aya does not offer. Works in the thread's namespace.
//!
//! A filter is ours only if the program id that the kernel reports for it is one we pinned.

use std::io;

use bpf_image_spec::attach::Direction;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::tc::{
    TcAttribute, TcFilterBpfOption, TcHandle, TcHeader, TcMessage, TcOption,
};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

/// `ETH_P_ALL` in network byte order, the protocol aya makes filters with.
const ETH_P_ALL_BE: u16 = 0x0003_u16.to_be();

/// A bpf filter that the kernel reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) direction: Direction,
    pub(super) priority: u16,
    pub(super) handle: u32,
    pub(super) program_id: Option<u32>,
}

/// Adds the clsact qdisc; `true` if it was not there before.
pub(super) fn add_clsact(ifindex: u32) -> io::Result<bool> {
    let mut message = qdisc(ifindex)?;
    message.attributes.push(TcAttribute::Kind("clsact".to_owned()));
    let request = RouteNetlinkMessage::NewQueueDiscipline(message);
    match exchange(request, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes the clsact qdisc if no filter, whoever's, is left on it; `true` if there is none now.
pub(super) fn remove_clsact_if_empty(ifindex: u32) -> io::Result<bool> {
    for direction in [Direction::Ingress, Direction::Egress] {
        if !dump(ifindex, direction)?.is_empty() {
            return Ok(false);
        }
    }
    let request = RouteNetlinkMessage::DelQueueDiscipline(qdisc(ifindex)?);
    match exchange(request, NLM_F_REQUEST | NLM_F_ACK) {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(true),
    }
}

/// Indexes of the interfaces of the namespace that the thread is in.
pub(super) fn interfaces() -> io::Result<Vec<u32>> {
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    let answers = exchange(request, NLM_F_REQUEST | NLM_F_DUMP)?;
    let indexes = answers.into_iter().filter_map(|answer| match answer {
        RouteNetlinkMessage::NewLink(link) => Some(link.header.index),
        _ => None,
    });
    Ok(indexes.collect())
}

/// The bpf filters on an interface.
pub(super) fn filters(ifindex: u32, direction: Direction) -> io::Result<Vec<Filter>> {
    let messages = dump(ifindex, direction)?;
    Ok(messages.iter().filter_map(|message| read_filter(message, direction)).collect())
}

/// Removes one filter.
pub(super) fn remove_filter(ifindex: u32, filter: &Filter) -> io::Result<()> {
    let mut message = TcMessage::with_index(index(ifindex)?);
    message.header.parent = parent(filter.direction);
    message.header.handle = TcHandle::from(filter.handle);
    message.header.info = u32::from(filter.priority) << 16 | u32::from(ETH_P_ALL_BE);
    message.attributes.push(TcAttribute::Kind("bpf".to_owned()));
    let request = RouteNetlinkMessage::DelTrafficFilter(message);
    exchange(request, NLM_F_REQUEST | NLM_F_ACK).map(drop)
}

/// The kernel's words for "no such interface, qdisc or filter".
fn is_absent(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV | libc::EINVAL))
}

/// Every filter of any kind in one direction; none where there is no clsact.
fn dump(ifindex: u32, direction: Direction) -> io::Result<Vec<TcMessage>> {
    let mut message = TcMessage::with_index(index(ifindex)?);
    message.header.parent = parent(direction);
    let request = RouteNetlinkMessage::GetTrafficFilter(message);
    let answers = match exchange(request, NLM_F_REQUEST | NLM_F_DUMP) {
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        other => other?,
    };
    let found = answers.into_iter().filter_map(|answer| match answer {
        // A chain is announced by a message without handle before its filters.
        RouteNetlinkMessage::NewTrafficFilter(message)
            if message.header.handle != TcHandle::UNSPEC =>
        {
            Some(message)
        }
        _ => None,
    });
    Ok(found.collect())
}

fn read_filter(message: &TcMessage, direction: Direction) -> Option<Filter> {
    let is_bpf = message
        .attributes
        .iter()
        .any(|attribute| matches!(attribute, TcAttribute::Kind(kind) if kind == "bpf"));
    let options = message.attributes.iter().find_map(|attribute| match attribute {
        TcAttribute::Options(options) => Some(options),
        _ => None,
    });
    let program_id = options.into_iter().flatten().find_map(|option| match option {
        TcOption::Bpf(TcFilterBpfOption::ProgId(id)) => Some(*id),
        _ => None,
    });
    is_bpf.then(|| Filter {
        direction,
        priority: priority_of(&message.header),
        handle: message.header.handle.into(),
        program_id,
    })
}

/// `tcm_info` holds the priority above the protocol (`TC_H_MAJ`, `net/sched/cls_api.c`).
fn priority_of(header: &TcHeader) -> u16 {
    u16::try_from(header.info >> 16).unwrap_or_default()
}

fn parent(direction: Direction) -> TcHandle {
    let minor = match direction {
        Direction::Ingress => TcHandle::MIN_INGRESS,
        Direction::Egress => TcHandle::MIN_EGRESS,
    };
    TcHandle { major: u16::MAX, minor }
}

fn qdisc(ifindex: u32) -> io::Result<TcMessage> {
    let mut message = TcMessage::with_index(index(ifindex)?);
    message.header.parent = TcHandle::CLSACT;
    message.header.handle = TcHandle { major: u16::MAX, minor: 0 };
    Ok(message)
}

fn index(ifindex: u32) -> io::Result<i32> {
    i32::try_from(ifindex).map_err(io::Error::other)
}

/// Sends one request and reads up to its acknowledgement or the end of its dump.
fn exchange(request: RouteNetlinkMessage, flags: u16) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut message = NetlinkMessage::from(request);
    message.header.flags = flags;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let mut answers = Vec::new();
    loop {
        let (bytes, _) = socket.recv_from_full()?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let message: NetlinkMessage<RouteNetlinkMessage> =
                NetlinkMessage::deserialize(rest).map_err(io::Error::other)?;
            let length = message.header.length as usize;
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(answers),
                NetlinkPayload::Error(error) => {
                    return match error.code {
                        None => Ok(answers),
                        Some(_) => Err(error.to_io()),
                    };
                }
                NetlinkPayload::InnerMessage(inner) => answers.push(inner),
                _ => {}
            }
            // Messages are aligned to four bytes; a length of zero would never end.
            let step = length.max(1).next_multiple_of(4).min(rest.len());
            rest = rest.get(step..).unwrap_or_default();
        }
    }
}
