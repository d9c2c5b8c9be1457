//! Declared = found: where a declaration and the bytes disagree.

use std::fmt;

use serde_json::Value;

use super::ObjectSpec;

/// One place where the declaration and the object differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Path into the object spec, such as `programs[xdp_count].section`.
    pub path: String,
    /// What the image declares; `None` where it declares nothing.
    pub declared: Option<String>,
    /// What the bytes hold; `None` where they hold nothing of the kind.
    pub found: Option<String>,
}

/// Facts that were added after the first configs were written (SPEC.md, "Growth"), by their path
/// with names of list entries left out: a declaration that lacks one says nothing about it.
const ADDED: [&str; 9] = [
    "btf.relocations",
    "externs",
    "maps.extra",
    "maps.inner",
    "maps.numaNode",
    "programs.atomics",
    "programs.frags",
    "programs.stack",
    "programs.tailCallMaps",
];

/// Longest side of a difference that is shown, in characters.
const SHOWN_MAX: usize = 200;

/// Every place where `declared` differs from `found`; empty means that they agree.
///
/// Facts only: [`super::Requires`] is not part of an [`ObjectSpec`] and never compared. A fact
/// that configs did not have from the start counts only where it is declared.
pub fn differences(declared: &ObjectSpec, found: &ObjectSpec) -> Vec<Difference> {
    if declared == found {
        return Vec::new();
    }
    let mut all = Vec::new();
    let value = |spec| serde_json::to_value(spec).unwrap_or(Value::Null);
    compare("", Some(&value(declared)), Some(&value(found)), &mut all);
    all
}

fn compare(path: &str, declared: Option<&Value>, found: Option<&Value>, all: &mut Vec<Difference>) {
    match (declared, found) {
        (Some(Value::Object(d)), Some(Value::Object(f))) => {
            let mut keys: Vec<_> = d.keys().chain(f.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, d.get(key), f.get(key), all);
            }
        }
        (Some(Value::Array(d)), Some(Value::Array(f))) if named(d) && named(f) => {
            let mut names: Vec<_> = d.iter().chain(f).filter_map(name).collect();
            names.sort_unstable();
            names.dedup();
            for wanted in names {
                // The n-th of a name against the n-th: a name declared twice is a difference.
                let mut ds = d.iter().filter(|item| name(item) == Some(wanted));
                let mut fs = f.iter().filter(|item| name(item) == Some(wanted));
                loop {
                    let (d, f) = (ds.next(), fs.next());
                    if d.is_none() && f.is_none() {
                        break;
                    }
                    compare(&format!("{path}[{wanted}]"), d, f, all);
                }
            }
        }
        (d, f) if d == f => {}
        (None, Some(_)) if is_added(path) => {}
        (Some(Value::Array(d)), Some(Value::Array(f))) => {
            let without = |of: &[Value], other: &[Value]| {
                of.iter().filter(|item| !other.contains(item)).map(entry).collect::<Vec<_>>()
            };
            let (d, f) = (without(d, f), without(f, d));
            // Neither side has more: they differ in order, or in how often.
            let side = |entries: Vec<String>| {
                Some(entries).filter(|all| !all.is_empty()).map(|all| shortened(&all.join(", ")))
            };
            let (declared, found) = match (side(d), side(f)) {
                (None, None) => (Some("another order".to_owned()), None),
                sides => sides,
            };
            all.push(Difference { path: path.to_owned(), declared, found });
        }
        (d, f) => all.push(Difference {
            path: path.to_owned(),
            declared: d.map(brief),
            found: f.map(brief),
        }),
    }
}

fn named(items: &[Value]) -> bool {
    items.iter().all(|item| name(item).is_some())
}

fn name(item: &Value) -> Option<&str> {
    item.get("name").and_then(Value::as_str)
}

/// A whole program would flood the line: its presence is what differs.
fn brief(value: &Value) -> String {
    match value {
        Value::Object(fields) => match fields.get("type").and_then(Value::as_str) {
            Some(kind) => format!("present ({kind})"),
            None => "present".to_owned(),
        },
        Value::String(text) => text.clone(),
        other => shortened(&other.to_string()),
    }
}

