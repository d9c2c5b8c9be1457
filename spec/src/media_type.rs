//! Media types and artifact types (SPEC.md, "Media types").

/// `artifactType` of an image in artifact form.
pub const ARTIFACT: &str = "application/vnd.bpfimage.artifact.v1";
/// Config blob of an image in artifact form.
pub const CONFIG: &str = "application/vnd.bpfimage.config.v1+json";
/// The one layer of an image in artifact form: the ELF file itself.
pub const OBJECT: &str = "application/vnd.bpfimage.object.v1";

/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI container image config.
pub const OCI_IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// OCI empty JSON object, the config of artifacts that have none.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// OCI gzipped tar layer.
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// OCI uncompressed tar layer.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Docker schema 2 manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker schema 2 manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker gzipped tar layer.
pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// Docker container image config.
pub const DOCKER_IMAGE_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Sigstore bundle: artifact type and layer of a signature in bundle storage.
pub const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Simple signing payload: layer of a signature in legacy storage.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Inspektor Gadget's manifest `artifactType`.
pub const GADGET: &str = "application/vnd.gadget.v1+binary";
/// Inspektor Gadget's object layer.
pub const GADGET_PROGRAM: &str = "application/vnd.gadget.ebpf.program.v1+binary";
/// bumblebee's config.
pub const BUMBLEBEE_CONFIG: &str = "application/ebpf.oci.image.config.v1+json";
/// bumblebee's object layer.
pub const BUMBLEBEE_PROGRAM: &str = "application/ebpf.oci.image.program.v1+binary";
