//! The Sigstore bundle v0.3 of a key-signed image, with neither log entry nor timestamp, exactly
//! as cosign 3.1.1 writes and accepts it.
//!
//! Log entries and timestamps that a bundle carries are not read: a key's signature does not
//! depend on them. The key hint is not proof of anything and serves messages only.

use bpf_image_spec::media_type::SIGSTORE_BUNDLE;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::claims::Claims;
use crate::dsse::{self, Envelope, Opened};
use crate::key::{KeyError, KeyId, PrivateKey, PublicKey};
use crate::signature::SignatureError;
use crate::statement;

/// The referrer's annotations, as cosign 3.1.1 writes them.
pub const REFERRER_ANNOTATIONS: [(&str, &str); 2] = [
    ("dev.sigstore.bundle.content", "dsse-envelope"),
    ("dev.sigstore.bundle.predicateType", statement::PREDICATE_TYPE),
];

/// Signs `claims`; the result is the layer of a referrer.
pub fn sign(key: &PrivateKey, claims: &Claims) -> Result<Vec<u8>, KeyError> {
    let payload = statement::write(claims);
    let envelope = dsse::sign(key, statement::PAYLOAD_TYPE, payload.as_bytes())?;
    let bundle = serde_json::json!({
        "mediaType": SIGSTORE_BUNDLE,
        "verificationMaterial": { "publicKey": { "hint": key.public_key().id().to_base64() } },
        "dsseEnvelope": envelope,
    });
    Ok(bundle.to_string().into_bytes())
}

/// What a bundle says that `key` has signed.
pub fn verify(key: &PublicKey, bytes: &[u8]) -> Result<Claims, SignatureError> {
    let bundle = open(bytes)?;
    key.verify(&bundle.message, &bundle.signature)
        .map_err(|_| SignatureError::UnknownKey { claimed: bundle.claimed })?;
    bundle.claims()
}

/// A bundle whose signature is still to be verified.
pub(crate) struct Unverified {
    /// The key that the bundle says it is from.
    pub(crate) claimed: Option<KeyId>,
    /// The bytes that the signature covers.
    pub(crate) message: Vec<u8>,
    /// The signature.
    pub(crate) signature: Vec<u8>,
    opened_payload: Vec<u8>,
}

impl Unverified {
    /// What the statement says; to be called once a key has verified the message.
    pub(crate) fn claims(&self) -> Result<Claims, SignatureError> {
        statement::read(&self.opened_payload)
    }
}