/// An entry of a list without names, in one piece.
fn entry(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// Whether the path, `programs[NAME].stack`, is that of an added fact, `programs.stack`.
fn is_added(path: &str) -> bool {
    ADDED.iter().any(|added| match added.split_once('.') {
        // A name may hold any character, so the ends are compared and not what lies between.
        Some((list, field)) => {
            let field_of = path.strip_suffix(field).and_then(|rest| rest.strip_suffix('.'));
            let rest = field_of.and_then(|rest| rest.strip_prefix(list));
            rest.is_some_and(|rest| {
                rest.is_empty() || (rest.starts_with('[') && rest.ends_with(']'))
            })
        }
        None => path == *added,
    })
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: declared {}, found {}", self.path, side(&self.declared), side(&self.found))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BtfSpec, Endianness, ProgramSpec, ProgramType};
    use super::*;
    use crate::Digest;

    fn program(name: &str) -> ProgramSpec {
        let (name, section) = (name.to_owned(), "xdp".to_owned());
        ProgramSpec { instructions: 2, ..ProgramSpec::new(name, section, ProgramType::Xdp) }
    }

    fn object(programs: Vec<ProgramSpec>) -> ObjectSpec {
        ObjectSpec {
            digest: Digest::of(b""),
            size: 0,
            endianness: Endianness::Little,
            license: Some("GPL".to_owned()),
            programs,
            maps: vec![],
            globals: vec![],
            externs: None,
            btf: BtfSpec::default(),
        }
    }

    fn lines(declared: &ObjectSpec, found: &ObjectSpec) -> Vec<String> {
        differences(declared, found).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn agreement_is_empty() {
        let spec = object(vec![program("a")]);
        assert!(differences(&spec, &spec).is_empty());
    }

    #[test]
    fn program_that_the_object_does_not_hold_is_named() {
        let declared = object(vec![program("a"), program("ghost")]);
        let found = object(vec![program("a")]);
        assert_eq!(
            lines(&declared, &found),
            ["programs[ghost]: declared present (xdp), found nothing"]
        );
    }

    #[test]
    fn changed_field_is_named_by_path() {
        let mut other = program("a");
        other.section = "tc".to_owned();
        assert_eq!(
            lines(&object(vec![program("a")]), &object(vec![other])),
            ["programs[a].section: declared xdp, found tc"]
        );
    }

    #[test]
    fn omitted_licence_is_a_difference() {
        let mut declared = object(vec![]);
        declared.license = None;
        assert_eq!(lines(&declared, &object(vec![])), ["license: declared nothing, found GPL"]);
    }

    #[test]
    fn fact_that_older_configs_lack_is_no_difference() {
        let declared = object(vec![program("a.b[c]")]);
        let mut found = declared.clone();
        found.externs = Some(vec![]);
        found.btf.relocations = Some(vec![]);
        found.programs[0].stack = Some(8);
        found.programs[0].frags = Some(false);
        assert!(differences(&declared, &found).is_empty());
        // Where it is declared, it counts both ways.
        let mut lie = found.clone();
        lie.programs[0].stack = Some(16);
        assert_eq!(lines(&lie, &found), ["programs[a.b[c]].stack: declared 16, found 8"]);
        assert_eq!(
            lines(&found, &declared).first().map(String::as_str),
            Some("btf.relocations: declared [], found nothing")
        );
    }

    #[test]
    fn fact_of_the_first_version_counts_where_it_is_omitted() {
        let mut found = program("a");
        found.attach_target = Some("stack".to_owned());
        let (declared, found) = (object(vec![program("a")]), object(vec![found]));
        assert_eq!(
            lines(&declared, &found),
            ["programs[a].attachTarget: declared nothing, found stack"]
        );
    }

    #[test]
    fn lists_differ_by_their_entries() {
        let (mut d, mut f) = (program("a"), program("a"));
        d.helpers = vec!["x".to_owned(), "y".to_owned()];
        f.helpers = vec!["y".to_owned(), "z".to_owned()];
        assert_eq!(
            lines(&object(vec![d]), &object(vec![f])),
            ["programs[a].helpers: declared x, found z"]
        );
    }

    #[test]
    fn program_declared_twice_is_a_difference() {
        let declared = object(vec![program("a"), program("a")]);
        assert_eq!(differences(&declared, &object(vec![program("a")])).len(), 1);
    }
}
