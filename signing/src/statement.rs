//! The in-toto Statement v1 of an image signature, as `cosign sign` writes it: one subject, the
//! manifest's digest, signed annotations on that subject, and a predicate type that says
//! "signature". An attestation has another predicate type and is never taken for a signature.

use serde::Deserialize;

use crate::claims::{AnnotationValue, Claims};
use crate::signature::SignatureError;
use crate::strict::UniqueMap;

/// DSSE payload type of a statement.
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What makes a statement a signature of an image.
pub const PREDICATE_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";

/// The statement that says `claims`.
pub(crate) fn write(claims: &Claims) -> String {
    serde_json::json!({
        "_type": STATEMENT_TYPE,
        "subject": [{
            "digest": { "sha256": claims.digest().hex() },
            "annotations": claims.signed_annotations(),
        }],
        "predicateType": PREDICATE_TYPE,
        "predicate": {},
    })
    .to_string()
}

/// What a statement says.
pub(crate) fn read(payload: &[u8]) -> Result<Claims, SignatureError> {
    let statement: Statement =
        serde_json::from_slice(payload).map_err(SignatureError::malformed)?;
    // First, since cosign's attestations are Statements v0.1 and are to be named for what they are.
    if statement.predicate_type != PREDICATE_TYPE {
        return Err(SignatureError::attestation(&statement.predicate_type));
    }
    if statement.kind != STATEMENT_TYPE {
        return Err(SignatureError::malformed("its payload is not an in-toto Statement v1"));
    }
    // With several subjects, one's digest and another's annotations could be taken for one claim.
    let [subject] = <[Subject; 1]>::try_from(statement.subject)
        .map_err(|_| SignatureError::malformed("its statement has not exactly one subject"))?;
    let hex = subject
        .digest
        .0
        .get("sha256")
        .ok_or_else(|| SignatureError::malformed("its subject has no sha256 digest"))?;
    let digest = format!("sha256:{hex}").parse().map_err(SignatureError::malformed)?;
    let annotations = subject.annotations.map(|map| map.0).unwrap_or_default();
    Claims::read(digest, None, annotations)
}

/// in-toto asks readers to ignore members that they do not know.
#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: UniqueMap<String>,
    annotations: Option<UniqueMap<AnnotationValue>>,
}

#[cfg(test)]
mod tests {
    use bpf_image_spec::{Digest, RegistryReference};

    use super::*;

    fn claims() -> Claims {
        let reference = "localhost:5917/org/counter".parse::<RegistryReference>().unwrap();
        Claims::new(Digest::of(b"manifest")).in_repository(&reference)
    }

    #[test]
    fn says_what_it_was_told() {
        assert_eq!(read(write(&claims()).as_bytes()), Ok(claims()));
    }

    #[test]
    fn an_attestation_is_not_taken_for_a_signature() {
        let text = write(&claims()).replace(PREDICATE_TYPE, "https://slsa.dev/provenance/v1");
        let result = read(text.as_bytes());
        assert!(matches!(result, Err(SignatureError::Attestation { .. })), "{result:?}");
        let untyped = write(&claims()).replace("predicateType", "predicatetype");
        assert!(read(untyped.as_bytes()).is_err());
    }

    #[test]
    fn annotations_of_another_subject_do_not_count() {
        let other = r#""subject":[{"digest":{"sha512":"00"},"annotations":{}},"#;
        let text = write(&claims()).replace(r#""subject":["#, other);
        assert!(matches!(read(text.as_bytes()), Err(SignatureError::Malformed { .. })));
        let none = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],
            "predicateType":"https://sigstore.dev/cosign/sign/v1"}"#;
        assert!(matches!(read(none.as_bytes()), Err(SignatureError::Malformed { .. })));
    }

    #[test]
    fn a_member_given_twice_is_refused() {
        let good = write(&claims());
        let hex = "a".repeat(64);
        for bad in [
            good.replace(
                "\"predicateType\":",
                "\"predicateType\":\"https://slsa.dev/provenance/v1\",\"predicateType\":",
            ),
            good.replace("\"sha256\":", &format!("\"sha256\":\"{hex}\",\"sha256\":")),
            good.replace("\"digest\":", "\"digest\":{},\"digest\":"),
            good.replace(
                "\"dev.bpfimage.repo\":",
                "\"dev.bpfimage.repo\":1,\"dev.bpfimage.repo\":",
            ),
        ] {
            assert_ne!(bad, good);
            assert!(matches!(read(bad.as_bytes()), Err(SignatureError::Malformed { .. })), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
            proptest::prop_assert!(read(&bytes).is_err());
        }
    }
}
