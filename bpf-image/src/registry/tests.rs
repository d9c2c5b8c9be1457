//! A registry that misbehaves, one attack a test.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bpf_image_spec::oci::{Descriptor, MANIFEST_MAX};
use bpf_image_spec::{Digest, Reference, media_type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Access;
use crate::repository::{Fault, Fetched, Repository, RepositoryError, Violation};

/// What came in: request line, headers in lower case, body.
#[derive(Debug, Clone, Default)]
struct Seen {
    line: String,
    head: String,
    body: Vec<u8>,
}

impl Seen {
    fn is(&self, line: &str) -> bool {
        self.line.starts_with(line)
    }

    fn authorization(&self) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix("authorization: "))
    }
}

/// What goes out: these bytes, and then the last ones for ever, a hang, or the end.
struct Reply {
    start: Vec<u8>,
    then: Then,
}

enum Then {
    Close,
    Repeat(&'static [u8]),
    Hang,
}

fn reply(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n{headers}");
    let mut start = format!("{head}content-length: {length}\r\n\r\n").into_bytes();
    start.extend_from_slice(body);
    Reply { start, then: Then::Close }
}

fn raw(start: &str, then: Then) -> Reply {
    Reply { start: start.as_bytes().to_vec(), then }
}

struct Fake {
    host: String,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    /// Answers by `handler`, which gets the request and how many came before it.
    async fn start(handler: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (handler, seen) = (Arc::new(handler), Arc::clone(&log));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, seen) = (Arc::clone(&handler), Arc::clone(&seen));
                tokio::spawn(async move {
                    let _ = serve(stream, &*handler, &seen).await;
                });
            }
        });
        Self { host, log }
    }

    fn log(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    fn repository(&self) -> Repository {
        self.repository_with(&Access::default())
    }

    fn repository_with(&self, access: &Access) -> Repository {
        Repository::create(&self.reference(":v1"), access).unwrap()
    }

    fn reference(&self, suffix: &str) -> Reference {
        format!("{}/org/a{suffix}", self.host).parse().unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    handler: &(dyn Fn(&Seen, usize) -> Reply + Send + Sync),
    log: &Mutex<Vec<Seen>>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length =
        head.to_lowercase().lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
    while bytes.len() < end + length.unwrap_or(0) {
        stream.read_buf(&mut bytes).await?;
    }
    let (line, rest) = head.split_once("\r\n").unwrap();
    let seen = Seen { line: line.into(), head: rest.into(), body: bytes[end..].to_vec() };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(seen.clone());
        log.len() - 1
    };
    let Reply { start, then } = handler(&seen, number);
    stream.write_all(&start).await?;
    match then {
        Then::Close => stream.shutdown().await,
        Then::Repeat(bytes) => loop {
            stream.write_all(bytes).await?;
        },
        Then::Hang => {
            tokio::time::sleep(Duration::from_mins(10)).await;
            Ok(())
        }
    }
}

const MANIFEST: &str = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
const NOT_FOUND: &str = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;

fn not_found() -> Reply {
    reply(404, "content-type: application/json\r\n", NOT_FOUND)
}

async fn resolve(fake: &Fake, suffix: &str) -> Result<Fetched, RepositoryError> {
    fake.repository().resolve(&fake.reference(suffix)).await
}

fn blob() -> Descriptor {
    Descriptor::of("application/x", b"content")
}

#[tokio::test]
async fn a_tag_costs_one_request() {
    let fake = Fake::start(|_, _| reply(200, "content-type: text/x\r\n", MANIFEST)).await;
    let fetched = resolve(&fake, ":v1").await.unwrap();
    assert_eq!(fetched.digest(), Digest::of(MANIFEST.as_bytes()));
    assert_eq!(fetched.media_type(), "text/x");
    let log = fake.log();
    assert_eq!(log.len(), 1);
    assert!(log[0].is("GET /v2/org/a/manifests/v1 "), "{log:?}");
    for kind in [
        media_type::OCI_MANIFEST,
        media_type::OCI_INDEX,
        media_type::DOCKER_MANIFEST,
        media_type::DOCKER_LIST,
    ] {
        assert!(log[0].head.contains(kind), "{kind}");
    }
}

