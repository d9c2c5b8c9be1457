//! What a registry could try, and what comes of it.

use std::path::Path;

use bpf_image_spec::RegistryReference;

use super::*;
use crate::key::{KeyType, PrivateKey};

const COSIGN_PUB: &[u8] = include_bytes!("../../testdata/cosign-3.1.1.pub");
const COSIGN_DIGEST: &str =
    "sha256:d3529787af0b80938460ad1ec1df69df2894c9c467779ca84586ab77cd10822c";

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::EcdsaP256).unwrap()
}

fn reference(text: &str) -> RegistryReference {
    text.parse().unwrap()
}

fn requested() -> Requested {
    Requested::registry(&reference("r.example/org/counter:v1"))
}

fn digest() -> Digest {
    Digest::of(b"manifest")
}

fn claims() -> Claims {
    Claims::new(digest()).in_repository(&reference("r.example/org/counter"))
}

fn legacy(key: &PrivateKey, claims: &Claims) -> Candidate {
    let legacy::LegacySignature { payload, signature } = legacy::sign(key, claims).unwrap();
    let form = CandidateForm::Legacy { payload, signature };
    Candidate { origin: "legacy".to_owned(), form }
}

fn bundle(key: &PrivateKey, claims: &Claims) -> Candidate {
    let form = CandidateForm::Bundle { bytes: bundle::sign(key, claims).unwrap() };
    Candidate { origin: "bundle".to_owned(), form }
}

fn both(key: &PrivateKey, claims: &Claims) -> [Candidate; 2] {
    [legacy(key, claims), bundle(key, claims)]
}

