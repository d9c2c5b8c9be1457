//! A traced `bpf-loader`, and what every refusal of it has in common.

use std::process::Command;

use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::{RunOutput, run, skip};
use tempfile::NamedTempFile;

/// Memory that a traced command may map, in KiB: no image and no registry may make it want more.
pub(crate) const MEMORY: u32 = 64 * 1024;

/// What a traced command said, and the bpf(2) calls of all its processes.
pub(crate) struct Traced {
    pub(crate) output: RunOutput,
    pub(crate) calls: Vec<String>,
}

/// Runs `command` under strace with at most `memory` KiB of address space.
#[track_caller]
pub(crate) fn traced(command: &Command, memory: u32) -> Traced {
    let trace = NamedTempFile::new().unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=bpf", "-e", "signal=none", "-o"]).arg(trace.path());
    strace.args(["sh", "-c", r#"ulimit -v "$0" && exec "$@""#]).arg(memory.to_string());
    strace.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    let output = run(&mut strace).unwrap();
    let trace = std::fs::read_to_string(trace.path()).unwrap();
    // A thread that ends with its process before strace has seen it make any call gets a line that
    // names none; one that made a bpf(2) call has another line for it.
    let calls = trace.lines().filter(|line| !line.ends_with(" ???( <detached ...>"));
    Traced { output, calls: calls.map(str::to_owned).collect() }
}

/// A refusal of `bpf-loader`, to be asserted further.
pub(crate) struct Refused {
    traced: Traced,
}

/// Runs `bpf-loader` of `node`, which must refuse and leave nothing.
#[track_caller]
pub(crate) fn refused(node: &Node, arguments: &[&str]) -> Refused {
    refused_command(node, node.bpf_loader().args(arguments), MEMORY)
}

/// Runs `command`, a `bpf-loader` of `node`, which must refuse and leave nothing.
#[track_caller]
pub(crate) fn refused_command(node: &Node, command: &Command, memory: u32) -> Refused {
    let traced = traced(command, memory);
    let output = &traced.output;
    assert!(output.stdout.is_empty(), "{}", output.transcript());
    let told = output.stderr.lines().filter(|line| line.starts_with("fault: ")).count();
    assert!(output.stderr.starts_with("error: ") && told == 1, "{}", output.transcript());
    node.assert_nothing_left();
    Refused { traced }
}

impl Refused {
    /// Asserts exit code and fault, and that the refusal came as early as its code promises.
    #[track_caller]
    pub(crate) fn with(&self, code: i32, fault: &str) -> &Self {
        self.traced.output.assert_code(code).assert_stderr_has(&format!("\nfault: {fault}\n"));
        match code {
            2 | 3 | 5 => self.before_bpf(),
            4 => self.before_attaching(),
            _ => self,
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> i32 {
        self.traced.output.code
    }

    /// Asserts that `text` is in the message.
    #[track_caller]
    pub(crate) fn saying(&self, text: &str) -> &Self {
        self.traced.output.assert_stderr_has(text);
        self
    }

    /// Asserts that the hint has `text`.
    #[track_caller]
    pub(crate) fn hinting(&self, text: &str) -> &Self {
        let output = &self.traced.output;
        let hint = output.stderr.lines().find(|line| line.starts_with("hint:  "));
        assert!(hint.is_some_and(|hint| hint.contains(text)), "{}", output.transcript());
        self
    }

    /// Asserts that no bpf(2) call was made.
    #[track_caller]
    pub(crate) fn before_bpf(&self) -> &Self {
        assert!(self.traced.calls.is_empty(), "{:#?}", self.traced.calls);
        self
    }

    /// Asserts that no link was made.
    #[track_caller]
    pub(crate) fn before_attaching(&self) -> &Self {
        assert_eq!(self.traced.link_made(), None);
        self
    }
}

impl Traced {
    /// A call that made a link. aya also asks for one that cannot be, to see what the kernel has.
    pub(crate) fn link_made(&self) -> Option<&String> {
        let kinds = ["(BPF_LINK_CREATE", "(BPF_RAW_TRACEPOINT_OPEN", "(BPF_PROG_ATTACH"];
        let attaches = |call: &String| kinds.iter().any(|kind| call.contains(kind));
        self.calls.iter().find(|call| attaches(call) && !call.contains(" = -1 "))
    }
}

/// Runs `bpf-loader run` as a refusal is run; it must accept, and is unloaded at once.
#[track_caller]
pub(crate) fn accepted(node: &Node, arguments: &[&str]) -> Traced {
    let traced = traced(node.bpf_loader().args(arguments).args(["--name", "accepted"]), MEMORY);
    traced.output.assert_code(0).assert_stdout_has("running accepted");
    node.loader(&["unload", "accepted"]).assert_code(0);
    node.assert_nothing_left();
    traced
}

/// What the other tests rest on: the trace shows bpf(2) calls and links where there are some, and
/// the bounded memory suffices for a good image.
#[test]
fn an_accepted_run_shows_its_bpf_calls_and_its_link_under_the_same_trace() {
    if skip::without_root() {
        return;
    }
    let author = Author::new();
    let node = Node::trusting_layouts(&author);
    let reference = author.signed_layout("raw_tp_counter");
    let traced = accepted(&node, &["run", &reference]);
    assert!(traced.calls.iter().any(|call| call.contains("bpf(BPF_PROG_LOAD")));
    assert!(traced.link_made().is_some(), "{:#?}", traced.calls);
}