#[tokio::test]
async fn media_type_is_the_one_that_was_hashed() {
    let body = format!(r#"{{"mediaType":"{}","schemaVersion":2}}"#, media_type::OCI_INDEX);
    let fake = Fake::start(move |_, _| {
        reply(200, "content-type: application/vnd.oci.image.manifest.v1+json\r\n", &body)
    })
    .await;
    assert_eq!(resolve(&fake, ":v1").await.unwrap().media_type(), media_type::OCI_INDEX);
}

#[tokio::test]
async fn refuses_manifest_with_another_digest_whatever_the_header_says() {
    let asked = Digest::of(b"asked");
    let header = format!("docker-content-digest: {asked}\r\n");
    let fake = Fake::start(move |_, _| reply(200, &header, MANIFEST)).await;
    for suffix in [format!("@{asked}"), format!(":v1@{asked}")] {
        let error = resolve(&fake, &suffix).await.unwrap_err();
        let RepositoryError::WrongDigest { expected, found, .. } = error else { panic!("{error}") };
        assert_eq!((expected, found), (asked, Digest::of(MANIFEST.as_bytes())));
        assert_eq!(error.fault(), Fault::Image);
    }
    // The digest decides; the tag is not even asked for.
    assert!(fake.log().iter().all(|seen| seen.line.contains("manifests/sha256:")));
}

#[tokio::test]
async fn refuses_manifest_over_4_mib() {
    let fake = Fake::start(|_, _| reply(200, "", vec![b' '; 5 << 20])).await;
    let error = resolve(&fake, ":v1").await.unwrap_err();
    assert!(matches!(error, RepositoryError::TooLarge { max, .. } if max == MANIFEST_MAX as u64));
}

#[tokio::test]
async fn refuses_manifest_of_endless_length() {
    const CHUNK: &[u8] = b"8\r\n        \r\n";
    let head = "HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n";
    let fake = Fake::start(move |_, _| raw(head, Then::Repeat(CHUNK))).await;
    let error = resolve(&fake, ":v1").await.unwrap_err();
    assert!(matches!(error, RepositoryError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn refuses_blob_of_endless_length() {
    let head = "HTTP/1.1 200 x\r\nconnection: close\r\n\r\n";
    let fake = Fake::start(move |_, _| raw(head, Then::Repeat(b"content"))).await;
    let error = fake.repository().blob(&blob(), 1 << 20).await.unwrap_err();
    assert!(matches!(error, RepositoryError::TooLong { expected: 7, .. }), "{error}");
    assert_eq!(error.fault(), Fault::Image);
}

#[tokio::test]
async fn endless_error_body_ends() {
    let head = "HTTP/1.1 418 x\r\nconnection: close\r\n\r\n";
    let fake = Fake::start(move |_, _| raw(head, Then::Repeat(b"\x1b[31mno\x07 "))).await;
    let error = resolve(&fake, ":v1").await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("418") && text.contains("no"), "{text}");
    assert!(text.len() < 400 && !text.contains(char::is_control), "{text:?}");
}

#[tokio::test]
async fn refuses_truncated_blob() {
    let fake = Fake::start(|_, _| reply(200, "", "cont")).await;
    let error = fake.repository().blob(&blob(), 100).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Truncated { found: 4, expected: 7, .. }), "{error}");
}

#[tokio::test]
async fn connection_that_breaks_in_a_blob_is_tried_again_and_then_the_networks_fault() {
    let broken = "HTTP/1.1 200 x\r\ncontent-length: 7\r\n\r\ncont";
    let fake = Fake::start(move |_, n| match n {
        0 => raw(broken, Then::Close),
        _ => reply(200, "", "content"),
    })
    .await;
    assert_eq!(fake.repository().blob(&blob(), 100).await.unwrap(), b"content");
    let fake = Fake::start(move |_, _| raw(broken, Then::Close)).await;
    let error = fake.repository().blob(&blob(), 100).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Interrupted { .. }), "{error}");
    assert_eq!(fake.log().len(), 4);
}

