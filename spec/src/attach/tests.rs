//! The grammar of attach points: what round-trips, what is refused.

use proptest::prelude::*;

use super::*;
use crate::config::ProgramType;

fn canonical(text: &str) -> Result<String, AttachPointError> {
    text.parse::<AttachPoint>().map(|point| point.to_string())
}

#[test]
fn canonical_texts_round_trip() {
    for text in [
        "count=xdp:eth0",
        "count=xdp:eth0,mode=generic,netns=blue",
        "count=xdp:eth0,netns=/proc/12/ns/net",
        "count=xdp:eth0,netns=12",
        "count=tcx:eth0,direction=ingress",
        "count=tc:eth0,direction=egress,priority=7",
        "count=tracepoint:sched/sched_switch",
        "count=raw_tp:sched_switch",
        "count=uprobe:/lib/libc.so.6:malloc",
        "count=uretprobe:/lib/libc.so.6:malloc+0x10,pid=3",
        "count=uprobe:/opt/a%3Ab%2Cc:0x40",
        "count=cgroup_skb:/sys/fs/cgroup/web,direction=egress",
    ] {
        assert_eq!(canonical(text).as_deref(), Ok(text));
    }
}

#[test]
fn defaults_are_left_out() {
    let text = canonical("count=tc:eth0,priority=50,direction=ingress");
    assert_eq!(text.as_deref(), Ok("count=tc:eth0,direction=ingress"));
    assert_eq!(canonical("count=xdp:eth0,mode=auto").as_deref(), Ok("count=xdp:eth0"));
}

#[test]
fn wrong_ones_say_what_would_be_right() {
    let error = |text: &str| canonical(text).map_err(|e| e.to_string()).unwrap_err();
    assert_eq!(error("count"), "attach point `count` is not `PROGRAM=KIND:TARGET[,key=value…]`");
    assert!(error("count=xpd:eth0").contains("known: xdp, tcx, tc,"));
    assert!(error("count=xdp").contains("needs a target: `xdp:INTERFACE`"));
    assert!(error("count=xdp:eth0,priority=50").contains("xdp takes: netns, mode"));
    assert!(error("count=xdp:eth0,mode=fast").contains("auto, native or generic"));
    assert!(error("count=xdp:eth0,mode=native,mode=generic").contains("twice"));
    assert!(error("count=tracepoint:sched").contains("CATEGORY/NAME"));
    assert!(error("count=raw_tp:x,pid=3").contains("raw_tp takes: none"));
}

#[test]
fn paths_that_climb_or_end_early_are_refused() {
    for text in [
        "count=tracepoint:../sched/x",
        "count=tracepoint:sched/..",
        "count=xdp:eth0,netns=..",
        "count=xdp:eth0,netns=a/b",
        "count=xdp:eth0,netns=",
        "count=cgroup_skb:relative",
        "count=uprobe:libc.so:malloc",
        "count=xdp:eth%000",
        "count=xdp:eth%2",
        "count=xdp:eth%+1",
        "count=xdp:eth0,netns=0",
        "count=tc:eth0,priority=+5",
        "count=uprobe:/lib/libc.so.6:malloc,pid=+3",
        "count=uprobe:/lib/libc.so.6:malloc++1",
        "count=uprobe:/lib/libc.so.6:0x+1",
    ] {
        assert!(canonical(text).is_err(), "{text}");
    }
}

#[test]
fn sections_that_name_a_target_attach_with_no_flag() {
    let program = |program_type, target: Option<&str>| ProgramSpec {
        attach_target: target.map(str::to_owned),
        ..ProgramSpec::new("count".to_owned(), String::new(), program_type)
    };
    let text = |program_type, target| {
        AttachPoint::of_section(&program(program_type, target)).map(|point| point.to_string())
    };
    let tracepoint = text(ProgramType::Tracepoint, Some("sched/sched_switch"));
    assert_eq!(tracepoint.as_deref(), Some("count=tracepoint:sched/sched_switch"));
    let uprobe = text(ProgramType::Uprobe, Some("/bin/bash:readline+8"));
    assert_eq!(uprobe.as_deref(), Some("count=uprobe:/bin/bash:readline+0x8"));
    assert_eq!(text(ProgramType::Xdp, None), None);
    assert_eq!(text(ProgramType::Uprobe, None), None);
    // A section's name comes from the image, and these would become paths under tracefs.
    assert_eq!(text(ProgramType::Tracepoint, Some("../sched")), None);
    assert_eq!(text(ProgramType::Tracepoint, Some("sched/../../x")), None);
}

