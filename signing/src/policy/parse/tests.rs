//! What a policy file may and may not say.

use super::*;
use crate::policy::{PlaceError, Requested};

const PEM: &str = include_str!("../../../testdata/cosign-3.1.1.pub");
const OTHER_PEM: &str = include_str!("../../../testdata/cosign-2.5.0-empty-password.pub");

fn no_files(_: &Path) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::NotFound.into())
}

fn read(text: &str) -> Result<Policy, PolicyError> {
    parse(text, no_files)
}

/// What is said of a policy that has to be refused.
fn refusal(text: &str) -> String {
    match read(text) {
        Ok(policy) => panic!("{policy:?} came out of\n{text}"),
        Err(error) => error.to_string(),
    }
}

fn signer(name: &str, pem: &str) -> String {
    format!("[[scope.signer]]\nname = \"{name}\"\nkey = \"\"\"\n{pem}\"\"\"\n")
}

fn scope(keys: &str, signers: &str) -> String {
    format!("version = 1\n[[scope]]\nmatch = \"r.example/org\"\n{keys}\n{signers}")
}

#[test]
fn a_whole_policy_is_read() {
    let two = signer("one", PEM) + "[[scope.signer]]\nname = \"two\"\nkey-file = \"two.pub\"\n";
    let text = scope("threshold = 2\nrepository = \"required\"", &two);
    let policy = parse(&text, |path| {
        assert_eq!(path, Path::new("two.pub"));
        Ok(OTHER_PEM.as_bytes().to_vec())
    })
    .unwrap();
    let [scope] = policy.scopes() else { panic!("one scope") };
    assert_eq!(scope.name(), "r.example/org");
    assert_eq!(scope.threshold(), 2);
    assert_eq!(scope.repository_rule(), RepositoryRule::Required);
    let names: Vec<&str> = scope.signers().iter().map(Signer::name).collect();
    assert_eq!(names, ["one", "two"]);
}

#[test]
fn a_scaffold_is_a_policy() {
    let key = PublicKey::from_pem(PEM.as_bytes()).unwrap();
    for scope in ["localhost:5000/org", "oci:/srv/we\"ird \\ name"] {
        let text = Policy::scaffold(scope, &key).unwrap();
        let policy = read(&text).unwrap();
        assert_eq!(policy.scopes()[0].name(), scope);
        assert_eq!(policy.scopes()[0].signers()[0].key(), &key);
    }
    assert!(Policy::scaffold("org\"\n", &key).is_err());
}

#[test]
fn an_empty_policy_is_refused() {
    assert!(matches!(read(""), Err(PolicyError::NoVersion)));
    assert!(matches!(read("version = 1"), Err(PolicyError::NoScope)));
    assert!(matches!(read("version = 1\nscope = []"), Err(PolicyError::NoScope)));
}

#[test]
fn a_scope_without_signers_is_refused() {
    let text = scope("", "");
    assert!(matches!(read(&text), Err(PolicyError::NoSigner { line: 2, .. })));
    let text = scope("signer = []", "");
    assert!(matches!(read(&text), Err(PolicyError::NoSigner { line: 2, .. })));
}

#[test]
fn a_threshold_that_is_no_threshold_is_refused() {
    let one = signer("one", PEM);
    for threshold in ["0", "-1", "2", "9223372036854775807"] {
        let text = scope(&format!("threshold = {threshold}"), &one);
        assert!(matches!(read(&text), Err(PolicyError::Threshold { line: 4, .. })), "{threshold}");
    }
    for threshold in ["\"1\"", "1.0", "99999999999999999999", "true"] {
        let text = scope(&format!("threshold = {threshold}"), &one);
        assert_eq!(refusal(&text), "line 4: policy key `scope.threshold` must be an integer");
    }
}

#[test]
fn one_key_under_two_names_is_refused() {
    let text = scope("threshold = 2", &(signer("one", PEM) + &signer("two", PEM)));
    assert!(matches!(read(&text), Err(PolicyError::DuplicateKey { line: 13, .. })), "{text}");
    let crlf = PEM.replace('\n', "\r\n");
    let text = scope("threshold = 2", &(signer("one", PEM) + &signer("two", &crlf)));
    assert!(matches!(read(&text), Err(PolicyError::DuplicateKey { .. })), "{text}");
}

#[test]
fn one_name_for_two_keys_is_refused() {
    let text = scope("", &(signer("one", PEM) + &signer("one", OTHER_PEM)));
    assert!(matches!(read(&text), Err(PolicyError::DuplicateName { .. })));
}

#[test]
fn two_keys_in_one_signer_are_refused() {
    let text = scope("", &signer("one", &(PEM.to_owned() + OTHER_PEM)));
    assert!(matches!(read(&text), Err(PolicyError::BadKey { line: 7, .. })), "{text}");
    let text = scope("", &(signer("one", PEM) + "key-file = \"two.pub\"\n"));
    assert!(matches!(read(&text), Err(PolicyError::KeyChoice { line: 5 })));
    let text = scope("", "[[scope.signer]]\nname = \"one\"\n");
    assert!(matches!(read(&text), Err(PolicyError::KeyChoice { line: 5 })));
}

