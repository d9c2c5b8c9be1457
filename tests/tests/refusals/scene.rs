//! Where attacks happen: an image in a registry, and a node that trusts its author there.

use std::path::PathBuf;

use bpf_image_tests::fault_registry::{Answer, FaultRegistry, Request};
use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::registry::Registry;
use bpf_image_tests::skip;

use crate::hand_made::Layout;

/// The program of most images here: it needs no attach point by hand.
pub(crate) const SAMPLE: &str = "raw_tp_counter";

/// The repository.
pub(crate) const REPOSITORY: &str = "org/counter";

/// docker-registry, with a signed image in it.
pub(crate) struct Scene {
    pub(crate) registry: Registry,
    pub(crate) author: Author,
    pub(crate) node: Node,
    pub(crate) reference: String,
}

impl Scene {
    /// `None`, having said so, on a machine without root or docker-registry.
    #[track_caller]
    pub(crate) fn signed() -> Option<Self> {
        let scene = Self::unsigned()?;
        scene.author.sign(&scene.reference);
        Some(scene)
    }

    /// The same without the signature.
    #[track_caller]
    pub(crate) fn unsigned() -> Option<Self> {
        if skip::without_root() {
            return None;
        }
        let registry = Registry::start().inspect_err(|error| skip::because(error)).ok()?;
        let author = Author::new();
        let node = Node::trusting(&author, &registry.reference("org"));
        let reference = registry.reference(&format!("{REPOSITORY}:v1"));
        author.build(SAMPLE, &reference);
        Some(Self { registry, author, node, reference })
    }
}

/// A registry that misbehaves, serving a layout with a signed image `v1`.
pub(crate) struct Faulty {
    pub(crate) registry: FaultRegistry,
    pub(crate) author: Author,
    pub(crate) node: Node,
    pub(crate) reference: String,
}

impl Faulty {
    /// `None`, having said so, without root. `rule` is made once the image is there.
    #[track_caller]
    pub(crate) fn new<R>(rule: impl FnOnce(&Layout) -> R) -> Option<Self>
    where
        R: Fn(Request<'_>) -> Answer + Send + Sync + 'static,
    {
        if skip::without_root() {
            return None;
        }
        let author = Author::new();
        author.signed_layout(SAMPLE);
        let layout = Layout::of(&author, SAMPLE);
        Some(Self::serving(author, &layout, rule(&layout)))
    }

    /// Serves `layout`, made by `author`.
    #[track_caller]
    pub(crate) fn serving(
        author: Author,
        layout: &Layout,
        rule: impl Fn(Request<'_>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let registry = FaultRegistry::start(layout.dir(), rule).unwrap();
        let node = Node::trusting(&author, &registry.reference("org"));
        let reference = registry.reference(&format!("{REPOSITORY}:v1"));
        Self { registry, author, node, reference }
    }
}

/// Gives `answer` where the path ends in `end`, and what is right everywhere else.
pub(crate) fn only(
    end: &str,
    answer: Answer,
) -> impl Fn(Request<'_>) -> Answer + Send + Sync + 'static + use<> {
    let end = end.to_owned();
    move |request| if request.path.ends_with(&end) { answer.clone() } else { Answer::Honest }
}

/// The file in which `node` keeps the blob `digest` once it was fetched and found right.
pub(crate) fn stored(node: &Node, digest: &str) -> PathBuf {
    node.state_dir().join("v1/blobs/sha256").join(digest.trim_start_matches("sha256:"))
}
