//! Seeds of text: references, attach points, policies.

use std::fs;

use bpf_image_signing::{Policy, PublicKey};

use super::{Corpus, Done, repository};

/// What no scaffold has.
const POLICY: &str = r#"
version = 1
[[scope]]
match = "registry.example/org"
threshold = 1
repository = "required"
signer = [{ name = "release", key-file = "key.pub" }, { name = "other", key-file = "no.pub" }]
[[scope]]
match = "oci:/var/lib/images"
[[scope.signer]]
name = "local"
key-file = "key.pub"
"#;

pub(crate) fn add(corpus: &Corpus) -> Done {
    for (file, target) in [
        ("attach-points.tsv", "attach_point"),
        ("references.tsv", "reference"),
        ("platforms.tsv", "reference"),
    ] {
        let table = fs::read_to_string(repository("spec/vectors").join(file))?;
        let rows = table.lines().filter(|row| !row.starts_with('#'));
        for text in rows.filter_map(|row| row.split('\t').nth(1)) {
            corpus.add(target, text)?;
        }
    }
    for text in ["6.1", "5.10.0-28-amd64", "6.18.0-rc1+", "sha256:"] {
        corpus.add("reference", text)?;
    }
    let key = fs::read(repository("signing/testdata/cosign-3.1.1.pub"))?;
    let key = PublicKey::from_pem(&key)?;
    for scope in ["registry.example/org/counter", "oci:/var/lib/images", "localhost:5000"] {
        corpus.add("policy", Policy::scaffold(scope, &key)?)?;
    }
    corpus.add("policy", POLICY)?;
    corpus.add("policy", POLICY.replace("no.pub", "key.pub"))
}
