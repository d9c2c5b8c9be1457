//! Which program goes where: attach points given by hand, and those that sections name.

use bpf_image_spec::attach::{AttachPoint, AttachTarget, Direction};
use bpf_image_spec::config::{KernelVersion, ProgramSpec, ProgramType};

use super::PlanError;

/// Every attach point with its direction: those given, then those that sections name in full for
/// programs that were given none.
pub(super) fn choose(
    programs: &[ProgramSpec],
    given: &[AttachPoint],
) -> Result<Vec<(AttachPoint, Option<Direction>)>, PlanError> {
    let mut chosen: Vec<(AttachPoint, Option<Direction>)> = Vec::new();
    for point in given {
        let program = programs.iter().find(|program| program.name == point.program);
        let program = program.ok_or_else(|| PlanError::NoProgram {
            program: point.program.clone(),
            known: names(programs),
        })?;
        check_kind(program, &point.target)?;
        if chosen.iter().any(|(other, _)| other == point) {
            return Err(PlanError::Repeated { point: point.to_string() });
        }
        chosen.push((point.clone(), direction(program, point)?));
    }
    for program in programs {
        if !given.iter().any(|point| point.program == program.name)
            && let Some(point) = AttachPoint::of_section(program)
        {
            let direction = direction(program, &point)?;
            chosen.push((point, direction));
        }
    }
    if chosen.is_empty() {
        return Err(PlanError::NoPoint {
            programs: names(programs),
            example: programs
                .iter()
                .find_map(example)
                .unwrap_or_else(|| "PROGRAM=KIND:TARGET".to_owned()),
        });
    }
    Ok(chosen)
}

/// Refuses kinds of link that are younger than the kernel, before anything is loaded.
pub(super) fn check_kernel(
    points: &[(AttachPoint, Option<Direction>)],
    running: KernelVersion,
) -> Result<(), PlanError> {
    for (point, _) in points {
        let (since, instead) = match point.target {
            AttachTarget::Tcx { .. } => {
                (KernelVersion::new(6, 6), Some("`tc:` attaches the same program through clsact"))
            }
            // bpf_link for XDP, and pinned perf links (Linux 5.9, 5.15): kept without a process.
            AttachTarget::Xdp { .. } => (KernelVersion::new(5, 9), None),
            AttachTarget::Tracepoint { .. } | AttachTarget::Uprobe { .. } => {
                (KernelVersion::new(5, 15), None)
            }
            AttachTarget::CgroupSkb { .. } => (KernelVersion::new(5, 7), None),
            _ => continue,
        };
        if running < since {
            let point = point.to_string();
            return Err(PlanError::KernelLacks { point, since, running, instead });
        }
    }
    Ok(())
}

