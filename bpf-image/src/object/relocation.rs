//! CO-RE relocations: types and fields that the object asks the running kernel about.
//!
//! Many instructions ask the same, so each question is kept once. An object with more of them
//! than any reader would look at has its number of relocations in the spec, and no list.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use bpf_image_spec::config::{CoreKind, CoreRelocation};

use super::btf::{Btf, Kind};
use super::btf_ext::BtfExt;
use super::error::{ObjectError, Problem};

/// Distinct relocations that a spec lists.
const DISTINCT_MAX: usize = 4096;
/// Bytes of text that a spec spends on them.
const TEXT_MAX: usize = 512 * 1024;
/// As libbpf: `BPF_CORE_SPEC_MAX_LEN`.
const PATH_MAX: usize = 64;
/// Instruction, type, access and kind: `struct bpf_core_relo`.
const RECORD_LEN: u32 = 16;

/// The distinct relocations; `None` where they are too many, or of a kind that has no name yet.
pub(super) fn relocations(
    ext: Option<&BtfExt<'_>>,
    btf: Option<&Btf<'_>>,
) -> Result<Option<Vec<CoreRelocation>>, ObjectError> {
    let (Some(ext), Some(btf)) = (ext, btf) else { return Ok(Some(Vec::new())) };
    let mut seen = HashSet::new();
    let mut distinct = BTreeSet::new();
    let mut text = 0;
    for (_, record) in ext.core.records(RECORD_LEN) {
        let question = (record.u32(4)?, record.u32(8)?, record.u32(12)?);
        if !seen.insert(question) {
            continue;
        }
        let (id, access, kind) = question;
        let Some(kind) = CoreKind::from_number(kind) else { return Ok(None) };
        let outside = || record.error(0, Problem::OutOfBounds);
        let field = field(btf, id, btf.string(access)?, kind)?.ok_or_else(outside)?;
        let type_name = btf.spell(id)?;
        text += type_name.len() + field.len();
        let field = Some(field).filter(|field| !field.is_empty());
        distinct.insert(CoreRelocation { type_name, field, kind });
        if distinct.len() > DISTINCT_MAX || text > TEXT_MAX {
            return Ok(None);
        }
    }
    Ok(Some(distinct.into_iter().collect()))
}

/// The field by names; empty where the type itself is meant, `None` where the path leads nowhere.
fn field(
    btf: &Btf<'_>,
    id: u32,
    access: &str,
    kind: CoreKind,
) -> Result<Option<String>, ObjectError> {
    match kind {
        CoreKind::TypeIdLocal
        | CoreKind::TypeIdTarget
        | CoreKind::TypeExists
        | CoreKind::TypeSize
        | CoreKind::TypeMatches => Ok(Some(String::new())),
        CoreKind::EnumExists | CoreKind::EnumValue => {
            let Ok(index) = access.parse::<usize>() else { return Ok(None) };
            let value = btf.bare(id)?.of.value(index)?;
            value.map(|value| Ok(btf.string(value.name)?.to_owned())).transpose()
        }
        _ => path(btf, id, access),
    }
}

/// `0:1:2` as `mm.start_code`: the first index is one into an array of the type itself.
fn path(btf: &Btf<'_>, id: u32, access: &str) -> Result<Option<String>, ObjectError> {
    let mut text = String::new();
    let mut current = id;
    for (step, index) in access.split(':').enumerate() {
        let Some(index) = index.parse::<usize>().ok().filter(|_| step < PATH_MAX) else {
            return Ok(None);
        };
        if step == 0 {
            if index > 0 {
                let _ = write!(text, "[{index}]");
            }
            continue;
        }
        let of = btf.bare(current)?.of;
        current = match of.kind {
            Kind::Struct { .. } | Kind::Union { .. } => {
                let Some(member) = of.member(index)? else { return Ok(None) };
                let name = btf.string(member.name)?;
                if !name.is_empty() {
                    let dot = if text.is_empty() { "" } else { "." };
                    let _ = write!(text, "{dot}{name}");
                }
                member.target
            }
            Kind::Array { element, .. } => {
                let _ = write!(text, "[{index}]");
                element
            }
            _ => return Ok(None),
        };
    }
    Ok(Some(text))
}
