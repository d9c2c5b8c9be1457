//! Which packages make up a peer, and how it is run. Another peer is another row here.

use super::Peer;

/// What a peer is made of.
pub(super) struct Recipe {
    /// The peer's name, and its folder's in the cache.
    pub(super) name: &'static str,
    /// Debian suites, that of the tool itself first.
    pub(super) suites: &'static [&'static str],
    /// The tool's package.
    pub(super) package: &'static str,
    /// How its version has to begin.
    pub(super) version: &'static str,
    /// Packages of the libraries it brings along.
    pub(super) libraries: &'static [&'static str],
    /// The program inside the package.
    pub(super) program: &'static str,
    /// How it is started.
    pub(super) start: Start,
}

/// How an unpacked program is started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// As it is: it needs nothing but a libc, and any since Debian 12 will do.
    AsIs,
    /// By the dynamic loader that it brings along, with its own libc: this machine's is older.
    OwnLoader,
    /// With its libraries but this machine's libc. For a program that starts itself again through
    /// /proc/self/exe, which under [`Start::OwnLoader`] would be the loader.
    LibraryPath,
}

pub(super) fn of(peer: Peer) -> Recipe {
    let plain = Recipe {
        name: "",
        suites: &["trixie"],
        package: "",
        version: "1.",
        libraries: &[],
        program: "",
        start: Start::AsIs,
    };
    match peer {
        Peer::Cosign2 => Recipe {
            name: "cosign-2",
            package: "cosign",
            version: "2.",
            program: "usr/bin/cosign",
            ..plain
        },
        Peer::Cosign3 => Recipe {
            name: "cosign-3",
            suites: &["sid"],
            package: "cosign",
            version: "3.",
            program: "usr/bin/cosign",
            ..plain
        },
        Peer::Oras => Recipe { name: "oras", package: "oras", program: "usr/bin/oras", ..plain },
        Peer::Skopeo => Recipe {
            name: "skopeo",
            package: "skopeo",
            libraries: &["libc6", "libgpgme11t64", "libassuan9", "libgpg-error0", "libsqlite3-0"],
            program: "usr/bin/skopeo",
            start: Start::OwnLoader,
            ..plain
        },
        Peer::DockerRegistry => Recipe {
            name: "docker-registry",
            suites: &["bookworm"],
            package: "docker-registry",
            version: "2.8.",
            program: "usr/bin/docker-registry",
            ..plain
        },
        Peer::Buildah => Recipe {
            name: "buildah",
            suites: &["bookworm"],
            package: "buildah",
            libraries: &[
                "libgpgme11",
                "libassuan0",
                "libgpg-error0",
                "libseccomp2",
                "libdevmapper1.02.1",
                "libudev1",
                "libselinux1",
                "libpcre2-8-0",
            ],
            program: "usr/bin/buildah",
            start: Start::LibraryPath,
            ..plain
        },
        Peer::Bpftool => Recipe {
            name: "bpftool",
            suites: &["trixie-backports", "trixie"],
            package: "bpftool",
            version: "7.",
            libraries: &["libc6", "libelf1t64", "zlib1g", "libzstd1", "libcap2", "libssl3t64"],
            program: "usr/sbin/bpftool",
            start: Start::OwnLoader,
        },
        Peer::Busybox => Recipe {
            name: "busybox",
            package: "busybox-static",
            version: "",
            program: "usr/bin/busybox",
            ..plain
        },
        Peer::Libbpf => Recipe {
            name: "libbpf",
            suites: &["trixie", "bookworm"],
            package: "libbpf-dev",
            version: "1:1.",
            // trixie's libelf.a leaves out a part of itself and cannot be linked.
            libraries: &[
                "libelf-dev/bookworm",
                "zlib1g-dev/trixie",
                "libc6-dev/trixie",
                "linux-libc-dev/trixie",
            ],
            program: "usr/lib/x86_64-linux-gnu/libbpf.a",
            ..plain
        },
    }
}