#[tokio::test]
async fn refuses_changed_blob() {
    let fake = Fake::start(|_, _| reply(200, "", "CONTENT")).await;
    let error = fake.repository().blob(&blob(), 100).await.unwrap_err();
    assert!(matches!(error, RepositoryError::WrongDigest { .. }), "{error}");
    assert_eq!(fake.log().len(), 1);
}

#[tokio::test]
async fn blob_that_is_announced_too_large_is_not_asked_for() {
    let fake = Fake::start(|_, _| not_found()).await;
    let huge = Descriptor { size: u64::MAX, ..blob() };
    let error = fake.repository().blob(&huge, 100).await.unwrap_err();
    assert!(matches!(error, RepositoryError::OverLimit { .. }), "{error}");
    assert!(fake.log().is_empty());
}

#[tokio::test]
async fn server_errors_and_rate_limits_are_tried_again() {
    let fake = Fake::start(|_, n| match n {
        0 => reply(503, "", ""),
        1 => reply(429, "retry-after: 0\r\n", ""),
        _ => reply(200, "", MANIFEST),
    })
    .await;
    resolve(&fake, ":v1").await.unwrap();
    let fake = Fake::start(|_, _| reply(500, "", "out of disk")).await;
    let error = resolve(&fake, ":v1").await.unwrap_err();
    assert!(error.to_string().ends_with("/v2/org/a/manifests/v1: out of disk"), "{error}");
    assert_eq!((fake.log().len(), error.fault()), (4, Fault::Registry));
}

#[tokio::test]
async fn not_found_tells_tag_from_repository() {
    let fake = Fake::start(|seen, _| {
        let name = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"x"}]}"#;
        if seen.is("GET /v2/org/a/manifests/v1") { not_found() } else { reply(404, "", name) }
    })
    .await;
    let repository = fake.repository();
    assert!(matches!(resolve(&fake, ":v1").await, Err(RepositoryError::NoTag { .. })));
    assert!(matches!(resolve(&fake, ":v2").await, Err(RepositoryError::NoRepository { .. })));
    assert_eq!(repository.tagged("v1").await.unwrap(), None);
    assert_eq!(repository.tagged("v2").await.unwrap(), None);
    let bad = repository.tagged("../../b/manifests/v1").await;
    assert!(matches!(bad, Err(RepositoryError::BadTag { .. })));
}

#[tokio::test]
async fn refuses_redirect_loop() {
    let fake = Fake::start(|_, _| reply(307, "location: /v2/again\r\n", "")).await;
    let error = resolve(&fake, ":v1").await.unwrap_err();
    let RepositoryError::BadAnswer { violation, .. } = error else { panic!("{error}") };
    assert_eq!(violation, Violation::Redirects);
    assert_eq!(fake.log().len(), 6);
}

#[tokio::test]
async fn refuses_redirect_to_another_host_by_plain_http_or_file() {
    for target in ["http://r.example/x", "file:///etc/passwd", "gopher://127.0.0.1/"] {
        let fake =
            Fake::start(move |_, _| reply(302, &format!("location: {target}\r\n"), "")).await;
        let error = resolve(&fake, ":v1").await.unwrap_err();
        assert!(matches!(error, RepositoryError::BadAnswer { .. }), "{target}: {error}");
    }
}

#[tokio::test]
async fn refuses_slow_answer() {
    let mut access = Access::default();
    access.read_timeout = Duration::from_millis(100);
    for start in ["", "HTTP/1.1 200 x\r\n", "HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\na"] {
        let fake = Fake::start(move |_, _| raw(start, Then::Hang)).await;
        let repository = fake.repository_with(&access);
        let error = repository.resolve(&fake.reference(":v1")).await.unwrap_err();
        assert!(matches!(error, RepositoryError::TimedOut { .. }), "{error}");
        assert_eq!(error.fault(), Fault::Network);
    }
}

