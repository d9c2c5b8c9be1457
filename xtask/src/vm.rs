//! `cargo xtask vm`: kernels in virtual machines, and the table of what they load.

use bpf_image_tests::setup::Plan;
use bpf_image_tests::vm::{Kernel, Machine, Series, VmError, minimum};

use crate::setup;
use crate::step::{StepError, cargo, say, step};

/// What `cargo xtask vm` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these kernels, by series; any that Debian's archive has [default: 5.10 6.1 6.12 6.18
    /// 7.2, and the kernel of this machine]
    #[arg(long, value_name = "SERIES", num_args = 1..)]
    kernel: Vec<Series>,

    /// A shell in one machine, which holds every object and the program that loads them
    #[arg(long)]
    shell: bool,
}

/// Why not every cell is as it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The machine is not ready.
    #[error(transparent)]
    Setup(#[from] setup::Error),
    /// The build.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A virtual machine.
    #[error(transparent)]
    Vm(#[from] VmError),
    /// The tables and the kernels do not agree.
    #[error("{count} cells are not as stated or listed")]
    Cells {
        /// How many.
        count: usize,
    },
}

/// Runs the machines and prints the table.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    setup::packages()?;
    setup::install(&Plan::for_virtual_machines())?;
    let chosen = if arguments.kernel.is_empty() { &Series::ALL } else { &arguments.kernel[..] };
    if arguments.shell {
        // The youngest of those named.
        let series = chosen.iter().max().copied().unwrap_or(Series::ALL[0]);
        let kernel = Kernel::get(series)?;
        say(&format!("a shell on {}", kernel.release));
        return Ok(Machine::new(&kernel, minimum::payload()?, "").shell()?);
    }
    if std::env::var_os("BPF_IMAGE_BIN").is_none() {
        say("the program that states minimum kernels");
        step(&mut cargo(&["build", "--locked", "-p", "bpf-image"]))?;
    }
    say("kernels, into a cache outside the repository");
    for series in chosen {
        println!("    {series}: {}", Kernel::get(*series)?.release);
    }
    say("every object on every kernel");
    let matrix = minimum::run(chosen, arguments.kernel.is_empty())?;
    println!("{}", matrix.table());
    let complaints = matrix.complaints();
    for complaint in &complaints {
        println!("WRONG {complaint}");
    }
    match complaints.len() {
        0 => Ok(()),
        count => Err(Error::Cells { count }),
    }
}
