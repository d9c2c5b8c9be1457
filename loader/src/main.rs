//! `bpf-loader`: the command, or, started by itself, its kernel worker.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == bpf_loader::kernel::WORKER_ARGUMENT) {
        return bpf_loader::kernel::worker_main(arguments);
    }
    bpf_loader::cli::main()
}
