//! What the command and its kernel worker say to each other.
//!
//! One request a worker: a JSON header with its length in front, then, for a load, the object's
//! bytes. The answer is JSON. Both ends are the same executable, so there is no version.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use bpf_image_spec::attach::{AttachPoint, Direction};
use bpf_image_spec::config::{MapType, ProgramType};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::KernelError;

/// What the worker is to do.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Load the object that follows, pin it, attach it, pin its links.
    Load(LoadPlan),
    /// What of this is in the kernel now.
    Status(Vec<Installed>),
    /// Detach these links.
    Detach(Installed),
    /// Detach everything, then remove every pin under the instance's directory.
    Unload(Installed),
    /// Take away what is pinned in a directory that no record tells about.
    UnloadOrphan(PathBuf),
    /// Contents of a pinned map.
    Dump(DumpPlan),
}

/// A load, fully decided: nothing in it depends on the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// bpffs that holds the pins; mounted by the worker if it is not.
    pub bpffs: PathBuf,
    /// Directory of this instance's generation, made by the worker.
    pub pin_dir: PathBuf,
    /// Programs to load.
    pub programs: Vec<ProgramPlan>,
    /// Maps to pin.
    pub maps: Vec<MapPlan>,
    /// Values of globals, in the object's byte order, exactly as long as the variable.
    pub globals: Vec<(String, Vec<u8>)>,
    /// Links to make, in this order.
    pub links: Vec<LinkPlan>,
    /// Whether the object has CO-RE relocations or BTF-typed programs.
    pub needs_kernel_btf: bool,
    /// Maps that our own reader found. aya must not find others: they would escape both the
    /// declaration and the instance.
    pub known_maps: Vec<String>,
    /// Length of the object that follows, in bytes.
    pub object_len: u64,
}

/// A program to load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramPlan {
    /// Its name in the object.
    pub name: String,
    /// Its type.
    pub program_type: ProgramType,
    /// Where it is to be pinned.
    pub pin: PathBuf,
}

/// A map to pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapPlan {
    /// Its name in the object.
    pub name: String,
    /// Where it is to be pinned.
    pub pin: PathBuf,
    /// Whether the object asks for pinning by name, which aya does while it loads.
    pub by_name: bool,
}

/// A link to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkPlan {
    /// Program and target.
    pub point: AttachPoint,
    /// Direction, where the kind has one: the attach point's, or the section's.
    pub direction: Option<Direction>,
    /// Where the link is to be pinned; clsact filters have no link to pin.
    pub pin: PathBuf,
    /// Handle of a clsact filter, chosen before it is made so that it can always be found again.
    pub tc_handle: u32,
}

/// What a load left in the kernel, or may have left there when it was interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Directory of the instance's generation.
    pub pin_dir: PathBuf,
    /// Programs.
    pub programs: Vec<InstalledProgram>,
    /// Maps.
    pub maps: Vec<InstalledMap>,
    /// Links.
    pub links: Vec<InstalledLink>,
}

/// A loaded program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledProgram {
    /// Its name in the object.
    pub name: String,
    /// Its type.
    pub program_type: ProgramType,
    /// The kernel's id; absent while the load is pending.
    pub id: Option<u32>,
    /// Where it is pinned.
    pub pin: PathBuf,
}

/// A created map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledMap {
    /// Its name in the object.
    pub name: String,
    /// The kernel's id; absent while the load is pending.
    pub id: Option<u32>,
    /// Where it is pinned.
    pub pin: PathBuf,
}

/// A made link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledLink {
    /// Program and target.
    pub point: AttachPoint,
    /// What holds it.
    pub held: Held,
}

/// What holds a link when no process does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// A `bpf_link`, pinned.
    PinnedLink {
        /// The kernel's id; absent while the load is pending.
        id: Option<u32>,
        /// Where it is pinned.
        pin: PathBuf,
    },
    /// A clsact filter, held by its interface.
    TcFilter(TcFilter),
}

/// A clsact filter and what is needed to find it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcFilter {
    /// Ingress or egress.
    pub direction: Direction,
    /// Priority.
    pub priority: u16,
    /// Handle.
    pub handle: u32,
    /// Index of the interface in its namespace; absent while the load is pending.
    pub ifindex: Option<u32>,
    /// Device and inode of the namespace: its name may come to mean another one.
    pub netns: Option<NetNsId>,
}

/// Identity of a network namespace: what its nsfs file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetNsId {
    /// Device of nsfs.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
}

/// Which part of a pinned map to read.
#[derive(Debug, Serialize, Deserialize)]
pub struct DumpPlan {
    /// The map's pin.
    pub pin: PathBuf,
    /// Entries at most.
    pub limit: usize,
}

/// What the worker did.
#[derive(Debug, Serialize, Deserialize)]
pub enum Response {
    /// The load's outcome.
    Loaded(Installed),
    /// One for each that was asked for.
    Status(Vec<Status>),
    /// Detached, unloaded.
    Done,
    /// Contents of a map.
    Dump(Dump),
}

/// What the kernel shows of one instance. Seen, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Kernel ids of programs, in the order asked; absent: not there.
    pub programs: Vec<Option<u32>>,
    /// Kernel ids of maps, in the order asked; absent: not there.
    pub maps: Vec<Option<u32>>,
    /// State of links, in the order asked.
    pub links: Vec<LinkState>,
}

/// State of one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// The program runs when its hook fires.
    Attached,
    /// The link is there and its target is not: the interface or namespace went away.
    Defunct,
    /// There is no such link.
    Absent,
}

/// Contents of a map, raw.
#[derive(Debug, Serialize, Deserialize)]
pub struct Dump {
    /// Type.
    pub map_type: Option<MapType>,
    /// Entries.
    pub entries: Vec<DumpEntry>,
    /// Whether there are more than the limit.
    pub more: bool,
}

/// One entry of a map.
#[derive(Debug, Serialize, Deserialize)]
pub struct DumpEntry {
    /// The key's bytes.
    #[serde(with = "hex_bytes")]
    pub key: Vec<u8>,
    /// The value's bytes; one for each possible CPU where the map is per-CPU.
    pub values: Vec<Hex>,
}

/// Bytes that cross the pipe as hex: arrays of numbers would be three times as long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hex(#[serde(with = "hex_bytes")] pub Vec<u8>);

/// Bytes as a string of hex digits.
mod hex_bytes {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let digits = text.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).map_err(D::Error::custom)?;
            u8::from_str_radix(pair, 16).map_err(D::Error::custom)
        });
        digits.collect()
    }
}

/// A request's answer.
pub type Answer = Result<Response, KernelError>;

/// Largest header that is read, in bytes.
const HEADER_MAX: u32 = 16 * 1024 * 1024;

/// Writes a length and a JSON value.
pub fn write_message(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&json)
}

/// Reads what [`write_message`] wrote.
pub fn read_message<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > HEADER_MAX {
        return Err(io::Error::other("message of the kernel worker is too long"));
    }
    let mut json = vec![0; length as usize];
    from.read_exact(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}
