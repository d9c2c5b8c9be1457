//! What the licence lets a program call (Documentation/process/license-rules.rst, kernel/license.h).

use bpf_image_spec::config::{ObjectSpec, ProgramType};

use super::{Code, Finding, Severity};

/// The licences that the kernel takes for GPL: `license_is_gpl_compatible`.
const COMPATIBLE: [&str; 6] =
    ["GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"];

/// Helpers with `gpl_only` in their `struct bpf_func_proto`. Linux 6.18 refused each of these, or
/// says so in its source where a machine offers no way to try (tracing iterators, infrared,
/// `override_return` and `probe_write_user`), in a program under another licence.
const GPL_ONLY: &[&str] = &[
    "bpf_check_mtu",
    "bpf_copy_from_user_task",
    "bpf_fib_lookup",
    "bpf_get_branch_snapshot",
    "bpf_get_current_task",
    "bpf_get_current_task_btf",
    "bpf_get_func_ip",
    "bpf_get_stack",
    "bpf_get_stackid",
    "bpf_override_return",
    "bpf_perf_event_output",
    "bpf_perf_event_read",
    "bpf_perf_event_read_value",
    "bpf_perf_prog_read_value",
    "bpf_probe_read",
    "bpf_probe_read_kernel",
    "bpf_probe_read_kernel_str",
    "bpf_probe_read_str",
    "bpf_probe_read_user",
    "bpf_probe_read_user_str",
    "bpf_probe_write_user",
    "bpf_rc_keydown",
    "bpf_rc_pointer_rel",
    "bpf_rc_repeat",
    "bpf_read_branch_records",
    "bpf_seq_printf",
    "bpf_seq_printf_btf",
    "bpf_seq_write",
    "bpf_skb_output",
    "bpf_snprintf",
    "bpf_task_pt_regs",
    "bpf_tcp_check_syncookie",
    "bpf_tcp_gen_syncookie",
    "bpf_tcp_raw_check_syncookie_ipv4",
    "bpf_tcp_raw_check_syncookie_ipv6",
    "bpf_tcp_raw_gen_syncookie_ipv4",
    "bpf_tcp_raw_gen_syncookie_ipv6",
    "bpf_timer_cancel",
    "bpf_timer_init",
    "bpf_timer_set_callback",
    "bpf_timer_start",
    "bpf_trace_printk",
    "bpf_trace_vprintk",
    "bpf_xdp_output",
];

const FIX: &str = "if the code may be under the GPL: char LICENSE[] SEC(\"license\") = \"Dual BSD/GPL\"; \
                   else do without these calls";

pub(super) fn findings(spec: &ObjectSpec, all: &mut Vec<Finding>) {
    let license = spec.license.as_deref();
    if license.is_none_or(str::is_empty) {
        all.push(Finding::new(
            Severity::Warning,
            Code::NoLicense,
            "no license section, which the kernel counts as not GPL".to_owned(),
            "add char LICENSE[] SEC(\"license\") = \"Dual BSD/GPL\"; or what your code is under",
        ));
    }
    if license.is_some_and(|license| COMPATIBLE.contains(&license)) {
        return;
    }
    let under = match license {
        Some(license) if !license.is_empty() => format!("under the license `{license}`"),
        _ => "without a license".to_owned(),
    };
    for program in &spec.programs {
        let calls: Vec<_> =
            program.helpers.iter().filter(|name| GPL_ONLY.contains(&name.as_str())).collect();
        let what = if !calls.is_empty() {
            let names: Vec<_> = calls.iter().map(|name| format!("`{name}`")).collect();
            format!("calls {}, which the kernel keeps for GPL programs, {under}", names.join(", "))
        } else if needs_gpl(program.program_type) {
            let kind = program.program_type;
            format!("is of type `{kind}`, which the kernel keeps for GPL programs, {under}")
        } else {
            continue;
        };
        let finding = Finding::new(Severity::Error, Code::GplOnly, what, FIX);
        all.push(finding.about("program", &program.name));
    }
}

/// `bpf_lsm_verify_prog` and `check_struct_ops_btf_id` ask for it whatever a program calls.
fn needs_gpl(program_type: ProgramType) -> bool {
    matches!(program_type, ProgramType::Lsm | ProgramType::LsmCgroup | ProgramType::StructOps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_are_in_order_and_known_once() {
        assert!(GPL_ONLY.is_sorted_by(|a, b| a < b));
    }
}
