//! `cargo xtask demo`: the main job from end to end, on real parts, each step with the very
//! command that a user would type.

mod shell;
mod traces;

use bpf_image_tests::peers::{Peer, PeerError};
use bpf_image_tests::registry::{Registry, RegistryError};
use bpf_image_tests::samples::{self, SampleError};
use bpf_image_tests::{RunError, repo};

use self::shell::{Shell, ShellError};
use self::traces::Traces;
use crate::setup;
use crate::step::{StepError, cargo, say, step};

/// Why the demo did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The machine is not ready.
    #[error(transparent)]
    Setup(#[from] setup::Error),
    /// The registry's program cannot be had.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The registry does not start.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The reader does not compile.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The build.
    #[error(transparent)]
    Build(#[from] StepError),
    /// A step did not do what it should.
    #[error(transparent)]
    Shell(#[from] ShellError),
    /// bpftool or ip do not run.
    #[error(transparent)]
    Traces(#[from] RunError),
    /// Something was left behind.
    #[error("the demo left behind: {}", .0.join(", "))]
    Left(Vec<String>),
}

/// Runs it.
pub(crate) fn run() -> Result<(), Error> {
    setup::packages()?;
    say("docker-registry, unpacked into a cache outside the repository: no service is installed");
    println!("    {}", Peer::DockerRegistry.path()?.display());
    say("the two programs");
    step(&mut cargo(&["build", "--locked", "-p", "bpf-image", "-p", "bpf-loader"]))?;

    let before = Traces::take()?;
    {
        let shell = Shell::new()?;
        prepare(&shell)?;
        let key = author(&shell)?;
        through_a_registry(&shell, &key)?;
        without_a_registry(&shell, &key)?;
        shell.say("Nothing is left");
        shell.run("bpf-loader list")?.expect("nothing is loaded")?;
    }
    let left = before.left_behind()?;
    if !left.is_empty() {
        return Err(Error::Left(left));
    }
    println!("bpftool prog, bpftool link, ip netns and the pin directory are as before.");
    println!();
    println!("The demo is done: every step did what it should.");
    Ok(())
}

fn prepare(shell: &Shell) -> Result<(), Error> {
    shell.say("Two machines, played by network namespaces joined by a veth pair");
    for command in [
        "ip netns add $LEFT",
        "ip netns add $RIGHT",
        "ip link add eth0 netns $LEFT type veth peer name eth0 netns $RIGHT",
        "ip -n $LEFT addr add 10.99.0.1/24 dev eth0",
        "ip -n $RIGHT addr add 10.99.0.2/24 dev eth0",
        "ip -n $LEFT link set eth0 up",
        "ip -n $RIGHT link set eth0 up",
    ] {
        shell.run(command)?;
    }
    shell.say("A place for pins, records and the image store that is this demo's own");
    shell.run("mkdir bpffs && mount -t bpf bpffs bpffs")?;

    shell.say("Kernel programs, compiled by clang; and one user-space program, compiled once");
    let sources = repo::root().join("sample-progs");
    for sample in ["xdp_counter_v1", "xdp_counter_v2", "xdp_port_filter"] {
        let source = sources.join(format!("{sample}.c"));
        shell.run(&format!(
            "clang -O2 -g -target bpf -mcpu=v3 -I/usr/include/$(uname -m)-linux-gnu -c {} -o \
             {sample}.o && llvm-strip -g {sample}.o",
            source.display()
        ))?;
    }
    shell.run(&format!(
        "cc -O2 {} -o read-counter -lbpf",
        sources.join("user/read_counter.c").display()
    ))?;
    // The sample of the harness is the same source: it must compile for the tests as well.
    samples::read_counter()?;
    shell.run("sha256sum read-counter")?;
    Ok(())
}

/// What the author shows the node: the public key, as a policy has it.
fn author(shell: &Shell) -> Result<String, Error> {
    shell.say("What is in an object?");
    shell.run("bpf-image inspect xdp_counter_v1.o")?.expect("per_cpu_array")?;
    shell.say("A key pair; its password is in BPF_IMAGE_PASSWORD");
    Ok(shell.run("bpf-image keygen")?.stdout)
}

fn through_a_registry(shell: &Shell, policy: &str) -> Result<(), Error> {
    shell.say("A registry on loopback, its storage in a temporary directory");
    let registry = Registry::start()?;
    let host = registry.host();
    println!("    docker-registry serve config.yml    # listens on {host}");

    shell.say("The author builds, pushes and signs version 1");
    let v1 = format!("{host}/demo/counter:v1");
    shell.run(&format!("bpf-image build xdp_counter_v1.o -t {v1} --push"))?;
    shell.run(&format!("bpf-image sign --key cosign.key {v1}"))?;
    shell.run(&format!("bpf-image verify --key cosign.pub {v1}"))?.expect("signed by")?;

    shell.say("The node says whom it trusts, for which repositories; everything else is refused");
    let demo = format!("match = \"{host}/demo\"");
    shell.write("policy.toml", &policy.replace("match = \"registry.example/org\"", &demo))?;

    shell.say("Can this kernel take it? Nothing is loaded");
    shell.run(&format!("bpf-loader check {v1}"))?.expect("release")?;

    shell.say("Verify, check, load, attach; the program stays when the command ends");
    let attach = "--name counter --attach xdp_counter=xdp:eth0,netns=$RIGHT";
    shell.run(&format!("bpf-loader run {v1} {attach}"))?.expect("running counter")?;
    counts(shell, true)?;
    shell.run("bpf-loader list")?.expect("running")?;
    shell.run("bpf-loader show counter")?.expect("per CPU")?;

    refusals(shell, &registry)?;

    shell.say("Version 2 of the kernel program, the same user-space program");
    let v2 = format!("{host}/demo/counter:v2");
    shell.run(&format!("bpf-image build xdp_counter_v2.o -t {v2} --push"))?;
    shell.run(&format!("bpf-image sign --key cosign.key {v2}"))?;
    shell.run("bpf-loader unload counter")?;
    shell.run(&format!("bpf-loader run {v2} {attach}"))?.expect("counter:v2")?;
    counts(shell, true)?;
    shell.run("sha256sum read-counter")?;
    shell.run("bpf-loader unload counter")?;
    Ok(())
}

/// Each with an empty store, so that nothing good is taken from it.
fn refusals(shell: &Shell, registry: &Registry) -> Result<(), Error> {
    let host = registry.host();
    let refused = |name: &str, words: &str| {
        let command = format!(
            "bpf-loader run {host}/demo/{name}:v1 --state-dir empty-{name} --name {name} \
             --attach xdp_port_filter=xdp:eth0,netns=$LEFT"
        );
        shell.refused(&command, 3)?.expect_error(words)
    };
    shell.say("Refused: an image that nobody signed");
    shell.run(&format!("bpf-image build xdp_port_filter.o -t {host}/demo/unsigned:v1 --push"))?;
    refused("unsigned", "no signature found")?;

    shell.say("Refused: an image signed by a key that the policy does not name");
    shell.run("bpf-image keygen --output-key-prefix stranger")?;
    // Another annotation makes it another image, so that the signatures are not of the first.
    shell.run(&format!(
        "bpf-image build xdp_port_filter.o -t {host}/demo/stranger:v1 --push --annotation a=b"
    ))?;
    shell.run(&format!("bpf-image sign --key stranger.key {host}/demo/stranger:v1"))?;
    refused("stranger", "0 of 1 required signers")?;

    shell.say("Refused: a signed image whose object was changed in the registry's storage");
    let tampered = format!("{host}/demo/tampered:v1");
    shell.run(&format!("bpf-image build xdp_port_filter.o -t {tampered} --push"))?;
    shell.run(&format!("bpf-image sign --key cosign.key {tampered}"))?;
    let digest = shell.quiet("sha256sum xdp_port_filter.o")?.stdout;
    let blob = registry.blob_file(digest.split_whitespace().next().unwrap_or_default());
    shell.run(&format!(
        "printf evil | dd of={} bs=1 seek=64 conv=notrunc status=none",
        blob.display()
    ))?;
    refused("tampered", "sha256:")?;
    Ok(())
}

fn without_a_registry(shell: &Shell, policy: &str) -> Result<(), Error> {
    shell.say("The same with no registry at all: an OCI image layout on disk");
    shell.run("bpf-image build xdp_counter_v1.o -t oci:images:v1")?;
    shell.run("bpf-image sign --key cosign.key oci:images:v1")?;
    let scope = format!("match = \"oci:{}\"", shell.folder().join("images").display());
    shell.write("policy.toml", &policy.replace("match = \"registry.example/org\"", &scope))?;
    shell
        .run("bpf-loader run oci:images:v1 --name counter --attach xdp_counter=xdp:eth0,netns=$RIGHT")?
        .expect("running counter")?;
    counts(shell, false)?;
    shell.run("bpf-loader unload counter")?;
    Ok(())
}

/// The reader shows a counter that rises with each packet.
fn counts(shell: &Shell, twice: bool) -> Result<(), Error> {
    shell.say("Packets flow, and the reader sees the counter rise");
    let read = "./read-counter $(bpf-loader show counter --map-path packets)";
    let ping = "nsenter --net=/run/netns/$LEFT ping -q -c 3 -i 0.2 10.99.0.2";
    let mut last = shell.number(read)?;
    for _ in 0..if twice { 2 } else { 1 } {
        shell.run(ping)?.expect("3 received")?;
        let now = shell.number(read)?;
        if now < last + 3 {
            return Err(ShellError::Unexpected {
                command: read.to_owned(),
                wanted: format!("a number of at least {}", last + 3),
                output: now.to_string(),
            }
            .into());
        }
        last = now;
    }
    Ok(())
}
