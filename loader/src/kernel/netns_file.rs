//! The files that stand for network namespaces. Looking at one needs no privilege, so the command
//! does it too: a pending record already says which namespace is meant.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use bpf_image_spec::attach::NetNs;

use super::protocol::NetNsId;

/// Where `ip netns` keeps its namespaces.
pub(super) const RUN_NETNS: &str = "/run/netns";

/// The file of `netns`; absent: of the namespace this process is in.
pub(super) fn path(netns: Option<&NetNs>) -> PathBuf {
    match netns {
        None => PathBuf::from("/proc/thread-self/ns/net"),
        Some(NetNs::Name(name)) => PathBuf::from(RUN_NETNS).join(name),
        Some(NetNs::Path(path)) => path.clone(),
        Some(NetNs::Pid(pid)) => PathBuf::from(format!("/proc/{pid}/ns/net")),
    }
}

/// Which namespace `netns` names now.
pub(crate) fn identify(netns: Option<&NetNs>) -> io::Result<NetNsId> {
    std::fs::metadata(path(netns)).map(|metadata| id(&metadata))
}

/// Device and inode: the same for every file of one namespace, for as long as it lives.
pub(super) fn id(metadata: &Metadata) -> NetNsId {
    NetNsId { dev: metadata.dev(), ino: metadata.ino() }
}
