//! The entries of an index that somebody else wrote: read leniently, edited without loss.
//!
//! [`ImageIndex`](bpf_image_spec::oci::ImageIndex) refuses a whole index for one bad entry, which
//! is right for an image and wrong here: whoever may add a referrer could hide all the others.

use std::fmt;

use bpf_image_spec::oci::Descriptor;
use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess};
use serde::{Deserialize, de};
use serde_json::Value;

use bpf_image_spec::media_type;

/// The first `limit` entries that can be used; others are skipped.
pub(crate) fn read(index: &[u8], limit: usize) -> Result<Vec<Descriptor>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(index);
    let entries = json.deserialize_map(Index { limit })?;
    json.end()?;
    Ok(entries)
}

/// `index` with `entry` at its end, or `None` when its digest is there already.
///
/// Entries and fields that we do not know are kept.
pub(crate) fn appended(
    index: Option<&[u8]>,
    entry: &Descriptor,
) -> Result<Option<Vec<u8>>, serde_json::Error> {
    let mut index = match index {
        Some(bytes) => serde_json::from_slice(bytes)?,
        None => empty(),
    };
    let entries = entries_of(&mut index)?;
    let digest = entry.digest.to_string();
    if entries.iter().any(|e| e.get("digest").and_then(Value::as_str) == Some(&digest)) {
        return Ok(None);
    }
    entries.push(serde_json::to_value(entry)?);
    serde_json::to_vec(&index).map(Some)
}

/// An index without entries.
pub(crate) fn empty() -> Value {
    serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": [],
    })
}

/// The entries of `index`, to be changed.
pub(crate) fn entries_of(index: &mut Value) -> Result<&mut Vec<Value>, serde_json::Error> {
    let entries = index
        .as_object_mut()
        .map(|index| index.entry("manifests").or_insert(Value::Null))
        .ok_or_else(|| serde_json::Error::custom("not an object"))?;
    if entries.is_null() {
        *entries = Value::Array(Vec::new());
    }
    entries.as_array_mut().ok_or_else(|| serde_json::Error::custom("`manifests` is not a list"))
}

struct Index {
    limit: usize,
}

impl<'de> de::Visitor<'de> for Index {
    type Value = Vec<Descriptor>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an image index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "manifests" {
                if entries.is_some() {
                    return Err(A::Error::duplicate_field("manifests"));
                }
                entries = Some(map.next_value_seed(Entries { limit: self.limit })?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        entries.ok_or_else(|| A::Error::missing_field("manifests"))
    }
}

struct Entries {
    limit: usize,
}

impl<'de> DeserializeSeed<'de> for Entries {
    type Value = Vec<Descriptor>;

    fn deserialize<D: de::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> de::Visitor<'de> for Entries {
    type Value = Vec<Descriptor>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of descriptors")
    }

    // Go writes a nil slice as `null`.
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < self.limit {
            match seq.next_element::<Entry>()? {
                Some(Entry::Descriptor(descriptor)) => kept.push(*descriptor),
                Some(Entry::Other(_)) => {}
                None => return Ok(kept),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(kept)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Descriptor(Box<Descriptor>),
    Other(IgnoredAny),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(content: &[u8]) -> Descriptor {
        Descriptor::of(media_type::OCI_MANIFEST, content)
    }

    #[test]
    fn one_bad_entry_does_not_hide_the_others() {
        let good = serde_json::to_string(&entry(b"a")).unwrap();
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[7,{{"digest":"sha512:00"}},{good},null]}}"#
        );
        assert_eq!(read(index.as_bytes(), 9).unwrap(), [entry(b"a")]);
    }

    #[test]
    fn ten_thousand_entries_are_cut_at_the_limit() {
        let good = serde_json::to_string(&entry(b"a")).unwrap();
        let index = format!(r#"{{"manifests":[{}]}}"#, vec![good; 10_000].join(","));
        assert_eq!(read(index.as_bytes(), 32).unwrap().len(), 32);
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for text in ["", "[]", "{}", r#"{"manifests":7}"#, r#"{"manifests":[]} x"#, "<html>"] {
            assert!(read(text.as_bytes(), 1).is_err(), "{text}");
        }
        assert_eq!(read(br#"{"manifests":null}"#, 1).unwrap(), []);
    }

    #[test]
    fn appending_keeps_what_others_wrote() {
        let foreign = br#"{"schemaVersion":2,"x":1,"manifests":[{"digest":"sha512:00","y":2}]}"#;
        let index = appended(Some(foreign), &entry(b"a")).unwrap().unwrap();
        let value: Value = serde_json::from_slice(&index).unwrap();
        assert_eq!(value["x"], 1);
        assert_eq!(value["manifests"][0]["y"], 2);
        assert_eq!(value["manifests"][1]["digest"], entry(b"a").digest.to_string());
        assert!(appended(Some(&index), &entry(b"a")).unwrap().is_none());
    }

    #[test]
    fn deeply_nested_json_is_an_error_and_no_crash() {
        let bomb = format!(r#"{{"manifests":{}"#, "[".repeat(1_000_000));
        assert!(read(bomb.as_bytes(), 1).is_err());
        let bomb = format!(r#"{{"manifests":[{}"#, r#"{"annotations":"#.repeat(100_000));
        assert!(read(bomb.as_bytes(), 1).is_err());
    }
}
