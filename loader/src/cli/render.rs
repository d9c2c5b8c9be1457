//! Text and JSON that several commands print.

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use bpf_image::text::printable as plain;

use crate::kernel::protocol::Held;
use crate::state::{Phase, Record};
use crate::verbs::unload::Unloaded;

pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const RED: Style = AnsiColor::Red.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const DIM: Style = Style::new().dimmed();

pub(super) fn json(value: &Value) {
    out!("{value:#}");
}

/// A record as commands print it: what is stored, without the paths of the store itself.
pub(super) fn record(record: &Record) -> Value {
    json!({
        "id": record.id,
        "name": record.name,
        "generation": record.generation,
        "phase": record.phase,
        "image": record.image,
        "programs": record.installed.programs.iter().map(|program| json!({
            "name": program.name,
            "type": program.program_type,
            "id": program.id,
            "pin": program.pin,
        })).collect::<Vec<_>>(),
        "maps": record.installed.maps.iter().map(|map| json!({
            "name": map.name,
            "id": map.id,
            "pin": map.pin,
        })).collect::<Vec<_>>(),
        "links": record.installed.links.iter().map(|link| json!({
            "attach": link.point,
            "held": link.held,
        })).collect::<Vec<_>>(),
    })
}

pub(super) fn ran(record: &Record) {
    out!("{GREEN}running{GREEN:#} {}", plain(&record.name));
    out!("  image   {}", plain(&record.image.reference));
    out!("  digest  {}", record.image.digest);
    for signer in &record.image.signers {
        out!("  signed  {}", plain(&signer.name));
    }
    for link in &record.installed.links {
        let id = record
            .installed
            .programs
            .iter()
            .find(|program| program.name == link.point.program)
            .and_then(|program| program.id);
        let id = id.map_or_else(|| "?".to_owned(), |id| id.to_string());
        out!("  attach  {} {DIM}program id {id}{DIM:#}", plain(&link.point.to_string()));
    }
    for map in &record.installed.maps {
        out!("  map     {} {DIM}{}{DIM:#}", plain(&map.name), map.pin.display());
    }
}

pub(super) fn detached(record: &Record) {
    let name = plain(&record.name);
    if record.phase == Phase::Detached {
        out!("detached {name}; its programs and maps stay loaded");
        return;
    }
    out!("{name} stays attached at:");
    for link in &record.installed.links {
        out!("  {}", plain(&link.point.to_string()));
    }
}

pub(super) fn unloaded(unloaded: &Unloaded) {
    out!("unloaded {}", plain(&unloaded.name));
}

/// What keeps a link when no process does.
pub(super) fn held(held: &Held) -> String {
    match held {
        Held::PinnedLink { id: Some(id), .. } => format!("link {id}"),
        Held::PinnedLink { id: None, .. } => "link".to_owned(),
        Held::TcFilter(filter) => {
            format!("filter {:#x} at priority {}", filter.handle, filter.priority)
        }
    }
}
