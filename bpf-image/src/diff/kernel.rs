//! What the new object asks of a kernel and the old one did not.

use bpf_image_spec::config::Requires;

use super::{Change, Impact, Kind};

pub(super) fn changes(old: &Requires, new: &Requires) -> Vec<Change> {
    let mut all = Vec::new();
    if old.kernel != new.kernel {
        let impact = if new.kernel > old.kernel { Impact::Kernel } else { Impact::Other };
        let change = Change::of_object(impact, Kind::Kernel, "oldest kernel")
            .between(old.kernel.to_string(), new.kernel.to_string());
        let why: Vec<_> = new
            .reasons
            .iter()
            .filter(|reason| reason.kernel > old.kernel)
            .map(|reason| format!("{}: {}", reason.feature, reason.kernel))
            .collect();
        all.push(if why.is_empty() { change } else { change.so(&why.join(", ")) });
    }
    if old.kernel_btf != new.kernel_btf {
        let impact = if new.kernel_btf { Impact::Kernel } else { Impact::Other };
        let text = |needed: bool| if needed { "needed" } else { "not needed" };
        let change = Change::of_object(impact, Kind::Kernel, "the kernel's BTF");
        all.push(change.between(text(old.kernel_btf), text(new.kernel_btf)));
    }
    for capability in new.capabilities.iter().filter(|name| !old.capabilities.contains(name)) {
        let change = Change::of_object(Impact::Kernel, Kind::Kernel, "capability newly needed");
        all.push(Change { new: Some(capability.clone()), ..change });
    }
    all
}
