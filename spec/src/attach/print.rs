//! The text form, written.

use std::fmt::{self, Display};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, percent_encode, percent_encode_byte};

use super::{AttachPoint, AttachTarget, Direction, NetNs, TC_PRIORITY, XdpMode};

/// What would be read as syntax.
const RESERVED: &AsciiSet = &CONTROLS.add(b'%').add(b',').add(b':').add(b' ');

/// What ends the name of a program, besides.
const RESERVED_IN_PROGRAM: &AsciiSet = &RESERVED.add(b'=').add(b'/');

fn encoded(text: &str) -> impl Display {
    percent_encode(text.as_bytes(), RESERVED).to_string()
}

fn encoded_path(path: &Path) -> impl Display {
    percent_encode(path.as_os_str().as_bytes(), RESERVED).to_string()
}

impl Display for AttachPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = percent_encode(self.program.as_bytes(), RESERVED_IN_PROGRAM);
        write!(f, "{program}={}", self.target)
    }
}

impl From<AttachPoint> for String {
    fn from(point: AttachPoint) -> Self {
        point.to_string()
    }
}

impl Display for AttachTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind())?;
        match self {
            Self::Xdp { interface, netns, mode } => {
                write!(f, "{}", encoded(interface))?;
                if *mode != XdpMode::Auto {
                    write!(f, ",mode={mode}")?;
                }
                write_netns(f, netns.as_ref())
            }
            Self::Tcx { interface, netns, direction } => {
                write!(f, "{}", encoded(interface))?;
                write_direction(f, *direction)?;
                write_netns(f, netns.as_ref())
            }
            Self::Tc { interface, netns, direction, priority } => {
                write!(f, "{}", encoded(interface))?;
                write_direction(f, *direction)?;
                if *priority != TC_PRIORITY {
                    write!(f, ",priority={priority}")?;
                }
                write_netns(f, netns.as_ref())
            }
            Self::Tracepoint { category, name } => {
                write!(f, "{}/{}", encoded(category), encoded(name))
            }
            Self::RawTracepoint { name } => write!(f, "{}", encoded(name)),
            Self::Uprobe { path, symbol, offset, pid, .. } => {
                write!(f, "{}:", encoded_path(path))?;
                match (symbol, offset) {
                    (None, offset) => write!(f, "{offset:#x}")?,
                    (Some(symbol), 0) => write!(f, "{}", encoded(symbol))?,
                    (Some(symbol), offset) => write!(f, "{}+{offset:#x}", encoded(symbol))?,
                }
                pid.map_or(Ok(()), |pid| write!(f, ",pid={pid}"))
            }
            Self::CgroupSkb { path, direction } => {
                write!(f, "{}", encoded_path(path))?;
                write_direction(f, *direction)
            }
        }
    }
}

fn write_netns(f: &mut fmt::Formatter<'_>, netns: Option<&NetNs>) -> fmt::Result {
    netns.map_or(Ok(()), |netns| write!(f, ",netns={netns}"))
}

fn write_direction(f: &mut fmt::Formatter<'_>, direction: Option<Direction>) -> fmt::Result {
    direction.map_or(Ok(()), |direction| write!(f, ",direction={direction}"))
}

impl Display for NetNs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Digits alone would be a process id.
            Self::Name(name) if name.bytes().all(|b| b.is_ascii_digit()) => {
                let (first, rest) = name.split_at(name.len().min(1));
                first.bytes().try_for_each(|byte| write!(f, "{}", percent_encode_byte(byte)))?;
                f.write_str(rest)
            }
            Self::Name(name) => write!(f, "{}", encoded(name)),
            Self::Path(path) => write!(f, "{}", encoded_path(path)),
            Self::Pid(pid) => write!(f, "{pid}"),
        }
    }
}

impl Display for XdpMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Generic => "generic",
        })
    }
}

impl Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        })
    }
}