#[tokio::test]
async fn unreachable_registry_is_the_networks_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    drop(listener);
    let reference: Reference = format!("{host}/org/a:v1").parse().unwrap();
    let repository = Repository::open(&reference, &Access::default()).unwrap();
    let error = repository.resolve(&reference).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Unreachable { .. }), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("Connection refused"), "{cause}");
    assert_eq!(error.fault(), Fault::Network);
    assert!(error.hint().unwrap().contains(&host.to_string()));
}

#[tokio::test]
async fn tls_with_a_plain_http_registry_hints_at_the_flag() {
    // Go's server answers a TLS greeting so. By name, since loopback gets no TLS otherwise.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_buf(&mut Vec::new()).await.unwrap();
        stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let reference: Reference = format!("{host}/org/a:v1").parse().unwrap();
    let access = Access::default();
    let Repository::Registry(repository) = Repository::open(&reference, &access).unwrap() else {
        panic!("not a registry")
    };
    let client = access.client(true).unwrap();
    let url: url::Url = format!("https://{host}/").parse().unwrap();
    let error = client.get(url.clone()).send().await.unwrap_err();
    let error = repository.http.failed(&url, &error);
    assert!(matches!(error, RepositoryError::NotTls { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains(&format!("--plain-http {host}")));
}

fn index(entries: usize) -> String {
    let entries: Vec<_> = (0..entries)
        .map(|n| {
            let entry = Descriptor::of(media_type::OCI_MANIFEST, &n.to_le_bytes());
            serde_json::to_string(&entry).unwrap()
        })
        .collect();
    format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","))
}

const INDEX: &str = "content-type: application/vnd.oci.image.index.v1+json\r\n";

#[tokio::test]
async fn ten_thousand_referrers_are_cut_at_the_limit() {
    let fake = Fake::start(|_, _| reply(200, INDEX, index(10_000))).await;
    let found = fake.repository().referrers(Digest::of(b""), 32).await.unwrap();
    assert_eq!(found.len(), 32);
    assert_eq!(fake.log().len(), 1);
}

#[tokio::test]
async fn referrer_pages_without_end_are_refused_and_stay_with_the_registry() {
    let link = format!("{INDEX}link: </v2/org/a/referrers/x?n=1>; rel=\"next\"\r\n");
    let fake = Fake::start(move |_, _| reply(200, &link, index(0))).await;
    let error = fake.repository().referrers(Digest::of(b""), 32).await.unwrap_err();
    assert!(
        matches!(&error, RepositoryError::BadAnswer { violation: Violation::Endless { .. }, .. }),
        "{error}"
    );
    let link = format!("{INDEX}link: <http://127.0.0.2/x>; rel=\"next\"\r\n");
    let fake = Fake::start(move |_, _| reply(200, &link, index(0))).await;
    assert!(fake.repository().referrers(Digest::of(b""), 32).await.is_err());
}

#[tokio::test]
async fn referrers_fall_back_to_the_tag_and_absence_is_an_empty_list() {
    let subject = Digest::of(b"subject");
    let tag = format!("GET /v2/org/a/manifests/sha256-{} ", subject.hex());
    let fake = Fake::start(move |seen, _| match () {
        () if seen.is(&tag) => reply(200, INDEX, index(3)),
        () if seen.line.contains("/referrers/") => reply(404, "", "404 page not found"),
        () => not_found(),
    })
    .await;
    let repository = fake.repository();
    assert_eq!(repository.referrers(subject, 32).await.unwrap().len(), 3);
    assert_eq!(repository.referrers(Digest::of(b"other"), 32).await.unwrap(), []);
    // The missing API is asked for once.
    assert_eq!(fake.log().iter().filter(|s| s.line.contains("/referrers/")).count(), 1);
}

