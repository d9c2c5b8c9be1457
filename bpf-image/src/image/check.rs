//! Declared = found: what an image says of its object against the object's bytes.

use bpf_image_spec::config::{Difference, ObjectSpec, differences};

use super::Declared;
use super::label::Names;
use crate::object::Object;

/// Compares what `declared` claims with what `object` is.
///
/// Our config is compared whole, both ways. Foreign labels are compared name by name: what they
/// leave out is no lie, since bpfman's own builder leaves out the sections it does not know.
pub fn check_declared(declared: &Declared, object: &Object) -> Result<(), Vec<Difference>> {
    let all = compare(declared, object.spec());
    if all.is_empty() { Ok(()) } else { Err(all) }
}

fn compare(declared: &Declared, found: &ObjectSpec) -> Vec<Difference> {
    let mut all = match declared.config() {
        Some(config) => differences(&config.object, found),
        None => Vec::new(),
    };
    let program = |name: &str| found.programs.iter().find(|p| p.name == name);
    let mut label = |names: Option<&Names>, path: &str, found: &dyn Fn(&str, &str) -> Found| {
        for (name, value) in names.into_iter().flatten() {
            if let Found::Other(found) = found(name, value) {
                let path = path.replace("{}", name);
                all.push(Difference { path, declared: Some(value.clone()), found });
            }
        }
    };
    label(declared.programs(), "programs[{}].type", &|name, value| {
        found_as(
            program(name),
            |p| p.program_type.matches_label(value),
            |p| p.program_type.to_string(),
        )
    });
    label(declared.sections(), "programs[{}].section", &|name, value| {
        found_as(program(name), |p| p.section == value, |p| p.section.clone())
    });
    label(declared.maps(), "maps[{}].type", &|name, value| {
        let map = found.maps.iter().find(|m| m.name == name);
        found_as(map, |m| m.map_type.matches_label(value), |m| m.map_type.to_string())
    });
    if let Some(legacy) = declared.legacy() {
        let value = legacy.program_type.as_deref();
        let is = found_as(
            program(&legacy.program),
            |p| value.is_none_or(|value| p.program_type.matches_label(value)),
            |p| p.program_type.to_string(),
        );
        if let Found::Other(found) = is {
            let path = format!("programs[{}].type", legacy.program);
            let declared = Some(value.unwrap_or("present").to_owned());
            all.push(Difference { path, declared, found });
        }
    }
    // A label beside our config repeats what the config was already found to say wrongly.
    all.dedup();
    all
}

enum Found {
    AsDeclared,
    Other(Option<String>),
}

fn found_as<'a, T>(
    item: Option<&'a T>,
    same: impl Fn(&T) -> bool,
    text: impl Fn(&'a T) -> String,
) -> Found {
    match item {
        Some(item) if same(item) => Found::AsDeclared,
        other => Found::Other(other.map(text)),
    }
}
