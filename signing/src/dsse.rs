//! DSSE v1: what is signed is the pre-authentication encoding of the payload and its type, so a
//! payload cannot be taken for one of another type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::key::{KeyError, PrivateKey};
use crate::signature::SignatureError;

/// An envelope as JSON has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    sig: String,
}

/// An envelope's bytes, nothing of which is verified yet.
pub(crate) struct Opened {
    pub(crate) payload: Vec<u8>,
    pub(crate) payload_type: String,
    pub(crate) signature: Vec<u8>,
}

/// DSSE protocol, "PAE": lengths in front, so that type and payload cannot run into each other.
pub(crate) fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

/// Signs `payload`.
pub(crate) fn sign(
    key: &PrivateKey,
    payload_type: &str,
    payload: &[u8],
) -> Result<Envelope, KeyError> {
    let signature = key.sign(&pae(payload_type, payload))?;
    Ok(Envelope {
        payload: STANDARD.encode(payload),
        payload_type: payload_type.to_owned(),
        signatures: vec![Signature { sig: STANDARD.encode(signature) }],
    })
}

impl Envelope {
    /// Decodes the envelope. The bundle format allows one signature only: with more, verifiers
    /// could disagree on which of them has to hold.
    pub(crate) fn open(self) -> Result<Opened, SignatureError> {
        let [signature] = <[Signature; 1]>::try_from(self.signatures)
            .map_err(|_| SignatureError::malformed("its envelope has not exactly one signature"))?;
        let decode = |text: &str, what: &str| {
            STANDARD
                .decode(text)
                .map_err(|_| SignatureError::malformed(format_args!("its {what} is not base64")))
        };
        Ok(Opened {
            payload: decode(&self.payload, "payload")?,
            signature: decode(&signature.sig, "signature")?,
            payload_type: self.payload_type,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pae_is_the_one_of_the_protocol() {
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn two_signatures_or_none_are_refused() {
        for signatures in ["", r#"{"sig":""},{"sig":""}"#] {
            let text = format!(r#"{{"payload":"","payloadType":"","signatures":[{signatures}]}}"#);
            let envelope = serde_json::from_str::<Envelope>(&text).unwrap();
            assert!(envelope.open().is_err());
        }
    }
}