#[tokio::test]
async fn referrers_that_are_denied_are_not_absent() {
    let fake = Fake::start(|_, _| reply(403, "", "")).await;
    let error = fake.repository().referrers(Digest::of(b""), 32).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Denied { .. }), "{error}");
}

fn with_login(fake: &Fake, named: bool) -> (tempfile::TempDir, Access) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json");
    // me:secret
    let json = format!(r#"{{"auths":{{"{}":{{"auth":"bWU6c2VjcmV0"}}}}}}"#, fake.host);
    std::fs::write(&file, json).unwrap();
    let mut access = Access::new(if named { vec![fake.host.clone()] } else { vec![] });
    access.auth_file = Some(file);
    (dir, access)
}

const BASIC: &str = "Basic bWU6c2VjcmV0";

async fn basic_registry() -> Fake {
    Fake::start(|seen, _| match seen.authorization() {
        Some(BASIC) => reply(200, "", MANIFEST),
        _ => reply(401, "www-authenticate: Basic realm=\"x\"\r\n", ""),
    })
    .await
}

#[tokio::test]
async fn basic_login_is_sent_when_asked_for_and_kept() {
    let fake = basic_registry().await;
    let (_dir, access) = with_login(&fake, true);
    let repository = fake.repository_with(&access);
    repository.tagged("v1").await.unwrap().unwrap();
    repository.tagged("v2").await.unwrap().unwrap();
    let sent: Vec<_> = fake.log().iter().map(|s| s.authorization().is_some()).collect();
    assert_eq!(sent, [false, true, true]);
}

#[tokio::test]
async fn credentials_do_not_go_over_plain_http_unnamed() {
    let fake = basic_registry().await;
    let (_dir, access) = with_login(&fake, false);
    let error = fake.repository_with(&access).tagged("v1").await.unwrap_err();
    assert!(matches!(error, RepositoryError::PlainHttpLogin { .. }), "{error}");
    assert!(fake.log().iter().all(|seen| seen.authorization().is_none()));
}

#[tokio::test]
async fn login_that_is_missing_or_wrong_names_the_files() {
    let fake = basic_registry().await;
    let (dir, mut access) = with_login(&fake, true);
    access.auth_file = Some(dir.path().join("none.json"));
    let error = fake.repository_with(&access).tagged("v1").await.unwrap_err();
    assert!(matches!(error, RepositoryError::Unauthorized { sent: false, .. }), "{error}");
    assert!(error.hint().unwrap().contains("none.json"));
    assert_eq!(error.fault(), Fault::Credentials);
    let fake = Fake::start(|_, _| reply(401, "www-authenticate: Basic realm=\"x\"\r\n", "")).await;
    let (_dir, access) = with_login(&fake, true);
    let error = fake.repository_with(&access).tagged("v1").await.unwrap_err();
    assert!(matches!(error, RepositoryError::Unauthorized { sent: true, .. }), "{error}");
    assert_eq!(fake.log().len(), 2);
}

/// Wants a token of its own `/token`.
async fn bearer_registry(token_answer: &'static str) -> Fake {
    Fake::start(move |seen, _| {
        let host = seen.head.lines().find_map(|l| l.strip_prefix("host: ")).unwrap_or_default();
        if seen.line.contains("/token") {
            return reply(200, "", token_answer);
        }
        if seen.authorization() == Some("Bearer t0ken") {
            return reply(200, "", MANIFEST);
        }
        let realm = format!("Bearer realm=\"http://{host}/token\",service=\"s v\"");
        reply(401, &format!("www-authenticate: {realm}\r\n"), "")
    })
    .await
}