#[test]
fn a_namespace_named_as_a_number_is_not_a_process() {
    for name in ["4242", "0", "4294967296"] {
        let target = AttachTarget::Xdp {
            interface: "eth0".to_owned(),
            netns: Some(NetNs::Name(name.to_owned())),
            mode: XdpMode::Auto,
        };
        let point = AttachPoint { program: "count".to_owned(), target };
        assert_eq!(point.to_string().parse(), Ok(point));
    }
    assert_eq!(
        canonical("count=xdp:eth0,netns=4%3242").as_deref(),
        Ok("count=xdp:eth0,netns=%34242")
    );
}

#[test]
fn a_program_named_as_syntax_is_read_back() {
    let text = canonical("a%2Cb%3D%2F%3A%25%0A=xdp:eth0");
    assert_eq!(text.as_deref(), Ok("a%2Cb%3D%2F%3A%25%0A=xdp:eth0"));
}

#[test]
fn sections_that_no_text_could_name_attach_nowhere() {
    let of = |name: &str, program_type, target: &str| {
        AttachPoint::of_section(&ProgramSpec {
            attach_target: Some(target.to_owned()),
            ..ProgramSpec::new(name.to_owned(), String::new(), program_type)
        })
    };
    assert_eq!(of("count", ProgramType::RawTracepoint, ""), None);
    assert_eq!(of("count", ProgramType::RawTracepoint, "a\0b"), None);
    assert_eq!(of("count", ProgramType::Uprobe, "/bin/a\0:main"), None);
    assert_eq!(of("", ProgramType::RawTracepoint, "sched_switch"), None);
    assert_eq!(of("a\0b", ProgramType::RawTracepoint, "sched_switch"), None);
}

proptest! {
    #[test]
    fn any_program_name_round_trips(program in "[^\0]{1,20}") {
        let target = AttachTarget::RawTracepoint { name: "sched_switch".to_owned() };
        let point = AttachPoint { program, target };
        prop_assert_eq!(point.to_string().parse(), Ok(point));
    }

    #[test]
    fn any_namespace_name_round_trips(name in "[^/\0]{1,8}|[0-9]{1,12}") {
        prop_assume!(name != "." && name != "..");
        let target = AttachTarget::Tcx {
            interface: "eth0".to_owned(),
            netns: Some(NetNs::Name(name)),
            direction: None,
        };
        let point = AttachPoint { program: "count".to_owned(), target };
        prop_assert_eq!(point.to_string().parse(), Ok(point));
    }

    #[test]
    fn any_section_round_trips(
        name in ".{0,12}",
        target in ".{0,20}|/[a-z:+%0-9]{0,12}:[a-z+,=%0-9]{0,8}",
    ) {
        for program_type in [
            ProgramType::Tracepoint,
            ProgramType::RawTracepoint,
            ProgramType::Uprobe,
            ProgramType::Uretprobe,
        ] {
            let program = ProgramSpec {
                attach_target: Some(target.clone()),
                ..ProgramSpec::new(name.clone(), String::new(), program_type)
            };
            if let Some(point) = AttachPoint::of_section(&program) {
                prop_assert_eq!(point.to_string().parse(), Ok(point));
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        if let Ok(point) = text.parse::<AttachPoint>() {
            prop_assert_eq!(point.to_string().parse(), Ok(point));
        }
    }

    #[test]
    fn any_target_round_trips(interface in "[^/\0]{1,15}", path in "/[^\0]{1,30}", offset: u64) {
        for target in [
            AttachTarget::Xdp {
                interface: interface.clone(),
                netns: Some(NetNs::Path(path.clone().into())),
                mode: XdpMode::Native,
            },
            AttachTarget::Uprobe {
                on_return: false,
                path: path.clone().into(),
                symbol: Some("main".to_owned()),
                offset,
                pid: Some(1),
            },
        ] {
            let point = AttachPoint { program: "p".to_owned(), target };
            prop_assert_eq!(point.to_string().parse(), Ok(point));
        }
    }
}
