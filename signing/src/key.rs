//! Key pairs: ECDSA P-256 over SHA-256 (cosign's default) and Ed25519, kept in cosign's files.
//!
//! The only module that knows the `sigstore` crate. Private keys are stored as cosign stores them
//! (`ENCRYPTED SIGSTORE PRIVATE KEY`: PKCS#8 under scrypt and secretbox), so either tool
//! reads the other's. An unencrypted private key is not read.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bpf_image_spec::Digest;
use serde::Deserialize;
use sigstore::crypto::signing_key::ecdsa::{ECDSAKeys, EllipticCurve};
use sigstore::crypto::signing_key::ed25519::Ed25519Keys;
use sigstore::crypto::signing_key::{SigStoreKeyPair, SigStoreSigner, kdf};
use sigstore::crypto::{CosignVerificationKey, Signature, SigningScheme};
use zeroize::Zeroizing;

use crate::pem;

mod error;

pub use error::KeyError;

const PRIVATE_LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
/// What cosign wrote before 2.0.
const OLD_PRIVATE_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// RFC 5480 SPKI of a P-256 key up to the point, whose first byte says "uncompressed".
const P256_SPKI: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
/// RFC 8410 SPKI of an Ed25519 key up to the key.
const ED25519_SPKI: &[u8] =
    &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The kinds of keys that sign here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyType {
    /// ECDSA on P-256 over SHA-256; every verifier reads it.
    #[default]
    EcdsaP256,
    /// Ed25519. cosign verifies what such a key signs here; what cosign 3 signs with it does not
    /// verify, as that is Ed25519ph, which the sigstore crate does not have.
    Ed25519,
}

/// SHA-256 of a public key's SPKI DER: what names a key in bundles and messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Digest);

/// A public key in its one spelling, so that one key cannot count as two signers.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: KeyType,
    spki: Vec<u8>,
}

/// A private key that is ready to sign. `Debug` shows only its public half.
pub struct PrivateKey {
    signer: SigStoreSigner,
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

impl KeyType {
    fn scheme(self) -> SigningScheme {
        match self {
            Self::EcdsaP256 => SigningScheme::ECDSA_P256_SHA256_ASN1,
            Self::Ed25519 => SigningScheme::ED25519,
        }
    }
}

impl PrivateKey {
    /// A new key pair from the system's randomness.
    pub fn generate(kind: KeyType) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Generate { kind };
        let pair = match kind {
            KeyType::EcdsaP256 => {
                SigStoreKeyPair::ECDSA(ECDSAKeys::new(EllipticCurve::P256).map_err(failed)?)
            }
            KeyType::Ed25519 => SigStoreKeyPair::ED25519(Ed25519Keys::new().map_err(failed)?),
        };
        Self::from_pkcs8(pair.private_key_to_der().map_err(failed)?)
    }

    /// Reads a key file that cosign or [`Self::to_encrypted_pem`] wrote; the password may be empty.
    pub fn from_pem(text: &[u8], password: &[u8]) -> Result<Self, KeyError> {
        let (label, sealed) = pem::decode(text).ok_or(KeyError::NotPem)?;
        if label != PRIVATE_LABEL && label != OLD_PRIVATE_LABEL {
            return Err(KeyError::Label { expected: PRIVATE_LABEL, found: label.to_owned() });
        }
        check_container(&sealed)?;
        let pkcs8 = kdf::decrypt(&sealed, password).map_err(|_| KeyError::WrongPassword)?;
        Self::from_pkcs8(Zeroizing::new(pkcs8))
    }

    fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let unsupported = |_| KeyError::Unsupported;
        let pair = SigStoreKeyPair::from_der(&pkcs8).map_err(unsupported)?;
        let public = PublicKey::from_spki(&pair.public_key_to_der().map_err(unsupported)?)?;
        let signer = pair.to_sigstore_signer(&public.kind.scheme()).map_err(unsupported)?;
        Ok(Self { signer, pkcs8, public })
    }

    /// The key as a file that cosign reads too.
    pub fn to_encrypted_pem(&self, password: &[u8]) -> Result<Zeroizing<String>, KeyError> {
        let sealed = kdf::encrypt(&self.pkcs8, password).map_err(|_| KeyError::Encrypt)?;
        Ok(Zeroizing::new(pem::encode(PRIVATE_LABEL, &sealed)))
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`: ASN.1 DER for ECDSA, 64 bytes for Ed25519.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.signer.sign(message).map_err(|_| KeyError::Sign { key: self.public.id() })
    }
}

impl PublicKey {
    /// Reads a `PUBLIC KEY` PEM block.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let (label, spki) = pem::decode(text).ok_or(KeyError::NotPem)?;
        if label != PUBLIC_LABEL {
            return Err(KeyError::Label { expected: PUBLIC_LABEL, found: label.to_owned() });
        }
        Self::from_spki(&spki)
    }

    /// Takes the one canonical DER spelling only. A compressed point or a long-form length is the
    /// same key with another [`KeyId`], and would count twice against a threshold.
    fn from_spki(spki: &[u8]) -> Result<Self, KeyError> {
        let is = |prefix: &[u8], rest: usize| {
            spki.strip_prefix(prefix).is_some_and(|point| point.len() == rest)
        };
        let kind = if is(P256_SPKI, 64) {
            KeyType::EcdsaP256
        } else if is(ED25519_SPKI, 32) {
            KeyType::Ed25519
        } else {
            return Err(KeyError::Unsupported);
        };
        Ok(Self { kind, spki: spki.to_vec() })
    }

    /// The key as a `PUBLIC KEY` PEM block.
    pub fn to_pem(&self) -> String {
        pem::encode(PUBLIC_LABEL, &self.spki)
    }

    /// What the key is called in bundles and messages.
    pub fn id(&self) -> KeyId {
        KeyId(Digest::of(&self.spki))
    }

    /// The kind of key.
    pub fn key_type(&self) -> KeyType {
        self.kind
    }

    /// Whether this key made `signature` over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        let mismatch = |_| KeyError::Mismatch { key: self.id() };
        CosignVerificationKey::from_der(&self.spki, &self.kind.scheme())
            .map_err(mismatch)?
            .verify_signature(Signature::Raw(signature), message)
            .map_err(mismatch)
    }
}

impl KeyId {
    /// The form of a bundle's `publicKey.hint`.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0.as_bytes())
    }

    /// Reads [`Self::to_base64`].
    pub fn from_base64(text: &str) -> Option<Self> {
        use fmt::Write as _;
        let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
        let mut digest = String::from("sha256:");
        for byte in bytes {
            write!(digest, "{byte:02x}").ok()?;
        }
        digest.parse().ok().map(Self)
    }
}

/// Just enough of cosign's container to see that `kdf::decrypt` will not panic on it: it copies
/// the nonce into a fixed array without looking at its length (sigstore 0.14).
fn check_container(sealed: &[u8]) -> Result<(), KeyError> {
    #[derive(Deserialize)]
    struct Container {
        kdf: Kdf,
        cipher: Cipher,
    }
    #[derive(Deserialize)]
    struct Kdf {
        params: Params,
    }
    #[derive(Deserialize)]
    struct Params {
        #[serde(rename = "N")]
        n: u32,
        r: u32,
        p: u32,
    }
    #[derive(Deserialize)]
    struct Cipher {
        nonce: String,
    }
    let damaged = |reason| KeyError::Damaged { reason };
    let container: Container =
        serde_json::from_slice(sealed).map_err(|_| damaged("it holds no cosign container"))?;
    let Params { n, r, p } = container.kdf.params;
    if !matches!(n, 32768 | 65536) || r != 8 || p != 1 {
        return Err(damaged("its scrypt parameters are none that cosign writes"));
    }
    match STANDARD.decode(container.cipher.nonce) {
        Ok(nonce) if nonce.len() == 24 => Ok(()),
        _ => Err(damaged("its nonce is not 24 bytes")),
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::Ed25519 => "Ed25519",
        })
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.kind, self.id())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
