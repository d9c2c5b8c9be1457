//! The text form, read.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::{AttachPoint, AttachPointError, AttachTarget, Direction, NetNs, TC_PRIORITY, XdpMode};
use crate::config::{ProgramSpec, ProgramType};

impl FromStr for AttachPoint {
    type Err = AttachPointError;

    fn from_str(text: &str) -> Result<Self, AttachPointError> {
        let shape = || AttachPointError::Shape(text.to_owned());
        let (program, target) = text.split_once('=').ok_or_else(shape)?;
        if program.is_empty() || program.contains([':', ',', '/']) {
            return Err(shape());
        }
        Ok(Self { program: decoded(program, text)?, target: parse_target(target, text)? })
    }
}

impl TryFrom<String> for AttachPoint {
    type Error = AttachPointError;

    fn try_from(text: String) -> Result<Self, AttachPointError> {
        text.parse()
    }
}

impl FromStr for AttachTarget {
    type Err = AttachPointError;

    fn from_str(text: &str) -> Result<Self, AttachPointError> {
        parse_target(text, text)
    }
}

/// `target` is `KIND:TARGET[,key=value…]`; `text` is what the user typed, for messages.
fn parse_target(target: &str, text: &str) -> Result<AttachTarget, AttachPointError> {
    let mut pieces = target.split(',');
    let head = pieces.next().unwrap_or_default();
    let (kind, place) = head.split_once(':').unwrap_or((head, ""));
    let mut options = Options::read(pieces, text)?;
    let read = match kind {
        "xdp" => AttachTarget::Xdp {
            interface: required(place, text, "xdp:INTERFACE")?,
            netns: options.netns()?,
            mode: options.mode()?,
        },
        "tcx" => AttachTarget::Tcx {
            interface: required(place, text, "tcx:INTERFACE,direction=ingress")?,
            netns: options.netns()?,
            direction: options.direction()?,
        },
        "tc" => AttachTarget::Tc {
            interface: required(place, text, "tc:INTERFACE,direction=ingress")?,
            netns: options.netns()?,
            direction: options.direction()?,
            priority: options.priority()?,
        },
        "tracepoint" => tracepoint(place, text)?,
        "raw_tp" => AttachTarget::RawTracepoint { name: required(place, text, "raw_tp:NAME")? },
        "uprobe" | "uretprobe" => uprobe(kind == "uretprobe", place, options.pid()?, text)?,
        "cgroup_skb" => AttachTarget::CgroupSkb {
            path: absolute(place, text, "cgroup_skb:/sys/fs/cgroup/DIR")?,
            direction: options.direction()?,
        },
        _ => {
            return Err(AttachPointError::UnknownKind {
                kind: kind.to_owned(),
                text: text.to_owned(),
            });
        }
    };
    options.finish(kind)?;
    Ok(read)
}

/// The attach target that a section names in full.
pub(super) fn of_section(program: &ProgramSpec) -> Option<AttachTarget> {
    // No text form has a NUL or a program without name.
    let usable = |text: &&str| !text.contains('\0');
    let target = program.attach_target.as_deref().filter(usable)?;
    Some(program.name.as_str()).filter(usable).filter(|name| !name.is_empty())?;
    match program.program_type {
        ProgramType::Tracepoint => {
            let (category, name) = target.split_once('/')?;
            (is_event_name(category) && is_event_name(name)).then(|| AttachTarget::Tracepoint {
                category: category.to_owned(),
                name: name.to_owned(),
            })
        }
        ProgramType::RawTracepoint => {
            (!target.is_empty()).then(|| AttachTarget::RawTracepoint { name: target.to_owned() })
        }
        ProgramType::Uprobe | ProgramType::Uretprobe => {
            let (path, place) = target.rsplit_once(':')?;
            let (symbol, offset) = symbol_and_offset(place)?;
            let path = PathBuf::from(path);
            path.is_absolute().then_some(AttachTarget::Uprobe {
                on_return: program.program_type == ProgramType::Uretprobe,
                path,
                symbol,
                offset,
                pid: None,
            })
        }
        _ => None,
    }
}

fn tracepoint(place: &str, text: &str) -> Result<AttachTarget, AttachPointError> {
    let form = "tracepoint:CATEGORY/NAME, such as tracepoint:sched/sched_switch";
    match required(place, text, form)?.split_once('/') {
        Some((category, name)) if is_event_name(category) && is_event_name(name) => {
            Ok(AttachTarget::Tracepoint { category: category.to_owned(), name: name.to_owned() })
        }
        _ => Err(AttachPointError::Target { text: text.to_owned(), form }),
    }
}

/// Names become path components under tracefs.
fn is_event_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

fn uprobe(
    on_return: bool,
    place: &str,
    pid: Option<u32>,
    text: &str,
) -> Result<AttachTarget, AttachPointError> {
    let form = "uprobe:/PATH:SYMBOL[+OFFSET] or uprobe:/PATH:0xOFFSET";
    let bad = || AttachPointError::Target { text: text.to_owned(), form };
    let (path, place) = place.split_once(':').ok_or_else(bad)?;
    let (symbol, offset) = symbol_and_offset(&decoded(place, text)?).ok_or_else(bad)?;
    Ok(AttachTarget::Uprobe { on_return, path: absolute(path, text, form)?, symbol, offset, pid })
}