fn check_kind(program: &ProgramSpec, target: &AttachTarget) -> Result<(), PlanError> {
    let fits = match target {
        AttachTarget::Xdp { .. } => program.program_type == ProgramType::Xdp,
        AttachTarget::Tcx { .. } | AttachTarget::Tc { .. } => {
            matches!(program.program_type, ProgramType::Tc | ProgramType::Tcx)
        }
        AttachTarget::Tracepoint { .. } => program.program_type == ProgramType::Tracepoint,
        AttachTarget::RawTracepoint { .. } => program.program_type == ProgramType::RawTracepoint,
        AttachTarget::Uprobe { on_return: false, .. } => {
            program.program_type == ProgramType::Uprobe
        }
        AttachTarget::Uprobe { on_return: true, .. } => {
            program.program_type == ProgramType::Uretprobe
        }
        AttachTarget::CgroupSkb { .. } => program.program_type == ProgramType::CgroupSkb,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(PlanError::WrongKind {
        program: program.name.clone(),
        program_type: program.program_type.to_string(),
        kind: target.kind(),
        right: example(program).unwrap_or_else(|| "no attach point of this version".to_owned()),
    })
}

fn direction(program: &ProgramSpec, point: &AttachPoint) -> Result<Option<Direction>, PlanError> {
    let (AttachTarget::Tcx { direction: given, .. }
    | AttachTarget::Tc { direction: given, .. }
    | AttachTarget::CgroupSkb { direction: given, .. }) = point.target
    else {
        return Ok(None);
    };
    let of_section = match program.attach_target.as_deref() {
        Some("ingress") => Some(Direction::Ingress),
        Some("egress") => Some(Direction::Egress),
        _ => None,
    };
    match given.or(of_section) {
        Some(direction) => Ok(Some(direction)),
        None => Err(PlanError::NoDirection { point: point.to_string() }),
    }
}

/// An attach point that the program could be given.
fn example(program: &ProgramSpec) -> Option<String> {
    let target = match program.program_type {
        ProgramType::Xdp => "xdp:INTERFACE",
        ProgramType::Tc | ProgramType::Tcx => "tcx:INTERFACE,direction=ingress",
        ProgramType::Tracepoint => "tracepoint:CATEGORY/NAME",
        ProgramType::RawTracepoint => "raw_tp:NAME",
        ProgramType::Uprobe => "uprobe:/PATH:SYMBOL",
        ProgramType::Uretprobe => "uretprobe:/PATH:SYMBOL",
        ProgramType::CgroupSkb => "cgroup_skb:/sys/fs/cgroup/DIR,direction=egress",
        _ => return None,
    };
    Some(format!("{}={target}", program.name))
}

fn names(programs: &[ProgramSpec]) -> String {
    if programs.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<_> = programs.iter().map(|program| format!("`{}`", program.name)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(name: &str, program_type: ProgramType, target: Option<&str>) -> ProgramSpec {
        ProgramSpec {
            attach_target: target.map(str::to_owned),
            ..ProgramSpec::new(name.to_owned(), String::new(), program_type)
        }
    }

    fn points(texts: &[&str]) -> Vec<AttachPoint> {
        texts.iter().map(|text| text.parse().expect("an attach point")).collect()
    }

    fn refusal(programs: &[ProgramSpec], given: &[&str]) -> String {
        choose(programs, &points(given)).expect_err("a refusal").to_string()
    }

    #[test]
    fn sections_with_a_target_attach_by_themselves() {
        let programs = [
            program("a", ProgramType::Tracepoint, Some("sched/sched_switch")),
            program("b", ProgramType::Xdp, None),
        ];
        let chosen = choose(&programs, &points(&["b=xdp:eth0"])).expect("points");
        let texts: Vec<_> = chosen.iter().map(|(point, _)| point.to_string()).collect();
        assert_eq!(texts, ["b=xdp:eth0", "a=tracepoint:sched/sched_switch"]);
    }

    #[test]
    fn direction_comes_from_the_point_and_then_from_the_section() {
        let programs = [program("a", ProgramType::CgroupSkb, Some("egress"))];
        let direction = |text| choose(&programs, &points(&[text])).expect("points")[0].1;
        assert_eq!(direction("a=cgroup_skb:/x"), Some(Direction::Egress));
        assert_eq!(direction("a=cgroup_skb:/x,direction=ingress"), Some(Direction::Ingress));
        let plain = [program("a", ProgramType::Tc, None)];
        assert!(refusal(&plain, &["a=tc:eth0"]).contains("needs `direction=ingress`"));
    }

    #[test]
    fn misfits_say_what_would_fit() {
        let programs = [program("a", ProgramType::Xdp, None)];
        assert!(refusal(&programs, &["a=tc:eth0"]).contains("it takes a=xdp:INTERFACE"));
        assert!(refusal(&programs, &["b=xdp:eth0"]).contains("it has `a`"));
        assert!(refusal(&programs, &["a=xdp:e", "a=xdp:e"]).contains("given twice"));
        assert!(refusal(&programs, &[]).contains("nothing says where to attach `a`"));
    }

    #[test]
    fn kernel_too_old_for_the_link_is_refused_before_loading() {
        let programs = [program("a", ProgramType::Tc, None)];
        let chosen = choose(&programs, &points(&["a=tcx:eth0,direction=ingress"])).expect("points");
        assert!(check_kernel(&chosen, KernelVersion::new(6, 6)).is_ok());
        let error = check_kernel(&chosen, KernelVersion::new(6, 1)).expect_err("too old");
        assert!(error.kernel_cannot());
        assert!(error.hint().is_some_and(|hint| hint.contains("`tc:`")));
    }
}
