//! Maps: which of them keep their contents over an upgrade, and what becomes of the others.

use bpf_image_spec::config::{MapSpec, MapType, ObjectSpec, Pinning};
use schemars::JsonSchema;
use serde::Serialize;

use super::change::{ADDED, REMOVED};
use super::{Change, Impact, Kind};
use crate::object::{Object, ObjectError};

/// What becomes of one map when the new object takes the old one's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapFate {
    /// Name of the map.
    pub name: String,
    /// What becomes of its contents.
    pub contents: Contents,
    /// What of its shape changed: the reasons for which contents are lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shape: Vec<String>,
}

/// What becomes of a map's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Contents {
    /// The new programs go on with the map.
    Kept,
    /// The map is made anew, of another shape.
    Lost,
    /// There was no such map.
    New,
    /// There is no such map any more.
    Gone,
}

/// What becomes of each map, in the order of names.
pub fn map_fates(old: &ObjectSpec, new: &ObjectSpec) -> Vec<MapFate> {
    let find = |spec: &'_ ObjectSpec, name: &str| -> Option<MapSpec> {
        spec.maps.iter().find(|map| map.name == name).cloned()
    };
    let mut names: Vec<_> = old.maps.iter().chain(&new.maps).map(|map| map.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let fate = |name: String| {
        let (contents, shape) = match (find(old, &name), find(new, &name)) {
            (Some(before), Some(after)) => {
                let shape: Vec<_> = shape(&before, &after)
                    .into_iter()
                    .map(|(what, old, new)| format!("{what} {old} -> {new}"))
                    .collect();
                (if shape.is_empty() { Contents::Kept } else { Contents::Lost }, shape)
            }
            (None, _) => (Contents::New, Vec::new()),
            (_, None) => (Contents::Gone, Vec::new()),
        };
        MapFate { name, contents, shape }
    };
    names.into_iter().map(fate).collect()
}

/// What the kernel fixes when a map is made; only a map with the same can be gone on with.
fn shape(old: &MapSpec, new: &MapSpec) -> Vec<(&'static str, String, String)> {
    let inner = |map: &MapSpec| match &map.inner {
        Some(of) => format!(
            "{} of {} B -> {} B, {} entries, flags {:#x}",
            of.map_type, of.key_size, of.value_size, of.max_entries, of.flags
        ),
        None => "none".to_owned(),
    };
    let extra = |map: &MapSpec| map.extra.map_or_else(|| "none".to_owned(), |e| e.to_string());
    let facts = |map: &MapSpec| {
        [
            ("type", map.map_type.to_string()),
            ("key size", map.key_size.to_string()),
            ("value size", map.value_size.to_string()),
            ("max entries", map.max_entries.to_string()),
            ("flags", format!("{:#x}", map.flags)),
            ("inner map", inner(map)),
            ("extra", extra(map)),
        ]
    };
    let pairs = facts(old).into_iter().zip(facts(new));
    pairs.filter(|(old, new)| old != new).map(|((what, old), (_, new))| (what, old, new)).collect()
}

pub(super) fn changes(old: &ObjectSpec, new: &ObjectSpec, all: &mut Vec<Change>) {
    for before in &old.maps {
        let Some(after) = new.maps.iter().find(|map| map.name == before.name) else {
            let change = Change::new(Impact::Breaking, Kind::Map, &before.name, REMOVED);
            all.push(change.so("its contents are lost, and programs that read it find nothing"));
            continue;
        };
        for (what, old, new) in shape(before, after) {
            let change = Change::new(Impact::Breaking, Kind::Map, &before.name, what);
            all.push(change.between(old, new).so("it is made anew and its contents are lost"));
        }
        pinning(before, after, all);
        types(before, after, all);
    }
    for after in &new.maps {
        if old.maps.iter().all(|map| map.name != after.name) {
            let mut change = Change::new(Impact::Other, Kind::Map, &after.name, ADDED);
            change.new = Some(after.map_type.to_string());
            all.push(change);
        }
    }
}

fn pinning(old: &MapSpec, new: &MapSpec, all: &mut Vec<Change>) {
    if old.pinning == new.pinning {
        return;
    }
    let text = |pinning| match pinning {
        Pinning::None => "none",
        Pinning::ByName => "by name",
    };
    let change = Change::new(Impact::Other, Kind::Map, &old.name, "pinning");
    all.push(change.between(text(old.pinning), text(new.pinning)));
}

/// The names of types are those of the source; what they mean is for [`layout_changes`] to say.
fn types(old: &MapSpec, new: &MapSpec, all: &mut Vec<Change>) {
    let pairs = [
        ("key type", &old.key_type, &new.key_type),
        ("value type", &old.value_type, &new.value_type),
    ];
    for (what, before, after) in pairs {
        if let (Some(before), Some(after)) = (before, after)
            && before != after
        {
            let change = Change::new(Impact::Other, Kind::Map, &old.name, what);
            all.push(change.between(before, after));
        }
    }
}

/// Structures of the same name and size whose members moved: the contents stay and are read wrongly.
pub(super) fn layout_changes(old: &Object, new: &Object) -> Result<Vec<Change>, ObjectError> {
    let mut all = Vec::new();
    for before in &old.spec().maps {
        let same = |after: &&MapSpec| after.name == before.name && shape(before, after).is_empty();
        let Some(after) = new.spec().maps.iter().find(same) else { continue };
        // A ring buffer has no entries that could outlive anything.
        if before.map_type == MapType::RingBuf {
            continue;
        }
        let pairs = [
            ("key layout", &before.key_type, &after.key_type),
            ("value layout", &before.value_type, &after.value_type),
        ];
        for (what, old_name, new_name) in pairs {
            let (Some(old_name), Some(new_name)) = (old_name, new_name) else { continue };
            let (was, is) = (layout(old, old_name)?, layout(new, new_name)?);
            if let (Some(was), Some(is)) = (was, is)
                && was != is
            {
                let change = Change::new(Impact::Breaking, Kind::Map, &before.name, what)
                    .between(was, is)
                    .so("its contents are kept and read as something else");
                all.push(change);
            }
        }
    }
    Ok(all)
}

/// The members of a named type on one line; a structure may get another name and stay the same.
fn layout(object: &Object, name: &str) -> Result<Option<String>, ObjectError> {
    let text = object.btf_type(name)?;
    let members = |text: String| {
        let members = text.get(text.find('{')?..)?;
        Some(members.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    Ok(text.and_then(members))
}
