//! What the name of a section says about the programs in it, as libbpf reads it.

use bpf_image_spec::config::{KernelVersion, ProgramType};

use super::table::section::{DEFINITIONS, Definition};

/// What a section's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning<'a> {
    pub(super) program_type: ProgramType,
    pub(super) target: Option<&'a str>,
    pub(super) sleepable: bool,
    /// First kernel that loads such a program; `None` for an unknown section.
    pub(super) since: Option<KernelVersion>,
    /// The name on libbpf's list, such as `fentry.s`.
    pub(super) definition: Option<&'static str>,
}

/// Sections that select nothing by what stands after their slash.
const PLAIN: [&str; 4] = ["cgroup/skb", "cgroup/sock", "cgroup/sysctl", "cgroup/dev"];

/// Reads the name of a section that holds instructions.
///
/// libbpf's list comes first. Names that only older libbpf and aya know follow: `xdp/anything`,
/// `cgroup/connect4/anything`, and `cgroup_skb` alone.
pub(super) fn meaning(section: &str) -> Meaning<'_> {
    // libbpf: programs of `?` sections are not loaded unless asked for.
    let name = section.strip_prefix('?').unwrap_or(section);
    if let Some((definition, target)) = find(name) {
        return of(definition, target);
    }
    let mut shorter = name;
    while let Some((head, _)) = shorter.rsplit_once('/') {
        if let Some((definition, target)) = find(head) {
            return of(definition, target);
        }
        shorter = head;
    }
    let bare = if name == "cgroup_skb" { find("cgroup/skb") } else { None };
    bare.map_or(
        Meaning {
            program_type: ProgramType::Unspecified,
            target: None,
            sleepable: false,
            since: None,
            definition: None,
        },
        |(definition, target)| of(definition, target),
    )
}

fn of<'a>(definition: &'static Definition, target: Option<&'a str>) -> Meaning<'a> {
    Meaning {
        program_type: definition.program_type,
        target,
        sleepable: definition.sleepable,
        since: Some(definition.since),
        definition: Some(definition.name),
    }
}

fn find(name: &str) -> Option<(&'static Definition, Option<&str>)> {
    DEFINITIONS.iter().find_map(|definition| {
        if definition.name == name {
            let selects = !definition.extras && !PLAIN.contains(&name);
            let target = name.split_once('/').filter(|_| selects).map(|(_, target)| target);
            return Some((definition, target));
        }
        let rest = name.strip_prefix(definition.name)?.strip_prefix('/')?;
        definition.extras.then(|| (definition, Some(rest).filter(|rest| !rest.is_empty())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(section: &str) -> (&'static str, Option<&str>, bool) {
        let meaning = meaning(section);
        (meaning.program_type.label(), meaning.target, meaning.sleepable)
    }

    #[test]
    fn names_of_libbpfs_list() {
        assert_eq!(brief("xdp"), ("xdp", None, false));
        assert_eq!(brief("xdp.frags/devmap"), ("xdp", Some("devmap"), false));
        assert_eq!(brief("tc/ingress"), ("tc", Some("ingress"), false));
        assert_eq!(brief("tcx/egress"), ("tcx", Some("egress"), false));
        assert_eq!(
            brief("tp/sched/sched_switch"),
            ("tracepoint", Some("sched/sched_switch"), false)
        );
        assert_eq!(brief("uprobe//bin/sh:main"), ("uprobe", Some("/bin/sh:main"), false));
        assert_eq!(brief("uprobe.multi.s/a:b"), ("uprobe", Some("a:b"), true));
        assert_eq!(brief("fmod_ret.s/f"), ("fmod_ret", Some("f"), true));
        assert_eq!(brief("kprobe"), ("kprobe", None, false));
        assert_eq!(brief("cgroup/connect4"), ("cgroup_sock_addr", Some("connect4"), false));
        assert_eq!(brief("cgroup/skb"), ("cgroup_skb", None, false));
        assert_eq!(brief("cgroup_skb/egress"), ("cgroup_skb", Some("egress"), false));
        assert_eq!(brief("sk_reuseport/migrate"), ("sk_reuseport", Some("migrate"), false));
        assert_eq!(brief("lsm_cgroup/socket_bind"), ("lsm_cgroup", Some("socket_bind"), false));
        assert_eq!(brief("syscall"), ("syscall", None, true));
    }

    #[test]
    fn question_mark_is_not_part_of_the_name() {
        assert_eq!(brief("?xdp"), ("xdp", None, false));
        assert_eq!(brief("??xdp"), ("unspec", None, false));
    }

    #[test]
    fn older_spellings_name_the_program_after_the_slash() {
        assert_eq!(brief("xdp/my_prog"), ("xdp", None, false));
        assert_eq!(brief("classifier/a/b"), ("tc", None, false));
        assert_eq!(brief("cgroup_skb/ingress/x"), ("cgroup_skb", Some("ingress"), false));
        assert_eq!(brief("cgroup_skb"), ("cgroup_skb", None, false));
    }

    #[test]
    fn unknown_names_have_no_type() {
        for section in ["", "/", "xdpfoo", "kprobe.multix/y", "my_section", "2/7"] {
            assert_eq!(brief(section), ("unspec", None, false), "{section}");
        }
    }
}
