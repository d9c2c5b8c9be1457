//! Entering network namespaces, and coming back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use bpf_image_spec::attach::NetNs;
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::kernel::netns_file::{self, RUN_NETNS};
use crate::kernel::protocol::NetNsId;

/// The thread is in another network namespace until this is dropped.
#[derive(Debug)]
pub(super) struct Entered {
    back: File,
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
    Enter(String, #[source] io::Error),
}

impl Entered {
    /// Identity of the namespace.
    pub(super) const fn id(&self) -> NetNsId {
        self.id
    }
}

/// Enters `netns`, or stays where the thread is.
pub(super) fn enter(netns: Option<&NetNs>) -> Result<Entered, NetNsError> {
    let name = match netns {
        None => "of this process".to_owned(),
        Some(NetNs::Name(name)) => format!("`{name}`"),
        Some(NetNs::Path(path)) => path.display().to_string(),
        Some(NetNs::Pid(pid)) => format!("of pid {pid}"),
    };
    match enter_file(&netns_file::path(netns)) {
        Ok(entered) => Ok(entered),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(NetNsError::Absent(name)),
        Err(error) => Err(NetNsError::Enter(name, error)),
    }
}

/// Enters the namespace `id` wherever something still names it; `None` if nothing does, which is
/// as good as its end: what was attached in it went with it.
pub(super) fn enter_id(id: NetNsId) -> io::Result<Option<Entered>> {
    all().remove(&(id.dev, id.ino)).map(|file| enter_file(&file)).transpose()
}

/// One file for each network namespace that a process is in or that `ip netns` has named.
pub(super) fn all() -> BTreeMap<(u64, u64), PathBuf> {
    let own = netns_file::path(None);
    let named = entries(Path::new(RUN_NETNS));
    let of_processes = entries(Path::new("/proc")).into_iter().map(|dir| dir.join("ns/net"));
    let mut found = BTreeMap::new();
    for file in std::iter::once(own).chain(named).chain(of_processes) {
        // Processes end and namespaces go while we look.
        if let Ok(metadata) = std::fs::metadata(&file) {
            let id = netns_file::id(&metadata);
            found.entry((id.dev, id.ino)).or_insert(file);
        }
    }
    found
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir);
    entries.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path()).collect()
}

/// Enters the namespace that `file` stands for.
pub(super) fn enter_file(file: &Path) -> io::Result<Entered> {
    let target = File::open(file)?;
    let id = netns_file::id(&target.metadata()?);
    let back = File::open(netns_file::path(None))?;
    if netns_file::id(&back.metadata()?) != id {
        move_into_link_name_space(target.as_fd(), Some(LinkNameSpaceType::Network))?;
    }
    Ok(Entered { back, id, not_send: PhantomData })
}

/// Index of an interface of the namespace that the thread is in.
pub(super) fn interface_index(name: &str) -> Option<u32> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).ok()?;
    name_to_index(socket, name).ok()
}

impl Drop for Entered {
    fn drop(&mut self) {
        let own = std::fs::metadata(netns_file::path(None));
        let is_back = |own| self.back.metadata().is_ok_and(|back| netns_file::id(&back) == own);
        if own.is_ok_and(|own| is_back(netns_file::id(&own))) {
            return;
        }
        if move_into_link_name_space(self.back.as_fd(), Some(LinkNameSpaceType::Network)).is_err() {
            // Going on in a namespace that nobody asked for would attach to the wrong interface.
            std::process::abort();
        }
    }
}