/// Decodes a bundle as far as is needed to verify it.
pub(crate) fn open(bytes: &[u8]) -> Result<Unverified, SignatureError> {
    let bundle: Bundle = serde_json::from_slice(bytes).map_err(SignatureError::malformed)?;
    if bundle.media_type != SIGSTORE_BUNDLE {
        return Err(SignatureError::malformed("it is not a Sigstore bundle v0.3"));
    }
    let envelope = match (bundle.envelope, bundle.message_signature) {
        (Some(envelope), None) => envelope,
        (None, Some(_)) => return Err(SignatureError::NoStatement),
        _ => return Err(SignatureError::malformed("it has not exactly one content")),
    };
    let claimed = match bundle.material {
        Material { public_key: Some(key), certificate: None, chain: None } => {
            key.hint.as_deref().and_then(KeyId::from_base64)
        }
        Material { public_key: None, .. } => return Err(SignatureError::Keyless),
        _ => return Err(SignatureError::malformed("it has both a key and a certificate")),
    };
    let Opened { payload, payload_type, signature } = envelope.open()?;
    if payload_type != statement::PAYLOAD_TYPE {
        return Err(SignatureError::NoStatement);
    }
    let message = dsse::pae(&payload_type, &payload);
    Ok(Unverified { claimed, message, signature, opened_payload: payload })
}

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "mediaType")]
    media_type: String,
    #[serde(rename = "verificationMaterial")]
    material: Material,
    #[serde(rename = "dsseEnvelope")]
    envelope: Option<Envelope>,
    #[serde(rename = "messageSignature")]
    message_signature: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Material {
    #[serde(rename = "publicKey")]
    public_key: Option<PublicKeyHint>,
    certificate: Option<IgnoredAny>,
    #[serde(rename = "x509CertificateChain")]
    chain: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct PublicKeyHint {
    hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use bpf_image_spec::Digest;

    use super::*;
    use crate::key::KeyType;

    const COSIGN: &str = include_str!("../testdata/cosign-3.1.1-bundle.json");
    const COSIGN_PUB: &[u8] = include_bytes!("../testdata/cosign-3.1.1.pub");

    #[test]
    fn reads_what_cosign_wrote() {
        let bundle = open(COSIGN.as_bytes()).unwrap();
        let key = PublicKey::from_pem(COSIGN_PUB).unwrap();
        assert_eq!(bundle.claimed, Some(key.id()));
        assert_eq!(key.verify(&bundle.message, &bundle.signature), Ok(()));
        let claims = bundle.claims().unwrap();
        assert_eq!(claims.repository(), Some("localhost:5917/org/counter"));
    }

    #[test]
    fn says_what_the_key_has_signed_and_no_other() {
        let (key, other) = (KeyType::EcdsaP256, KeyType::Ed25519);
        let [key, other] = [key, other].map(|kind| PrivateKey::generate(kind).unwrap());
        let claims = Claims::new(Digest::of(b"a")).annotate("x", "y").unwrap();
        let bytes = sign(&key, &claims).unwrap();
        assert_eq!(verify(key.public_key(), &bytes), Ok(claims));
        let result = verify(other.public_key(), &bytes);
        assert!(matches!(result, Err(SignatureError::UnknownKey { .. })), "{result:?}");
    }

    #[test]
    fn writes_the_members_that_cosign_writes() {
        let members = |bytes: &[u8]| {
            let mut value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            value["dsseEnvelope"]["payload"].take();
            value["dsseEnvelope"]["signatures"][0]["sig"].take();
            value["verificationMaterial"]["publicKey"]["hint"].take();
            value
        };
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let ours = sign(&key, &Claims::new(Digest::of(b""))).unwrap();
        assert_eq!(members(&ours), members(COSIGN.as_bytes()));
    }

    #[test]
    fn an_attestation_is_not_taken_for_a_signature() {
        let bytes = include_bytes!("../testdata/cosign-3.1.1-attestation.json");
        let bundle = open(bytes).unwrap();
        let key = PublicKey::from_pem(COSIGN_PUB).unwrap();
        assert_eq!(key.verify(&bundle.message, &bundle.signature), Ok(()), "the same key");
        let result = bundle.claims();
        assert!(matches!(result, Err(SignatureError::Attestation { .. })), "{result:?}");
    }

    #[test]
    fn a_bundle_with_a_log_entry_is_read() {
        let material = r#""verificationMaterial":{"#;
        let text = COSIGN.replace(material, &format!(r#"{material}"tlogEntries":[{{"a":[1]}}],"#));
        assert_ne!(text, COSIGN);
        assert!(open(text.as_bytes()).is_ok());
    }

    #[test]
    fn other_bundles_are_named_for_what_they_are() {
        let keyless = COSIGN.replace(r#""publicKey":{"hint":"#, r#""certificate":{"rawBytes":"#);
        assert_eq!(open(keyless.as_bytes()).map(drop), Err(SignatureError::Keyless));
        let blob = COSIGN.replace("dsseEnvelope", "messageSignature");
        assert_eq!(open(blob.as_bytes()).map(drop), Err(SignatureError::NoStatement));
        let other = COSIGN.replace("vnd.in-toto+json", "json");
        assert_eq!(open(other.as_bytes()).map(drop), Err(SignatureError::NoStatement));
    }

    #[test]
    fn ambiguous_bundles_are_refused() {
        for (from, to) in [
            (r#""dsseEnvelope":"#, r#""messageSignature":{},"dsseEnvelope":"#),
            (r#""dsseEnvelope":"#, r#""dsseEnvelope":null,"dsseEnvelope":"#),
            (r#""payload":"#, r#""payload":"","payload":"#),
            (r#""publicKey":"#, r#""certificate":{},"publicKey":"#),
            (r#""signatures":["#, r#""signatures":[{"sig":"AAAA"},"#),
            ("bundle.v0.3", "bundle.v0.2"),
        ] {
            let bad = COSIGN.replace(from, to);
            assert_ne!(bad, COSIGN);
            let result = open(bad.as_bytes()).map(drop);
            assert!(matches!(result, Err(SignatureError::Malformed { .. })), "{to}: {result:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>, at in 0..COSIGN.len(), byte: u8) {
            proptest::prop_assert!(open(&bytes).is_err());
            let mut changed = COSIGN.as_bytes().to_vec();
            changed[at] = byte;
            let _ = open(&changed).and_then(|bundle| bundle.claims());
        }
    }
}
