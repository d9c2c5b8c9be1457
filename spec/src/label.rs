//! Labels and annotations (SPEC.md, "Labels and annotations").
//!
//! `io.ebpf.*` is bpfman's vocabulary, which the field already reads; `dev.bpfimage.*` is ours.

/// JSON object, program name → type, in the section vocabulary (`xdp`, `tc`, `fentry` …).
pub const PROGRAMS: &str = "io.ebpf.programs";
/// JSON object, map name → type (`hash`, `per_cpu_array` …).
pub const MAPS: &str = "io.ebpf.maps";
/// JSON object, program name → ELF section.
pub const SECTIONS: &str = "dev.bpfimage.sections";
/// The config v1 JSON, as a label of the image form.
pub const CONFIG: &str = "dev.bpfimage.config";
/// Longest value of [`CONFIG`] that a reader accepts, in bytes.
pub const CONFIG_MAX: usize = 64 * 1024;

/// The repository a signature was made for, `registry/repository` (signed annotation).
pub const SIGNED_REPOSITORY: &str = "dev.bpfimage.repo";
/// The version a signature vouches for (signed annotation).
pub const SIGNED_VERSION: &str = "dev.bpfimage.version";
/// RFC 3339 time after which a signature no longer counts (signed annotation).
pub const SIGNED_NOT_AFTER: &str = "dev.bpfimage.not-after";

/// bpfman's first, one-program label set: the ELF section's program name.
pub const LEGACY_PROGRAM_NAME: &str = "io.ebpf.program_name";
/// bpfman's first label set: the function's name.
pub const LEGACY_FUNCTION_NAME: &str = "io.ebpf.bpf_function_name";
/// bpfman's first label set: the program's type.
pub const LEGACY_PROGRAM_TYPE: &str = "io.ebpf.program_type";
/// bpfman's first label set: the object's file name in the layer.
pub const LEGACY_FILENAME: &str = "io.ebpf.filename";

/// OCI: RFC 3339 creation time; written only when `SOURCE_DATE_EPOCH` is set.
pub const OCI_CREATED: &str = "org.opencontainers.image.created";
/// OCI: full reference a layout entry came from or goes by.
pub const OCI_REF_NAME: &str = "org.opencontainers.image.ref.name";
/// OCI: file name of a layer.
pub const OCI_TITLE: &str = "org.opencontainers.image.title";
/// OCI: licence of the content, an SPDX expression.
pub const OCI_LICENSES: &str = "org.opencontainers.image.licenses";
/// OCI: version of the packaged software.
pub const OCI_VERSION: &str = "org.opencontainers.image.version";
