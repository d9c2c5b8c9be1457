//! Labels whose value is a JSON object of strings (`io.ebpf.programs` and its kin).

use std::collections::BTreeMap;
use std::fmt;

use bpf_image_spec::config::ObjectSpec;
use bpf_image_spec::label;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

/// Name → type or section.
pub(super) type Names = BTreeMap<String, String>;

/// A label's value that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// Not a JSON object of strings, or one with a name twice.
    #[error("it is not a JSON object of distinct names and strings")]
    Json(#[source] serde_json::Error),
    /// Longer than a reader accepts.
    #[error("it has {size} bytes, more than the {max} accepted")]
    TooLong {
        /// Its length.
        size: usize,
        /// The bound.
        max: usize,
    },
    /// A config that is not config v1.
    #[error("it holds no config that can be used")]
    Config(#[source] bpf_image_spec::config::ConfigError),
}

/// A JSON object of strings in which no key comes twice: of two readers one would take the first
/// value and the other the last.
#[derive(Debug, Default)]
pub(super) struct Unique(pub(super) Names);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Names::new();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    if names.contains_key(&key) {
                        return Err(A::Error::custom(format_args!("`{key}` comes twice")));
                    }
                    names.insert(key, value);
                }
                Ok(names)
            }
        }
        deserializer.deserialize_map(Strings).map(Self)
    }
}

/// Reads a label's value.
pub(super) fn parse(value: &str) -> Result<Names, LabelError> {
    serde_json::from_str::<Unique>(value).map(|unique| unique.0).map_err(LabelError::Json)
}

/// The labels that an object's image carries, by key.
pub(super) fn labels(object: &ObjectSpec) -> [(&'static str, String); 3] {
    let programs = |value: fn(&bpf_image_spec::config::ProgramSpec) -> String| {
        object.programs.iter().map(|p| (p.name.clone(), value(p))).collect::<Names>()
    };
    let maps = object.maps.iter().map(|m| (m.name.clone(), m.map_type.to_string())).collect();
    [
        (label::PROGRAMS, json(&programs(|p| p.program_type.to_string()))),
        (label::MAPS, json(&maps)),
        (label::SECTIONS, json(&programs(|p| p.section.clone()))),
    ]
}

fn json(names: &Names) -> String {
    #[expect(clippy::expect_used, reason = "a map of strings to strings always serialises")]
    serde_json::to_string(names).expect("strings serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_of_strings_is_read() {
        let names = parse(r#"{"xdp_stats":"xdp","count":"tc"}"#).ok();
        let names = names.as_ref();
        assert_eq!(names.and_then(|n| n.get("count")).map(String::as_str), Some("tc"));
        assert_eq!(names.map(Names::len), Some(2));
    }

    #[test]
    fn name_given_twice_is_refused() {
        for twice in [r#"{"a":"xdp","a":"tc"}"#, r#"{"a":"xdp","\u0061":"xdp"}"#] {
            assert!(matches!(parse(twice), Err(LabelError::Json(_))), "{twice}");
        }
    }

    #[test]
    fn other_json_is_refused() {
        for other in ["", "[]", "null", r#"{"a":1}"#, r#"{"a":"b"}x"#, &"[".repeat(10_000)] {
            assert!(matches!(parse(other), Err(LabelError::Json(_))), "{other}");
        }
    }
}