#[tokio::test]
async fn bearer_token_is_earned_without_and_with_credentials() {
    for (named, answer) in [(false, r#"{"token":"t0ken"}"#), (true, r#"{"access_token":"t0ken"}"#)]
    {
        let fake = bearer_registry(answer).await;
        let (_dir, access) = with_login(&fake, named);
        fake.repository_with(&access).tagged("v1").await.unwrap().unwrap();
        let log = fake.log();
        let query = "GET /token?service=s+v&scope=repository%3Aorg%2Fa%3Apull%2Cpush ";
        assert!(log[1].is(query), "{log:?}");
        assert_eq!(log[1].authorization(), named.then_some(BASIC));
        assert_eq!(log.len(), 3);
    }
}

#[tokio::test]
async fn refuses_useless_and_endless_token_answers() {
    for answer in ["", "{}", r#"{"token":""}"#, r#"{"token":"a\r\nb"}"#, "[1"] {
        let fake = bearer_registry(answer).await;
        let error = fake.repository().tagged("v1").await.unwrap_err();
        assert!(
            matches!(&error, RepositoryError::BadAnswer { violation: Violation::Token, .. }),
            "{answer}: {error}"
        );
    }
    let fake = Fake::start(|seen, _| {
        let host = seen.head.lines().find_map(|l| l.strip_prefix("host: ")).unwrap_or_default();
        let realm = format!("www-authenticate: Bearer realm=\"http://{host}/token\"\r\n");
        if seen.line.contains("/token") {
            raw("HTTP/1.1 200 x\r\nconnection: close\r\n\r\n{", Then::Repeat(b"        "))
        } else {
            reply(401, &realm, "")
        }
    })
    .await;
    assert!(fake.repository().tagged("v1").await.is_err());
}

#[tokio::test]
async fn refuses_token_service_elsewhere_by_plain_http() {
    let realm = "www-authenticate: Bearer realm=\"http://evil.example/token\"\r\n";
    let fake = Fake::start(move |_, _| reply(401, realm, "")).await;
    let (_dir, access) = with_login(&fake, true);
    let error = fake.repository_with(&access).tagged("v1").await.unwrap_err();
    let RepositoryError::BadAnswer { violation, .. } = error else { panic!("{error}") };
    assert_eq!(violation, Violation::Downgrade { host: "evil.example".into() });
}

/// A registry that nobody named, on a port that anyone may have bound, names a trusted service.
#[tokio::test]
async fn credentials_do_not_go_to_a_service_that_an_unnamed_registry_names() {
    let service = Fake::start(|seen, _| match seen.authorization() {
        Some(_) => reply(200, "", r#"{"token":"worth-something"}"#),
        None => reply(401, "", ""),
    })
    .await;
    let realm = format!("www-authenticate: Bearer realm=\"http://{}/token\"\r\n", service.host);
    let fake = Fake::start(move |_, _| reply(401, &realm, "")).await;
    let (_dir, mut access) = with_login(&fake, false);
    access.plain_http = vec![service.host.clone()];
    let error = fake.repository_with(&access).tagged("v1").await.unwrap_err();
    assert!(matches!(error, RepositoryError::PlainHttpLogin { .. }), "{error}");
    assert!(error.hint().unwrap().contains(&fake.host), "{:?}", error.hint());
    let log = [service.log(), fake.log()].concat();
    assert!(log.iter().all(|seen| seen.authorization().is_none()), "{log:?}");
    assert!(!log.iter().any(|seen| String::from_utf8_lossy(&seen.body).contains("secret")));
}

#[tokio::test]
async fn an_error_names_the_host_that_failed() {
    let service = Fake::start(|_, _| reply(418, "", "no tea")).await;
    let realm = format!("www-authenticate: Bearer realm=\"http://{}/token\"\r\n", service.host);
    let fake = Fake::start(move |_, _| reply(401, &realm, "")).await;
    let error = fake.repository().tagged("v1").await.unwrap_err().to_string();
    assert_eq!(error, format!("registry {} answered 418 to GET /token: no tea", service.host));

    let storage = Fake::start(|_, _| reply(403, "", "expired")).await;
    let location = format!("location: http://{}/stored?signature=secret\r\n", storage.host);
    let fake = Fake::start(move |_, _| reply(307, &location, "")).await;
    let error = fake.repository().blob(&blob(), 100).await.unwrap_err().to_string();
    assert_eq!(error, format!("registry {} answered 403 to GET /stored: expired", storage.host));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap().to_string();
    drop(listener);
    let location = format!("location: http://{nobody}/stored\r\n");
    let fake = Fake::start(move |_, _| reply(307, &location, "")).await;
    let error = fake.repository().blob(&blob(), 100).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot connect to registry {nobody}"));
}

#[tokio::test]
async fn authorization_is_not_carried_to_another_host() {
    let storage = Fake::start(|_, _| reply(200, "", "content")).await;
    let location = format!("location: http://{}/stored\r\n", storage.host);
    let fake = Fake::start(move |seen, _| match seen.authorization() {
        Some(BASIC) => reply(307, &location, ""),
        _ => reply(401, "www-authenticate: Basic realm=\"x\"\r\n", ""),
    })
    .await;
    let (_dir, access) = with_login(&fake, true);
    let repository = fake.repository_with(&access);
    assert_eq!(repository.blob(&blob(), 100).await.unwrap(), b"content");
    // Upload location: the same for a body that we send.
    assert_eq!(storage.log().len(), 1);
    assert!(storage.log().iter().all(|seen| seen.authorization().is_none()));
}

#[tokio::test]
async fn authorization_is_not_carried_to_an_upload_elsewhere() {
    let storage = Fake::start(|seen, n| match (n, seen.authorization()) {
        // It asks for a login, and is to get none.
        (0, None) => reply(401, "www-authenticate: Basic realm=\"x\"\r\n", ""),
        _ => reply(201, "", ""),
    })
    .await;
    let location = format!("location: http://{}/upload?a=b\r\n", storage.host);
    let fake = Fake::start(move |seen, _| match seen.authorization() {
        Some(BASIC) if seen.is("POST") => reply(202, &location, ""),
        Some(BASIC) => not_found(),
        _ => reply(401, "www-authenticate: Basic realm=\"x\"\r\n", ""),
    })
    .await;
    let (_dir, access) = with_login(&fake, true);
    let error = fake.repository_with(&access).put_blob("x", b"content").await.unwrap_err();
    assert!(matches!(error, RepositoryError::Status { status: 401, .. }), "{error}");
    let log = storage.log();
    assert_eq!(log.len(), 1);
    assert!(log[0].is("PUT /upload?a=b&digest=sha256%3A"), "{log:?}");
    assert_eq!((log[0].authorization(), &log[0].body[..]), (None, &b"content"[..]));
}

#[tokio::test]
async fn blob_that_is_there_is_not_sent_again() {
    let fake = Fake::start(|_, _| reply(200, "", "")).await;
    fake.repository().put_blob("x", b"content").await.unwrap();
    assert_eq!(fake.log().len(), 1);
}

#[tokio::test]
async fn referrer_is_listed_again_after_another_writer_won() {
    let subject = Descriptor::of(media_type::OCI_MANIFEST, b"subject");
    let config = serde_json::to_string(&Descriptor::of(media_type::OCI_EMPTY, b"{}")).unwrap();
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{config},"layers":[],"subject":{}}}"#,
        serde_json::to_string(&subject).unwrap()
    );
    let stored = Arc::new(Mutex::new((index(1).into_bytes(), 0)));
    let state = Arc::clone(&stored);
    let fake = Fake::start(move |seen, _| {
        let mut state = state.lock().unwrap();
        let fallback = seen.line.contains("/manifests/sha256-");
        match () {
            () if seen.is("PUT") && fallback => {
                state.1 += 1;
                // The first write is replaced by somebody who had read before it.
                state.0 = if state.1 == 1 { index(2).into_bytes() } else { seen.body.clone() };
                reply(201, "", "")
            }
            () if seen.is("PUT") => reply(201, "", ""),
            () if fallback => reply(200, INDEX, &state.0),
            () => not_found(),
        }
    })
    .await;
    let digest = fake.repository().put_referrer(manifest.as_bytes()).await.unwrap();
    let (index, writes) = stored.lock().unwrap().clone();
    let found = crate::repository::entries::read(&index, 9).unwrap();
    assert_eq!((found.len(), writes), (3, 2));
    assert_eq!(found[2].digest, digest);
    assert_eq!(found[2].artifact_type.as_deref(), Some(media_type::OCI_EMPTY));
    let none = fake.repository().put_referrer(MANIFEST.as_bytes()).await;
    assert!(matches!(none, Err(RepositoryError::NoSubject { .. })));
}

