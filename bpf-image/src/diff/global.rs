//! Global variables: what `--set` can do, and what comes up as another value.

use bpf_image_spec::config::{Endianness, GlobalSpec, ObjectSpec};

use super::change::{ADDED, REMOVED};
use super::{Change, Impact, Kind};
use crate::value::default_value;

pub(super) fn changes(old: &ObjectSpec, new: &ObjectSpec, all: &mut Vec<Change>) {
    for before in &old.globals {
        if let Some(after) = new.globals.iter().find(|global| global.name == before.name) {
            changed((before, old.endianness), (after, new.endianness), all);
        } else {
            let change = Change::new(of(before), Kind::Global, &before.name, REMOVED);
            all.push(if before.tunable { change.so(SET) } else { change });
        }
    }
    for after in &new.globals {
        if old.globals.iter().all(|global| global.name != after.name) {
            let mut change = Change::new(Impact::Other, Kind::Global, &after.name, ADDED);
            change.new = Some(described(after));
            all.push(change);
        }
    }
}

const SET: &str = "`--set` of it is refused";

/// A variable that nobody can set concerns the object alone.
fn of(global: &GlobalSpec) -> Impact {
    if global.tunable { Impact::Breaking } else { Impact::Other }
}

fn changed(
    (old, old_order): (&GlobalSpec, Endianness),
    (new, new_order): (&GlobalSpec, Endianness),
    all: &mut Vec<Change>,
) {
    let change = |impact, what| Change::new(impact, Kind::Global, &old.name, what);
    if old.tunable && !new.tunable {
        all.push(change(Impact::Breaking, "no longer settable").so(SET));
    } else if !old.tunable && new.tunable {
        all.push(change(Impact::Other, "now settable"));
    }
    if old.size != new.size || old.type_name != new.type_name {
        let change = change(of(old), "type").between(described(old), described(new));
        let so = "a value that fitted may be refused, or mean something else";
        all.push(if old.tunable { change.so(so) } else { change });
    } else {
        let (was, is) = (default_value(old, old_order), default_value(new, new_order));
        if was != is {
            all.push(change(Impact::Other, "initial value").between(was, is));
        }
    }
    if old.section != new.section {
        let change = change(Impact::Other, "section");
        all.push(change.between(&old.section, &new.section));
    }
}

fn described(global: &GlobalSpec) -> String {
    let name = global.type_name.as_deref().unwrap_or("no type");
    format!("{name}, {} B", global.size)
}
