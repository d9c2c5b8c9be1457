//! Seeds of signatures and keys. cosign's, since ours look the same and a signature made here would
//! take a key drawn at random, or the 64 MiB that it takes to decrypt one.

use std::fs;

use bpf_image_spec::Digest;

use super::{Corpus, Done, repository};

/// A key of the kind that cosign's are not: RFC 8410, section 10.1.
const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

pub(crate) fn add(corpus: &Corpus) -> Done {
    for file in fs::read_dir(repository("signing/testdata"))? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs::read(&path)?;
        if name.ends_with(".pub") {
            corpus.add("key", bytes)?;
        } else if name.ends_with("-legacy.json") || name.ends_with(".sig") {
            corpus.add("simple_signing", bytes)?;
        } else if name.ends_with(".json") {
            corpus.add("bundle", bytes)?;
        }
    }
    corpus.add("key", ED25519)?;
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{
            "digest": { "sha256": Digest::of(b"manifest").hex() },
            "annotations": { "dev.bpfimage.repo": "registry.example/org/counter" },
        }],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    });
    corpus.add("bundle", statement.to_string())
}
