//! Programs, where they attach, and what they call.

use std::collections::BTreeSet;

use bpf_image_spec::config::{ObjectSpec, ProgramSpec};

use super::change::{ADDED, REMOVED};
use super::{Change, Impact, Kind};

pub(super) fn changes(old: &ObjectSpec, new: &ObjectSpec, all: &mut Vec<Change>) {
    for before in &old.programs {
        match new.programs.iter().find(|program| program.name == before.name) {
            Some(after) => changed(before, after, all),
            None => all.push(
                Change::new(Impact::Breaking, Kind::Program, &before.name, REMOVED)
                    .so("attach points that name it are refused"),
            ),
        }
    }
    for after in &new.programs {
        if old.programs.iter().any(|program| program.name == after.name) {
            continue;
        }
        let mut change = Change::new(Impact::Other, Kind::Program, &after.name, ADDED);
        change.new = Some(format!("{} in section {}", after.program_type, after.section));
        all.push(change);
    }
    calls(Kind::Helper, old, new, |program| &program.helpers, all);
    calls(Kind::Kfunc, old, new, |program| &program.kfuncs, all);
}

fn changed(old: &ProgramSpec, new: &ProgramSpec, all: &mut Vec<Change>) {
    let mut changed = |impact, what: &str, old_text: String, new_text: String, so: &str| {
        if old_text != new_text {
            let change = Change::new(impact, Kind::Program, &old.name, what);
            let change = change.between(old_text, new_text);
            all.push(if so.is_empty() { change } else { change.so(so) });
        }
    };
    let target =
        |program: &ProgramSpec| program.attach_target.clone().unwrap_or_else(|| "none".to_owned());
    let is_moved = old.program_type != new.program_type || target(old) != target(new);
    changed(
        Impact::Breaking,
        "type",
        old.program_type.to_string(),
        new.program_type.to_string(),
        "attach points of the old type are refused",
    );
    changed(
        Impact::Breaking,
        "attach target",
        target(old),
        target(new),
        "it runs somewhere else than before",
    );
    if !is_moved {
        changed(Impact::Other, "section", old.section.clone(), new.section.clone(), "");
    }
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    changed(Impact::Other, "sleepable", yes(old.sleepable), yes(new.sleepable), "");
    changed(
        Impact::Other,
        "instructions",
        old.instructions.to_string(),
        new.instructions.to_string(),
        "",
    );
}

/// Calls that no program made before, and those that none makes any more.
fn calls(
    kind: Kind,
    old: &ObjectSpec,
    new: &ObjectSpec,
    of: impl Fn(&ProgramSpec) -> &Vec<String>,
    all: &mut Vec<Change>,
) {
    let names = |spec: &'_ ObjectSpec| -> BTreeSet<String> {
        spec.programs.iter().flat_map(|program| of(program).iter().cloned()).collect()
    };
    let (before, after) = (names(old), names(new));
    for name in after.difference(&before) {
        let users = new.programs.iter().filter(|program| of(program).contains(name));
        let users: Vec<_> = users.map(|program| program.name.as_str()).collect();
        // A helper's kernel is known and part of the kernel's line; a kernel function's is not.
        let change = match kind {
            Kind::Kfunc => Change::new(Impact::Kernel, kind, name, "newly called")
                .so("kernels without it in their BTF refuse the object"),
            _ => Change::new(Impact::Other, kind, name, "newly called"),
        };
        all.push(Change { new: Some(format!("by {}", users.join(", "))), ..change });
    }
    for name in before.difference(&after) {
        all.push(Change::new(Impact::Other, kind, name, "no longer called"));
    }
}
