//! Names: the kernel keeps 15 bytes of each (`BPF_OBJ_NAME_LEN`).

use std::collections::BTreeMap;

use bpf_image_spec::config::ObjectSpec;

use super::{Code, Finding, Severity};

/// Bytes of a name that the kernel keeps; the sixteenth is its NUL.
const KEPT: usize = 15;

pub(super) fn findings(spec: &ObjectSpec, all: &mut Vec<Finding>) {
    let programs: Vec<_> = spec.programs.iter().map(|program| program.name.as_str()).collect();
    let maps: Vec<_> = spec.maps.iter().map(|map| map.name.as_str()).collect();
    of_kind("program", &programs, all);
    of_kind("map", &maps, all);
}

fn of_kind(kind: &str, names: &[&str], all: &mut Vec<Finding>) {
    let mut by_cut: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        by_cut.entry(cut(name)).or_default().push(name);
    }
    for (cut, names) in by_cut {
        let long = names.iter().filter(|name| name.len() > KEPT);
        if names.len() == 1 {
            all.extend(long.map(|name| {
                let message = format!("the kernel will call it `{cut}`");
                let fix = "keep names to 15 characters; bpftool and metrics show the cut ones";
                Finding::new(Severity::Note, Code::LongName, message, fix).about(kind, name)
            }));
            continue;
        }
        let list: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let message =
            format!("the kernel will call {} {kind}s `{cut}`: {}", names.len(), list.join(", "));
        let fix = "let names differ in their first 15 characters, or nobody can tell them apart in bpftool";
        all.push(Finding::new(Severity::Warning, Code::SameName, message, fix));
    }
}

fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(KEPT)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(names: &[&str]) -> Vec<(Code, String)> {
        let mut all = Vec::new();
        of_kind("map", names, &mut all);
        all.into_iter().map(|finding| (finding.code, finding.message)).collect()
    }

    #[test]
    fn fifteen_characters_fit() {
        assert!(codes(&["a23456789012345"]).is_empty());
        let long = codes(&["a234567890123456"]);
        assert_eq!(
            long,
            [(Code::LongName, "the kernel will call it `a23456789012345`".to_owned())]
        );
    }

    #[test]
    fn names_that_become_one_are_worse() {
        let same = codes(&["a234567890123456", "a234567890123457", "b"]);
        assert_eq!(same.len(), 1);
        assert_eq!(same[0].0, Code::SameName);
    }
}