fn policy(keys: &str, signers: &[&PrivateKey]) -> Policy {
    use std::fmt::Write as _;
    let mut text = format!("version = 1\n[[scope]]\nmatch = \"r.example/org\"\n{keys}\n");
    for (number, key) in signers.iter().enumerate() {
        let pem = key.public_key().to_pem();
        write!(text, "[[scope.signer]]\nname = \"signer {number}\"\nkey = \"\"\"{pem}\"\"\"\n")
            .unwrap();
    }
    Policy::parse(&text, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap()
}

/// Why `candidate` alone does not count for a scope with `key`.
fn reason(key: &PrivateKey, candidate: Candidate) -> SignatureError {
    let refusal = judge(&policy("", &[key]), &requested(), digest(), &[candidate]).unwrap_err();
    let [outcome] = refusal.outcomes() else { panic!("{refusal:?}") };
    outcome.result().unwrap_err().clone()
}

#[test]
fn both_forms_and_kinds_of_key_are_accepted() {
    for kind in [KeyType::EcdsaP256, KeyType::Ed25519] {
        let key = PrivateKey::generate(kind).unwrap();
        for candidate in both(&key, &claims().annotate("a", "b").unwrap()) {
            let verdict = judge(&policy("", &[&key]), &requested(), digest(), &[candidate]);
            let verdict = verdict.unwrap();
            assert_eq!(verdict.digest(), digest());
            assert_eq!(verdict.scope(), "r.example/org");
            let [signer] = verdict.signers() else { panic!("{verdict:?}") };
            assert_eq!((signer.name(), signer.key()), ("signer 0", key.public_key().id()));
        }
    }
}

#[test]
fn what_cosign_signed_is_accepted() {
    let digest = COSIGN_DIGEST.parse().unwrap();
    let requested = Requested::registry(&reference("localhost:5917/org/counter"));
    let key = PublicKey::from_pem(COSIGN_PUB).unwrap();
    let legacy = |payload: &[u8], signature: &str| CandidateForm::Legacy {
        payload: payload.to_vec(),
        signature: signature.to_owned(),
    };
    for form in [
        CandidateForm::Bundle {
            bytes: include_bytes!("../../testdata/cosign-3.1.1-bundle.json").to_vec(),
        },
        legacy(
            include_bytes!("../../testdata/cosign-3.1.1-legacy.json"),
            include_str!("../../testdata/cosign-3.1.1-legacy.sig"),
        ),
        legacy(
            include_bytes!("../../testdata/cosign-2.5.0-legacy.json"),
            include_str!("../../testdata/cosign-2.5.0-legacy.sig"),
        ),
    ] {
        let candidate = Candidate { origin: "cosign".to_owned(), form };
        let verdict =
            verify_with_key(&key, &requested, digest, std::slice::from_ref(&candidate)).unwrap();
        assert_eq!(verdict.signers().len(), 1);
        let elsewhere = Requested::registry(&reference("localhost:5917/org/evil"));
        assert!(verify_with_key(&key, &elsewhere, digest, &[candidate]).is_err());
    }
}

#[test]
fn an_attestation_is_not_taken_for_a_signature() {
    let digest = COSIGN_DIGEST.parse().unwrap();
    let requested = Requested::registry(&reference("localhost:5917/org/counter"));
    let key = PublicKey::from_pem(COSIGN_PUB).unwrap();
    let bytes = include_bytes!("../../testdata/cosign-3.1.1-attestation.json").to_vec();
    let candidate = Candidate { origin: "x".to_owned(), form: CandidateForm::Bundle { bytes } };
    let refusal = verify_with_key(&key, &requested, digest, &[candidate]).unwrap_err();
    assert!(matches!(
        refusal.outcomes()[0].result(),
        Err(SignatureError::Attestation { predicate }) if predicate.contains("attestation")
    ));
}

#[test]
fn a_wrong_key_is_refused_and_named() {
    let (ours, theirs) = (key(), key());
    let refusal = judge(&policy("", &[&ours]), &requested(), digest(), &both(&theirs, &claims()));
    let refusal = refusal.unwrap_err();
    let lines: Vec<String> = refusal.outcomes().iter().map(Outcome::to_string).collect();
    let id = theirs.public_key().id();
    assert_eq!(
        lines,
        ["legacy: signed by an unknown key", &format!("bundle: signed by an unknown key {id}")]
    );
    assert_eq!(
        refusal.to_string(),
        format!("0 of 1 required signers have signed {} (policy scope r.example/org)", digest())
    );
}

#[test]
fn a_key_hint_proves_nothing() {
    let (ours, theirs) = (key(), key());
    let CandidateForm::Bundle { bytes } = bundle(&theirs, &claims()).form else { unreachable!() };
    let (from, to) = (theirs.public_key().id().to_base64(), ours.public_key().id().to_base64());
    let bytes = String::from_utf8(bytes).unwrap().replace(&from, &to).into_bytes();
    let candidate = Candidate { origin: String::new(), form: CandidateForm::Bundle { bytes } };
    let result = reason(&ours, candidate);
    assert_eq!(result, SignatureError::Forged { claimed: ours.public_key().id() });
}

#[test]
fn unsigned_is_refused() {
    let refusal = judge(&policy("", &[&key()]), &requested(), digest(), &[]).unwrap_err();
    assert!(matches!(refusal, Refusal::NoSignature { .. }), "{refusal:?}");
}

#[test]
fn what_no_scope_matches_is_refused_however_well_signed() {
    let key = key();
    for place in ["r.example/org-evil/counter", "evil.example/org/counter", "r.example/counter"] {
        let reference = reference(place);
        let claims = Claims::new(digest()).in_repository(&reference);
        let requested = Requested::registry(&reference);
        let result = judge(&policy("", &[&key]), &requested, digest(), &both(&key, &claims));
        assert!(matches!(result, Err(Refusal::NoScope { .. })), "{result:?}");
    }
    let layout = Requested::layout(Path::new("/r.example/org"), None).unwrap();
    let result = judge(&policy("", &[&key]), &layout, digest(), &both(&key, &claims()));
    assert!(matches!(result, Err(Refusal::NoScope { .. })), "{result:?}");
}

#[test]
fn a_signature_for_another_digest_is_refused() {
    let key = key();
    let signed = Digest::of(b"another manifest");
    for candidate in both(&key, &Claims::new(signed)) {
        assert_eq!(reason(&key, candidate), SignatureError::OtherDigest { signed });
    }
}

#[test]
fn a_signature_copied_from_another_repository_is_refused() {
    let key = key();
    let copied = Claims::new(digest()).in_repository(&reference("r.example/org/other"));
    for candidate in both(&key, &copied) {
        let result = reason(&key, candidate);
        assert!(matches!(result, SignatureError::OtherRepository { .. }), "{result:?}");
    }
}

#[test]
fn a_signature_without_repository_counts_unless_required() {
    let key = key();
    let unnamed = both(&key, &Claims::new(digest()));
    assert!(judge(&policy("", &[&key]), &requested(), digest(), &unnamed).is_ok());
    let required = policy("repository = \"required\"", &[&key]);
    let refusal = judge(&required, &requested(), digest(), &unnamed).unwrap_err();
    for outcome in refusal.outcomes() {
        assert_eq!(outcome.result(), Err(&SignatureError::NoRepository));
    }
    assert!(judge(&required, &requested(), digest(), &both(&key, &claims())).is_ok());
}

#[test]
fn a_layout_is_judged_by_where_its_image_came_from() {
    let key = key();
    let named = both(&key, &claims());
    let judged = |origin: Option<&str>, candidates: &[Candidate]| {
        let origin = origin.map(reference);
        let requested = Requested::layout(Path::new("/srv/images"), origin.as_ref()).unwrap();
        verify_with_key(key.public_key(), &requested, digest(), candidates)
    };
    assert!(judged(Some("r.example/org/counter:v1"), &named).is_ok());
    assert!(judged(None, &both(&key, &Claims::new(digest()))).is_ok());
    let refusal = judged(Some("r.example/org/other"), &named).unwrap_err();
    let outcome = refusal.outcomes()[0].result();
    assert!(matches!(outcome, Err(SignatureError::OtherRepository { .. })), "{outcome:?}");
    let refusal = judged(None, &named).unwrap_err();
    let outcome = refusal.outcomes()[0].result();
    assert!(matches!(outcome, Err(SignatureError::UnknownOrigin { .. })), "{outcome:?}");
}

/// Two candidates, each of which meets half of the conditions, are not one that meets all.
#[test]
fn conditions_split_over_two_signatures_do_not_add_up() {
    let (ours, theirs) = (key(), key());
    let right_key_wrong_digest = legacy(&ours, &Claims::new(Digest::of(b"other")));
    let wrong_key_right_digest = legacy(&theirs, &claims());
    let right_key_wrong_repository =
        bundle(&ours, &Claims::new(digest()).in_repository(&reference("r.example/org/x")));
    let candidates = [right_key_wrong_digest, wrong_key_right_digest, right_key_wrong_repository];
    let result = judge(&policy("", &[&ours]), &requested(), digest(), &candidates);
    assert!(matches!(result, Err(Refusal::NotEnough { found: 0, .. })), "{result:?}");
}

/// The payload of one signature under the bytes of another.
#[test]
fn a_signature_on_another_payload_is_refused() {
    let key = key();
    let legacy::LegacySignature { payload, .. } = legacy::sign(&key, &claims()).unwrap();
    let other = Claims::new(Digest::of(b"other"));
    let legacy::LegacySignature { signature, .. } = legacy::sign(&key, &other).unwrap();
    let form = CandidateForm::Legacy { payload, signature };
    let result = reason(&key, Candidate { origin: String::new(), form });
    assert_eq!(result, SignatureError::UnknownKey { claimed: None });
}

#[test]
fn one_malformed_among_good_ones_does_not_hide_them() {
    let key = key();
    let junk = |form| Candidate { origin: "junk".to_owned(), form };
    let candidates = [
        junk(CandidateForm::Bundle { bytes: b"{".to_vec() }),
        junk(CandidateForm::Bundle { bytes: Vec::new() }),
        junk(CandidateForm::Legacy { payload: Vec::new(), signature: "!".to_owned() }),
        junk(CandidateForm::Legacy { payload: b"{}".to_vec(), signature: String::new() }),
        bundle(&key, &claims()),
    ];
    let verdict = judge(&policy("", &[&key]), &requested(), digest(), &candidates).unwrap();
    assert_eq!(verdict.outcomes().iter().filter(|o| o.result().is_err()).count(), 4);
}

#[test]
fn one_signer_twice_is_one_signer() {
    let (one, two) = (key(), key());
    let policy = policy("threshold = 2", &[&one, &two]);
    let [legacy, bundle] = both(&one, &claims());
    let again = legacy.clone();
    let mut candidates = vec![legacy, bundle, again];
    let result = judge(&policy, &requested(), digest(), &candidates);
    assert!(matches!(result, Err(Refusal::NotEnough { found: 1, needed: 2, .. })), "{result:?}");
    candidates.extend(both(&two, &claims()));
    let verdict = judge(&policy, &requested(), digest(), &candidates).unwrap();
    assert_eq!(verdict.signers().len(), 2);
}

#[test]
fn a_flood_of_candidates_is_not_judged() {
    let key = key();
    let junk = Candidate {
        origin: "junk".to_owned(),
        form: CandidateForm::Bundle { bytes: b"{".to_vec() },
    };
    let mut candidates = vec![junk; MAX_CANDIDATES];
    candidates.push(legacy(&key, &claims()));
    let refusal = judge(&policy("", &[&key]), &requested(), digest(), &candidates).unwrap_err();
    let last = refusal.outcomes().last().unwrap();
    assert_eq!(last.result(), Err(&SignatureError::BeyondLimit));
}

#[test]
fn candidates_that_were_not_fetched_are_reported() {
    let key = key();
    let more = Candidate { origin: "9 more".to_owned(), form: CandidateForm::NotFetched };
    let found = [legacy(&key, &claims()), more.clone()];
    let verdict = judge(&policy("", &[&key]), &requested(), digest(), &found).unwrap();
    assert_eq!(verdict.outcomes()[1].result(), Err(&SignatureError::BeyondLimit));
    let refusal = judge(&policy("", &[&key]), &requested(), digest(), &[more]).unwrap_err();
    assert_eq!(
        refusal.outcomes()[0].to_string(),
        "9 more: not looked at: at most 32 candidates are"
    );
    assert!(refusal.hint().is_some_and(|hint| hint.contains("delete")));
}

#[test]
fn a_huge_candidate_is_not_judged() {
    let key = key();
    let legacy::LegacySignature { payload, signature } = legacy::sign(&key, &claims()).unwrap();
    let signature = signature + &" ".repeat(MAX_CANDIDATE_BYTES);
    let form = CandidateForm::Legacy { payload, signature };
    let result = reason(&key, Candidate { origin: String::new(), form });
    assert!(matches!(result, SignatureError::TooLarge { .. }), "{result:?}");
}

#[test]
fn a_signature_that_expires_does_not_count() {
    let key = key();
    let payload = format!(
        r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{}"}},
        "type":"cosign container image signature"}},"optional":{{"dev.bpfimage.not-after":"x"}}}}"#,
        digest()
    )
    .into_bytes();
    let raw = key.sign(&payload).unwrap();
    let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, raw);
    let form = CandidateForm::Legacy { payload, signature };
    assert_eq!(reason(&key, Candidate { origin: String::new(), form }), SignatureError::Expires);
}

