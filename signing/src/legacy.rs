//! Legacy storage: cosign's simple signing payload and the base64 signature over its bytes.
//!
//! No I/O. The payload is read only after a key has verified it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bpf_image_spec::Digest;
use serde::Deserialize;

use crate::claims::{AnnotationValue, Claims};
use crate::key::{KeyError, PrivateKey, PublicKey};
use crate::signature::SignatureError;
use crate::strict::UniqueMap;

/// The only `type` that is an image signature. cosign's payloads of attestations and of other
/// tools (`atomic container signature`) look the same otherwise.
const TYPE: &str = "cosign container image signature";

/// The layer's annotation that holds the signature.
pub const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";

/// A signature as legacy storage holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacySignature {
    /// The layer's content.
    pub payload: Vec<u8>,
    /// Base64 of the signature: the layer's annotation [`SIGNATURE_ANNOTATION`].
    pub signature: String,
}

/// Signs `claims`.
pub fn sign(key: &PrivateKey, claims: &Claims) -> Result<LegacySignature, KeyError> {
    let annotations = claims.signed_annotations();
    let payload = serde_json::json!({
        "critical": {
            "identity": { "docker-reference": claims.repository().unwrap_or_default() },
            "image": { "docker-manifest-digest": claims.digest() },
            "type": TYPE,
        },
        "optional": (!annotations.is_empty()).then_some(annotations),
    });
    let payload = payload.to_string().into_bytes();
    let signature = STANDARD.encode(key.sign(&payload)?);
    Ok(LegacySignature { payload, signature })
}

/// Whether `key` has made the signature (in base64) over `payload`.
pub fn is_by(key: &PublicKey, payload: &[u8], signature: &str) -> bool {
    decode_signature(signature).is_ok_and(|signature| key.verify(payload, &signature).is_ok())
}

/// The signature's bytes.
pub(crate) fn decode_signature(text: &str) -> Result<Vec<u8>, SignatureError> {
    STANDARD
        .decode(text.trim_ascii())
        .map_err(|_| SignatureError::malformed("its signature is not base64"))
}

/// What a payload says.
pub(crate) fn read(payload: &[u8]) -> Result<Claims, SignatureError> {
    let Payload { critical, optional } =
        serde_json::from_slice(payload).map_err(SignatureError::malformed)?;
    if critical.kind != TYPE {
        return Err(SignatureError::other_type(&critical.kind));
    }
    let annotations = optional.map(|map| map.0).unwrap_or_default();
    Claims::read(critical.image.digest, Some(&critical.identity.reference), annotations)
}

/// Containers' "simple signing" demands exactly these members in what is critical.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    critical: Critical,
    optional: Option<UniqueMap<AnnotationValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cosign_wrote() -> Result<(), SignatureError> {
        for (payload, annotation) in [
            (&include_bytes!("../testdata/cosign-3.1.1-legacy.json")[..], ("z", "w")),
            (&include_bytes!("../testdata/cosign-2.5.0-legacy.json")[..], ("x", "y")),
        ] {
            let claims = read(payload)?;
            assert_eq!(claims.repository(), Some("localhost:5917/org/counter"));
            assert_eq!(claims.signed_annotations().get(annotation.0), Some(&annotation.1));
        }
        Ok(())
    }

    #[test]
    fn another_type_of_payload_is_refused() {
        let payload = include_str!("../testdata/cosign-2.5.0-legacy.json")
            .replace(TYPE, "atomic container signature");
        let result = read(payload.as_bytes());
        assert!(matches!(result, Err(SignatureError::OtherType { .. })), "{result:?}");
    }

    #[test]
    fn a_member_given_twice_or_unknown_is_refused() {
        let good = include_str!("../testdata/cosign-2.5.0-legacy.json");
        let digest = r#""docker-manifest-digest":"sha256:"#;
        for bad in [
            good.replace(r#"{"critical""#, r#"{"critical":null,"critical""#),
            good.replace(digest, &format!("{digest}{}\",{digest}", "a".repeat(64))),
            good.replace(r#"{"x":"y"}"#, r#"{"x":"y","x":"z"}"#),
            good.replace(r#""identity":{"#, r#""more":1,"identity":{"#),
            good.replace("sha256:d", "sha256:D"),
            format!("{good}{good}"),
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>, text: String) {
            proptest::prop_assert!(read(&bytes).is_err());
            let _ = decode_signature(&text);
        }
    }
}
