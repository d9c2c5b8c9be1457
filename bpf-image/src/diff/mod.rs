//! What changes for whoever runs an object when another takes its place; pure, without any I/O.
//!
//! [`spec_changes`] compares two descriptions, [`changes`] two objects with their BTF and with what
//! they need of a kernel, and [`map_fates`] says which maps keep their contents. Both objects are
//! judged by the same tables, so that a better table is never taken for a change.

mod change;
mod global;
mod kernel;
mod map;
mod program;

use bpf_image_spec::config::{Endianness, ObjectSpec};

pub use self::change::{Change, Impact, Kind};
pub use self::map::{Contents, MapFate, map_fates};

use crate::object::{Object, ObjectError};

/// Every change from `old` to `new`, the gravest first.
pub fn changes(old: &Object, new: &Object) -> Result<Vec<Change>, ObjectError> {
    let mut all = spec_changes(old.spec(), new.spec());
    all.extend(map::layout_changes(old, new)?);
    all.extend(kernel::changes(&old.requires(), &new.requires()));
    all.sort();
    Ok(all)
}

/// The changes that two descriptions tell, the gravest first.
pub fn spec_changes(old: &ObjectSpec, new: &ObjectSpec) -> Vec<Change> {
    let mut all = Vec::new();
    program::changes(old, new, &mut all);
    map::changes(old, new, &mut all);
    global::changes(old, new, &mut all);
    if old.license != new.license {
        let text = |license: &Option<String>| license.clone().unwrap_or_else(|| "none".to_owned());
        let change = Change::of_object(Impact::Other, Kind::License, "license");
        all.push(change.between(text(&old.license), text(&new.license)));
    }
    if old.endianness != new.endianness {
        let text = |order| match order {
            Endianness::Little => "little-endian",
            Endianness::Big => "big-endian",
        };
        let change = Change::of_object(Impact::Breaking, Kind::Object, "byte order")
            .between(text(old.endianness), text(new.endianness));
        all.push(change.so("it loads on other machines than before"));
    }
    if old.size != new.size {
        let change = Change::of_object(Impact::Other, Kind::Object, "size");
        all.push(change.between(format!("{} B", old.size), format!("{} B", new.size)));
    } else if old.digest != new.digest && all.is_empty() {
        let change = Change::of_object(Impact::Other, Kind::Object, "bytes");
        all.push(change.so("instructions, debug information or initial values differ"));
    }
    all.sort();
    all
}