#[test]
fn a_tie_of_scopes_is_refused() {
    let one = scope("", &signer("one", PEM));
    let text = one.clone() + one.strip_prefix("version = 1\n").unwrap();
    assert!(matches!(read(&text), Err(PolicyError::DuplicateScope { line: 14, .. })), "{text}");
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    for key in NOT_BUILT {
        let top = format!("version = 1\n{key} = 1\n");
        assert_eq!(refusal(&top), format!("line 2: policy key `{key}` is not built yet"));
        let in_scope = scope(&format!("{key} = []"), &signer("one", PEM));
        let expected = format!("line 4: policy key `scope.{key}` is not built yet");
        assert_eq!(refusal(&in_scope), expected);
        let in_signer = scope("", &format!("[[scope.signer]]\n{key} = \"x\"\n"));
        let expected = format!("line 6: policy key `scope.signer.{key}` is not built yet");
        assert_eq!(refusal(&in_signer), expected);
    }
    let table = scope("", &(signer("one", PEM) + "[scope.rollback]\nkeep = 1\n"));
    assert!(refusal(&table).ends_with("policy key `scope.rollback` is not built yet"));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    let text = scope("treshold = 1", &signer("one", PEM));
    let expected = "line 4: unknown policy key `scope.treshold`; did you mean `threshold`?";
    assert_eq!(refusal(&text), expected);
    assert_eq!(refusal("version = 1\nverify = false"), "line 2: unknown policy key `verify`");
    let text = scope("", "[[scope.signer]]\nnmae = \"one\"\n");
    let expected = "line 6: unknown policy key `scope.signer.nmae`; did you mean `name`?";
    assert_eq!(refusal(&text), expected);
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    let one = signer("one", PEM);
    let text = scope("repository = \"never\"", &one);
    assert_eq!(
        refusal(&text),
        "line 4: policy key `scope.repository` must be \"if-named\" or \"required\""
    );
    assert_eq!(
        refusal("version = 1\nscope = \"r.example\""),
        "line 2: policy key `scope` must be written as [[scope]] tables"
    );
    assert_eq!(
        refusal("version = 2\nnew = 1"),
        "line 1: policy version 2 is unknown; this program knows 1"
    );
    assert_eq!(refusal("version = 1\n[[scope]]\n"), "line 2: the scope has no `match`");
    for name in ["\\u001b[31m", "release\\u202egnp", "\\u2066x", "a\\u200bb", "\\ufeff"] {
        let text = scope("", &signer(name, PEM));
        assert!(refusal(&text).contains("`scope.signer.name` must be printable text"), "{name}");
    }
}

#[test]
fn a_demand_that_a_layout_meets_by_its_own_word_is_refused() {
    let text = scope("repository = \"required\"", &signer("one", PEM))
        .replace("r.example/org", "oci:/srv/images");
    let error = read(&text).unwrap_err();
    assert!(matches!(error, PolicyError::RequiredInLayout { line: 4, .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("repository")));
    assert!(read(&text.replace("required", "if-named")).is_ok());
}

#[test]
fn a_key_given_twice_is_refused() {
    assert!(refusal("version = 1\nversion = 1").starts_with("line 2: "));
    let text = scope("threshold = 1\nthreshold = 1", &signer("one", PEM));
    assert!(refusal(&text).starts_with("line 5: "));
}

#[test]
fn a_scope_of_another_spelling_is_refused() {
    let text = scope("", &signer("one", PEM)).replace("r.example/org", "R.example/org");
    let Err(PolicyError::BadScope { line: 3, source }) = read(&text) else {
        panic!("a bad scope");
    };
    assert!(matches!(source, PlaceError::Spelling { .. }));
}

#[test]
fn the_longest_scope_wins_and_nothing_else_matches() {
    let text = scope("", &signer("wide", PEM))
        + "[[scope]]\nmatch = \"r.example/org/team\"\n"
        + &signer("narrow", OTHER_PEM);
    let policy = read(&text).unwrap();
    let name = |reference: &str| {
        let requested = Requested::registry(&reference.parse().unwrap());
        policy.scope_for(&requested).map(|scope| scope.signers()[0].name().to_owned()).ok()
    };
    assert_eq!(name("r.example/org/a").as_deref(), Some("wide"));
    assert_eq!(name("r.example/org/team").as_deref(), Some("narrow"));
    assert_eq!(name("r.example/org/team/a:v1").as_deref(), Some("narrow"));
    assert_eq!(name("r.example/org/team-evil").as_deref(), Some("wide"));
    assert_eq!(name("r.example/org-evil/a"), None);
    assert_eq!(name("r.example:443/org/a"), None);
    assert_eq!(name("evil.example/org/a"), None);
}

proptest::proptest! {
    #[test]
    fn arbitrary_text_does_not_panic(text: String, keys in "[a-z=\\[\\]\". 0-9\n-]{0,60}") {
        let _ = read(&text);
        let _ = read(&scope(&keys, ""));
        let _ = read(&format!("version = 1\n{keys}"));
    }
}

#[test]
fn a_policy_nested_without_end_does_not_overflow_the_stack() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let depth = 100_000;
        let text = format!("version = {}1{}", open.repeat(depth), close.repeat(depth));
        assert!(read(&text).is_err());
    }
    assert!(read(&format!("version = 1\na{} = 1", ".a".repeat(100_000))).is_err());
    assert!(matches!(read(&" ".repeat(MAX_POLICY_BYTES + 1)), Err(PolicyError::TooLarge)));
}