fn symbol_and_offset(place: &str) -> Option<(Option<String>, u64)> {
    if place.starts_with(|c: char| c.is_ascii_digit()) {
        return Some((None, number(place)?));
    }
    let (symbol, offset) = match place.rsplit_once('+') {
        Some((symbol, offset)) => (symbol, number(offset)?),
        None => (place, 0),
    };
    (!symbol.is_empty() && !symbol.contains('+')).then(|| (Some(symbol.to_owned()), offset))
}

/// Digits only: Rust's own readers take a `+` in front as well.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u64::from_str_radix(hex, 16).ok()
        }
        Some(_) => None,
        None => decimal(text),
    }
}

fn decimal<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn required(place: &str, text: &str, form: &'static str) -> Result<String, AttachPointError> {
    if place.is_empty() {
        return Err(AttachPointError::Target { text: text.to_owned(), form });
    }
    decoded(place, text)
}

fn absolute(place: &str, text: &str, form: &'static str) -> Result<PathBuf, AttachPointError> {
    let path = decoded_path(place, text)?;
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(AttachPointError::Target { text: text.to_owned(), form })
    }
}

fn decoded(place: &str, text: &str) -> Result<String, AttachPointError> {
    String::from_utf8(decoded_bytes(place, text)?)
        .map_err(|_| AttachPointError::Encoding(text.to_owned()))
}

fn decoded_path(place: &str, text: &str) -> Result<PathBuf, AttachPointError> {
    Ok(PathBuf::from(OsString::from_vec(decoded_bytes(place, text)?)))
}

fn decoded_bytes(place: &str, text: &str) -> Result<Vec<u8>, AttachPointError> {
    let bytes: Vec<u8> = percent_decode_str(place).collect();
    // The decoder passes a cut-off escape through; NUL ends a C string in the kernel.
    let escapes_whole = place.split('%').skip(1).all(|rest| {
        rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    });
    if escapes_whole && !bytes.contains(&0) {
        Ok(bytes)
    } else {
        Err(AttachPointError::Encoding(text.to_owned()))
    }
}

/// Options not yet taken by the kind.
struct Options<'a> {
    left: Vec<(&'a str, &'a str)>,
    /// Options that the kind asked for, taken or not.
    known: Vec<&'static str>,
    text: &'a str,
}

impl<'a> Options<'a> {
    fn read(
        pieces: impl Iterator<Item = &'a str>,
        text: &'a str,
    ) -> Result<Self, AttachPointError> {
        let mut left: Vec<(&str, &str)> = Vec::new();
        for piece in pieces {
            let (key, value) =
                piece.split_once('=').ok_or_else(|| AttachPointError::Shape(text.to_owned()))?;
            if left.iter().any(|(other, _)| *other == key) {
                return Err(AttachPointError::RepeatedOption {
                    key: key.to_owned(),
                    text: text.to_owned(),
                });
            }
            left.push((key, value));
        }
        Ok(Self { left, known: Vec::new(), text })
    }

    fn take<T>(
        &mut self,
        key: &'static str,
        form: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, AttachPointError> {
        self.known.push(key);
        let Some(at) = self.left.iter().position(|(other, _)| *other == key) else {
            return Ok(None);
        };
        let (_, value) = self.left.remove(at);
        read(value).map(Some).ok_or_else(|| AttachPointError::Value {
            key: key.to_owned(),
            value: value.to_owned(),
            text: self.text.to_owned(),
            form,
        })
    }

    fn netns(&mut self) -> Result<Option<NetNs>, AttachPointError> {
        let text = self.text;
        self.take("netns", "a name of `ip netns`, a path or a process id", |value| {
            if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
                return decimal(value).filter(|pid| *pid > 0).map(NetNs::Pid);
            }
            let path = decoded_path(value, text).ok()?;
            match path.to_str() {
                Some("" | "." | "..") => None,
                Some(name) if !name.contains('/') => Some(NetNs::Name(name.to_owned())),
                _ => path.is_absolute().then_some(NetNs::Path(path)),
            }
        })
    }

    fn mode(&mut self) -> Result<XdpMode, AttachPointError> {
        let mode = self.take("mode", "auto, native or generic", |value| match value {
            "auto" => Some(XdpMode::Auto),
            "native" => Some(XdpMode::Native),
            "generic" => Some(XdpMode::Generic),
            _ => None,
        })?;
        Ok(mode.unwrap_or_default())
    }

    fn direction(&mut self) -> Result<Option<Direction>, AttachPointError> {
        self.take("direction", "ingress or egress", |value| match value {
            "ingress" => Some(Direction::Ingress),
            "egress" => Some(Direction::Egress),
            _ => None,
        })
    }

    fn priority(&mut self) -> Result<u16, AttachPointError> {
        let read = |value: &str| decimal(value).filter(|priority| *priority > 0);
        Ok(self.take("priority", "a number from 1 to 65535", read)?.unwrap_or(TC_PRIORITY))
    }

    fn pid(&mut self) -> Result<Option<u32>, AttachPointError> {
        self.take("pid", "a process id", |value| decimal(value).filter(|pid| *pid > 0))
    }

    fn finish(self, kind: &str) -> Result<(), AttachPointError> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => Err(AttachPointError::UnknownOption {
                key: (*key).to_owned(),
                text: self.text.to_owned(),
                kind: kind.to_owned(),
                known: if self.known.is_empty() {
                    "none".to_owned()
                } else {
                    self.known.join(", ")
                },
            }),
        }
    }
}