#[tokio::test]
async fn referrer_is_left_to_a_registry_that_lists_it() {
    let subject = Descriptor::of(media_type::OCI_MANIFEST, b"subject");
    let config = serde_json::to_string(&subject).unwrap();
    let manifest =
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"subject":{config}}}"#);
    let header = format!("oci-subject: {}\r\n", subject.digest);
    let fake = Fake::start(move |_, _| reply(201, &header, "")).await;
    fake.repository().put_referrer(manifest.as_bytes()).await.unwrap();
    assert_eq!(fake.log().len(), 1);
}

#[tokio::test]
async fn tags_are_paged_and_those_for_the_terminal_left_out() {
    let fake = Fake::start(|seen, _| {
        if seen.line.contains("last=b") {
            return reply(200, "", r#"{"name":"org/a","tags":["c"]}"#);
        }
        let link = "link: </v2/org/a/tags/list?last=b>; rel=\"next\"\r\n";
        reply(200, link, r#"{"name":"org/a","tags":["a","\u001b[2J","b"]}"#)
    })
    .await;
    assert_eq!(fake.repository().tags().await.unwrap(), ["a", "b", "c"]);
}

/// A `.sig` manifest of `count` layers, or an index of that many referrers, of which none is there.
fn listing_of_nothing(count: usize, legacy: bool) -> String {
    let annotation = r#""annotations":{"dev.cosignproject.cosign/signature":"AAAA"}"#;
    let kind = if legacy { media_type::SIMPLE_SIGNING } else { media_type::OCI_MANIFEST };
    let artifact = media_type::SIGSTORE_BUNDLE;
    let entries: Vec<_> = (0..count)
        .map(|number| {
            let digest = Digest::of(number.to_string().as_bytes());
            let descriptor = format!(r#""mediaType":"{kind}","digest":"{digest}","size":9"#);
            if legacy {
                format!("{{{descriptor},{annotation}}}")
            } else {
                format!(r#"{{{descriptor},"artifactType":"{artifact}"}}"#)
            }
        })
        .collect();
    let entries = entries.join(",");
    let config = Descriptor::of(media_type::OCI_IMAGE_CONFIG, b"{}");
    let config = serde_json::to_string(&config).unwrap();
    if legacy {
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{entries}]}}"#)
    } else {
        format!(r#"{{"schemaVersion":2,"manifests":[{entries}]}}"#)
    }
}

#[tokio::test]
async fn signatures_that_are_listed_and_not_there_cost_a_bounded_number_of_requests() {
    let subject = Digest::of(b"subject");
    for (legacy, most) in [(true, 32), (false, 64)] {
        let listing = listing_of_nothing(2000, legacy);
        let fake = Fake::start(move |seen, _| match () {
            () if legacy && seen.line.contains(".sig ") => {
                reply(200, "content-type: application/json\r\n", &listing)
            }
            () if !legacy && seen.line.contains("/referrers/") => reply(200, INDEX, &listing),
            () => not_found(),
        })
        .await;
        let found = crate::pipeline::candidates(&fake.repository(), subject).await.unwrap();
        // What was not looked at is told.
        let [left] = found.as_slice() else { panic!("{found:?}") };
        assert!(left.origin.contains(" more "), "{left:?}");
        // Tag, referrers API and fallback tag, and then one a signature.
        let count = fake.log().len();
        assert!((most..=most + 3).contains(&count), "{count}");
    }
}
