//! The bpf(2) calls that aya keeps to itself. The only unsafe code of the project.
//!
//! Each call fills a zeroed `union bpf_attr` (uapi/linux/bpf.h) by offset: the kernel reads as
//! many bytes as it is told and wants the rest zero.
#![expect(unsafe_code, reason = "bpf(2) takes pointers; the one module that makes such calls")]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_GET_NEXT_KEY: libc::c_long = 4;
const BPF_OBJ_GET: libc::c_long = 7;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;

/// `enum bpf_link_type`: the kinds whose information starts with what they are attached to.
const BPF_LINK_TYPE_CGROUP: u32 = 3;
const BPF_LINK_TYPE_XDP: u32 = 6;
const BPF_LINK_TYPE_TCX: u32 = 11;
const BPF_LINK_TYPE_NETKIT: u32 = 13;

/// Long enough for every command used here.
type Attr = [u64; 16];

/// A map's descriptor.
#[derive(Debug, Clone, Copy)]
pub(super) struct MapFd<'a>(BorrowedFd<'a>);

impl<'a> MapFd<'a> {
    pub(super) fn new(map: &'a impl AsFd) -> Self {
        Self(map.as_fd())
    }
}

/// The key after `key`, or the first; `None` at the end.
///
/// `key_size` is the map's: the kernel reads and writes that many bytes.
pub(super) fn next_key(
    map: &MapFd<'_>,
    key: Option<&[u8]>,
    key_size: usize,
) -> io::Result<Option<Vec<u8>>> {
    if key.is_some_and(|key| key.len() != key_size) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut next = vec![0_u8; key_size];
    let mut attr: Attr = [0; 16];
    attr[0] = fd_word(map.0);
    attr[1] = key.map_or(0, |key| key.as_ptr() as u64);
    attr[2] = next.as_mut_ptr() as u64;
    // SAFETY: `key` is null or of the map's key size, `next` is of that size; both outlive the call.
    unsafe { found(bpf(BPF_MAP_GET_NEXT_KEY, &mut attr), next) }
}

/// The value of `key`; `None` if there is none. `size` is what the kernel writes for the map:
/// the value's size, or for per-CPU maps that, rounded up to eight, for each possible CPU.
pub(super) fn lookup(map: &MapFd<'_>, key: &[u8], size: usize) -> io::Result<Option<Vec<u8>>> {
    let mut value = vec![0_u8; size];
    let mut attr: Attr = [0; 16];
    attr[0] = fd_word(map.0);
    attr[1] = key.as_ptr() as u64;
    attr[2] = value.as_mut_ptr() as u64;
    // SAFETY: the caller took the sizes from the map's own information; both buffers outlive the
    // call.
    unsafe { found(bpf(BPF_MAP_LOOKUP_ELEM, &mut attr), value) }
}

/// What the kernel tells of a pinned link.
#[derive(Debug, Clone, Copy)]
pub(super) struct PinnedLink {
    /// Its id.
    pub(super) id: u32,
    /// Whether the interface or cgroup that it was made for is gone.
    pub(super) target_gone: bool,
}

/// Opens the link pinned at `path` and reads its information. A pin of another kind is an error.
pub(super) fn pinned_link(path: &Path) -> io::Result<PinnedLink> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut attr: Attr = [0; 16];
    attr[0] = path.as_ptr() as u64;
    // SAFETY: `path` ends with NUL and outlives the call; the result is a descriptor of ours.
    let link = unsafe {
        let fd = bpf(BPF_OBJ_GET, &mut attr)?;
        OwnedFd::from_raw_fd(RawFd::try_from(fd).map_err(io::Error::other)?)
    };
    // struct bpf_link_info: type, id, prog_id, padding, then a union by type.
    let mut info = [0_u32; 64];
    let mut attr: Attr = [0; 16];
    let length = u32::try_from(size_of_val(&info)).map_err(io::Error::other)?;
    attr[0] = u64::from_ne_bytes(pair(link.as_raw_fd().cast_unsigned(), length));
    attr[1] = info.as_mut_ptr() as u64;
    // SAFETY: the kernel writes at most the length given, which is the buffer's.
    unsafe { bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attr)? };
    let target_gone = match info[0] {
        // Index of the interface.
        BPF_LINK_TYPE_XDP | BPF_LINK_TYPE_TCX | BPF_LINK_TYPE_NETKIT => info[4] == 0,
        // 64-bit id of the cgroup.
        BPF_LINK_TYPE_CGROUP => info[4] == 0 && info[5] == 0,
        _ => false,
    };
    Ok(PinnedLink { id: info[1], target_gone })
}

/// Two `u32` fields that share one word of the attribute.
fn pair(first: u32, second: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&first.to_ne_bytes());
    bytes[4..].copy_from_slice(&second.to_ne_bytes());
    bytes
}

fn fd_word(fd: BorrowedFd<'_>) -> u64 {
    u64::from_ne_bytes(pair(fd.as_raw_fd().cast_unsigned(), 0))
}

/// bpf(2).
///
/// # Safety
/// Pointers in `attr` must be valid for what `command` reads and writes.
unsafe fn bpf(command: libc::c_long, attr: &mut Attr) -> io::Result<libc::c_long> {
    // SAFETY: `attr` is as long as the size given; the rest is the caller's promise.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, attr.as_mut_ptr(), size_of::<Attr>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn found(result: io::Result<libc::c_long>, buffer: Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    match result {
        Ok(_) => Ok(Some(buffer)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}
