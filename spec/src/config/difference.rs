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

/// Every place where `declared` differs from `found`; empty means that they agree.
///
/// Facts only: [`super::Requires`] is not part of an [`ObjectSpec`] and never compared.
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
        other => other.to_string(),
    }
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
        ProgramSpec {
            name: name.to_owned(),
            section: "xdp".to_owned(),
            program_type: ProgramType::Xdp,
            attach_target: None,
            sleepable: false,
            instructions: 2,
            helpers: vec![],
            kfuncs: vec![],
            maps: vec![],
        }
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
    fn program_declared_twice_is_a_difference() {
        let declared = object(vec![program("a"), program("a")]);
        assert_eq!(differences(&declared, &object(vec![program("a")])).len(), 1);
    }
}
