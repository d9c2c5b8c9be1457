//! Seeds of signatures and keys: cosign's, and ours.

use std::fs;

use bpf_image_signing::{Claims, PrivateKey, bundle, legacy};
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
    let reference = "registry.example/org/counter".parse()?;
    let claims = Claims::new(Digest::of(b"manifest")).in_repository(&reference);
    let claims = claims.annotate("dev.bpfimage.version", "1.2.3")?;
    let key = fs::read(repository("signing/testdata/cosign-3.1.1.key"))?;
    let key = PrivateKey::from_pem(&key, b"pw")?;
    corpus.add("bundle", bundle::sign(&key, &claims)?)?;
    let legacy = legacy::sign(&key, &claims)?;
    corpus.add("simple_signing", &legacy.payload)?;
    corpus.add("simple_signing", &legacy.signature)?;
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
