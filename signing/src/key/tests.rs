//! Keys: cosign's files, wrong passwords, damaged containers, second spellings.

use super::*;

const COSIGN_KEY: &[u8] = include_bytes!("../../testdata/cosign-3.1.1.key");
const COSIGN_PUB: &[u8] = include_bytes!("../../testdata/cosign-3.1.1.pub");
const EMPTY_KEY: &[u8] = include_bytes!("../../testdata/cosign-2.5.0-empty-password.key");
const EMPTY_PUB: &[u8] = include_bytes!("../../testdata/cosign-2.5.0-empty-password.pub");

#[test]
fn reads_key_pairs_that_cosign_wrote() -> Result<(), KeyError> {
    for (private, password, public) in [(COSIGN_KEY, "pw", COSIGN_PUB), (EMPTY_KEY, "", EMPTY_PUB)]
    {
        let key = PrivateKey::from_pem(private, password.as_bytes())?;
        assert_eq!(key.public_key(), &PublicKey::from_pem(public)?);
        assert_eq!(key.public_key().to_pem().as_bytes(), public);
    }
    Ok(())
}

#[test]
fn the_old_label_is_read() -> Result<(), KeyError> {
    let text = String::from_utf8_lossy(EMPTY_KEY).replace("SIGSTORE", "COSIGN");
    PrivateKey::from_pem(text.as_bytes(), b"").map(drop)
}

#[test]
fn both_kinds_survive_their_file() -> Result<(), KeyError> {
    for kind in [KeyType::EcdsaP256, KeyType::Ed25519] {
        let key = PrivateKey::generate(kind)?;
        for password in ["", "pässword"] {
            let text = key.to_encrypted_pem(password.as_bytes())?;
            let read = PrivateKey::from_pem(text.as_bytes(), password.as_bytes())?;
            let signature = read.sign(b"message")?;
            key.public_key().verify(b"message", &signature)?;
            assert!(key.public_key().verify(b"another", &signature).is_err());
        }
    }
    Ok(())
}

#[test]
fn a_wrong_password_is_named() {
    let wrong = PrivateKey::from_pem(COSIGN_KEY, b"guess");
    assert_eq!(wrong.map(drop), Err(KeyError::WrongPassword));
}

#[test]
fn a_key_with_a_short_nonce_does_not_panic() {
    let sealed = br#"{"kdf":{"name":"scrypt","params":{"N":32768,"r":8,"p":1},"salt":""},
        "cipher":{"name":"nacl/secretbox","nonce":"AAAA"},"ciphertext":"AAAA"}"#;
    let text = pem::encode(PRIVATE_LABEL, sealed);
    let result = PrivateKey::from_pem(text.as_bytes(), b"");
    assert!(matches!(result, Err(KeyError::Damaged { .. })), "{result:?}");
}

#[test]
fn a_key_that_asks_for_gigabytes_of_scrypt_is_refused() {
    let sealed = br#"{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1},"salt":""},
        "cipher":{"name":"nacl/secretbox","nonce":"AAAA"},"ciphertext":"AAAA"}"#;
    let text = pem::encode(PRIVATE_LABEL, sealed);
    let result = PrivateKey::from_pem(text.as_bytes(), b"");
    assert!(matches!(result, Err(KeyError::Damaged { .. })), "{result:?}");
}

#[test]
fn another_spelling_of_a_key_is_not_a_second_key() -> Result<(), KeyError> {
    let key = PublicKey::from_pem(COSIGN_PUB)?;
    let mut compressed = key.spki.clone();
    compressed.truncate(26 + 33);
    compressed[1] = 0x39;
    compressed[24] = 0x22;
    compressed[26] = 0x02;
    let mut trailing = key.spki.clone();
    trailing.push(0);
    for spki in [compressed, trailing, Vec::new()] {
        assert_eq!(PublicKey::from_spki(&spki), Err(KeyError::Unsupported));
    }
    Ok(())
}

#[test]
fn a_private_key_is_not_taken_for_a_public_one() {
    let result = PublicKey::from_pem(COSIGN_KEY);
    assert!(matches!(&result, Err(KeyError::Label { .. })), "{result:?}");
    assert!(result.is_err_and(|e| e.hint().is_some_and(|hint| hint.contains(".pub"))));
}

#[test]
fn debug_shows_no_secret() -> Result<(), KeyError> {
    let key = PrivateKey::from_pem(EMPTY_KEY, b"")?;
    let shown = format!("{key:?}");
    assert_eq!(shown, format!("PrivateKey {{ public: {:?}, .. }}", key.public_key()));
    Ok(())
}

#[test]
fn ids_travel_as_base64() -> Result<(), KeyError> {
    let id = PublicKey::from_pem(COSIGN_PUB)?.id();
    assert_eq!(KeyId::from_base64(&id.to_base64()), Some(id));
    assert_eq!(KeyId::from_base64("AAAA"), None);
    Ok(())
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_are_no_key_and_no_panic(bytes: Vec<u8>, text in "-----BEGIN [A-Z ]{0,9}-----[A-Za-z0-9=\\s]{0,40}-----END [A-Z ]{0,9}-----") {
        proptest::prop_assert!(PublicKey::from_pem(&bytes).is_err());
        proptest::prop_assert!(PublicKey::from_pem(text.as_bytes()).is_err());
        proptest::prop_assert!(PrivateKey::from_pem(&bytes, b"").is_err());
        let wrapped = pem::encode(PRIVATE_LABEL, &bytes);
        proptest::prop_assert!(PrivateKey::from_pem(wrapped.as_bytes(), b"").is_err());
        let wrapped = pem::encode(PUBLIC_LABEL, &bytes);
        proptest::prop_assert!(PublicKey::from_pem(wrapped.as_bytes()).is_err());
    }
}

#[test]
fn keys_can_be_held_across_threads() {
    fn check<T: Send + Sync>() {}
    check::<PrivateKey>();
    check::<PublicKey>();
}