#[test]
fn messages_cannot_drive_a_terminal() {
    let outcome = Outcome {
        origin: "\u{1b}[2Jx".to_owned(),
        result: Err(SignatureError::BadRepository { named: "\u{1b}[31m\n".to_owned() }),
    };
    assert!(!outcome.to_string().contains(char::is_control));
    let malformed = SignatureError::malformed("\u{1b}[31m\n");
    assert!(!malformed.to_string().contains(char::is_control));
}

proptest::proptest! {
    #[test]
    fn arbitrary_candidates_are_refused(payload: Vec<u8>, signature: String, bytes: Vec<u8>) {
        let key = PublicKey::from_pem(COSIGN_PUB).unwrap();
        let candidates = [
            Candidate { origin: String::new(), form: CandidateForm::Legacy { payload, signature } },
            Candidate { origin: String::new(), form: CandidateForm::Bundle { bytes } },
        ];
        proptest::prop_assert!(
            verify_with_key(&key, &requested(), digest(), &candidates).is_err()
        );
    }
}

#[test]
fn json_nested_without_end_does_not_overflow_the_stack() {
    let key = key();
    let nested = "[".repeat(400_000);
    for bytes in [nested.clone(), format!("{{\"x\":{nested}")] {
        let form = CandidateForm::Bundle { bytes: bytes.clone().into_bytes() };
        let result = reason(&key, Candidate { origin: String::new(), form });
        assert!(matches!(result, SignatureError::Malformed { .. }), "{result:?}");
        let payload = bytes.into_bytes();
        let raw = key.sign(&payload).unwrap();
        let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, raw);
        let form = CandidateForm::Legacy { payload, signature };
        let result = reason(&key, Candidate { origin: String::new(), form });
        assert!(matches!(result, SignatureError::Malformed { .. }), "{result:?}");
    }
}
