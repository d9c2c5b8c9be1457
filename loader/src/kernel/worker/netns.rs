//! Entering network namespaces, and coming back.

use std::fs::File;
use std::marker::PhantomData;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bpf_image_spec::attach::NetNs;
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::kernel::protocol::NetNsId;

/// The thread is in another network namespace until this is dropped.
#[derive(Debug)]
pub(super) struct Entered {
    back: Option<File>,
    id: NetNsId,
    /// A namespace belongs to the thread that entered it.
    not_send: PhantomData<*const ()>,
}

/// Why a namespace could not be entered.
#[derive(Debug, thiserror::Error)]
pub(super) enum NetNsError {
    /// There is no such file.
    #[error("network namespace {0} does not exist")]
    Absent(String),
    /// It is there and cannot be opened or entered.
    #[error("network namespace {0} cannot be entered")]
    Enter(String, #[source] std::io::Error),
}

impl Entered {
    /// Identity of the namespace.
    pub(super) const fn id(&self) -> NetNsId {
        self.id
    }
}

/// Enters `netns`, or stays where the thread is.
pub(super) fn enter(netns: Option<&NetNs>) -> Result<Entered, NetNsError> {
    let own = Path::new("/proc/thread-self/ns/net");
    let Some(netns) = netns else {
        let file = open(own, "of this process")?;
        return Ok(Entered { back: None, id: id_of(&file, "")?, not_send: PhantomData });
    };
    let (path, name) = match netns {
        NetNs::Name(name) => (PathBuf::from("/run/netns").join(name), format!("`{name}`")),
        NetNs::Path(path) => (path.clone(), path.display().to_string()),
        NetNs::Pid(pid) => (PathBuf::from(format!("/proc/{pid}/ns/net")), format!("of pid {pid}")),
    };
    let target = open(&path, &name)?;
    let back = open(own, "of this process")?;
    let id = id_of(&target, &name)?;
    move_into_link_name_space(target.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|error| NetNsError::Enter(name, error.into()))?;
    Ok(Entered { back: Some(back), id, not_send: PhantomData })
}

/// Index of an interface of the namespace that the thread is in.
pub(super) fn interface_index(name: &str) -> Option<u32> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).ok()?;
    name_to_index(socket, name).ok()
}

fn open(path: &Path, name: &str) -> Result<File, NetNsError> {
    File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => NetNsError::Absent(name.to_owned()),
        _ => NetNsError::Enter(name.to_owned(), error),
    })
}

fn id_of(file: &File, name: &str) -> Result<NetNsId, NetNsError> {
    let metadata = file.metadata().map_err(|error| NetNsError::Enter(name.to_owned(), error))?;
    Ok(NetNsId { dev: metadata.dev(), ino: metadata.ino() })
}

impl Drop for Entered {
    fn drop(&mut self) {
        let Some(back) = &self.back else { return };
        if move_into_link_name_space(back.as_fd(), Some(LinkNameSpaceType::Network)).is_err() {
            // Going on in a namespace that nobody asked for would attach to the wrong interface.
            std::process::abort();
        }
    }
}
