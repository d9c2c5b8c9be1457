//! HTTP with a registry that is not trusted: every body has a cap, every request a deadline, and
//! redirects are followed by hand so that credentials and TLS are not lost on the way.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use bpf_image_spec::text::is_steering;
use bytes::Bytes;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use url::Url;

use super::access::Access;
use super::auth::Auth;
use crate::repository::{RepositoryError, Violation};

/// Most bytes of an error body or token answer.
pub(super) const SMALL: u64 = 64 * 1024;

const REDIRECTS_MAX: usize = 5;

/// Requests to one repository of one registry.
#[derive(Debug)]
pub(super) struct Http {
    access: Access,
    /// The registry as the user names it.
    registry: String,
    /// `…/v2/<repository>/`.
    base: Url,
    auth: Auth,
}

/// What to send.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    /// Most bytes of a successful answer's body.
    pub(super) max: u64,
}

/// What came back; of another status than success at most [`SMALL`] bytes.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The body went on after the cap.
    pub(super) cut: bool,
    /// Where the answer came from, after redirects.
    pub(super) url: Url,
}

impl Request {
    pub(super) fn new(method: Method, url: Url, max: u64) -> Self {
        Self { method, url, headers: Vec::new(), body: Bytes::new(), max }
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Answer {
    /// The value of a header that is text.
    pub(super) fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the registry says about an error: its first code and message, or the start of a
    /// plain text, on one line.
    pub(super) fn detail(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Envelope {
            errors: Vec<Error>,
        }
        #[derive(serde::Deserialize)]
        struct Error {
            #[serde(default)]
            code: String,
            #[serde(default)]
            message: String,
        }
        let envelope = serde_json::from_slice::<Envelope>(&self.body).ok();
        let text = match envelope.and_then(|e| e.errors.into_iter().next()) {
            Some(Error { code, message }) if message.is_empty() => code,
            Some(Error { code, message }) => format!("{code}: {message}"),
            None => String::from_utf8_lossy(&self.body[..self.body.len().min(400)]).into_owned(),
        };
        // A registry may not move the cursor or fill the screen.
        let text: String = text.chars().map(|c| if is_steering(c) { ' ' } else { c }).collect();
        text.trim().chars().take(200).collect()
    }

    /// Whether the first error has `code`.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.detail().split(':').next() == Some(code)
    }
}

impl Http {
    pub(super) fn new(
        access: &Access,
        registry: &str,
        repository: &str,
        actions: &'static str,
    ) -> Result<Self, RepositoryError> {
        let scheme = if access.is_plain(registry) { "http" } else { "https" };
        // Docker Hub serves its API under another name than the one in references.
        let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        let base = Url::parse(&format!("{scheme}://{host}/v2/{repository}/"))
            .map_err(|e| RepositoryError::Client { source: Box::new(e) })?;
        Ok(Self {
            access: access.clone(),
            registry: registry.to_owned(),
            base,
            auth: Auth::new(registry, repository, actions),
        })
    }

    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// `…/v2/<repository>/<path>`; `path` is made of checked tags and digests only.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    pub(super) fn bad(&self, violation: Violation) -> RepositoryError {
        RepositoryError::BadAnswer { registry: self.registry.clone(), violation }
    }

    fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// The host to name in an error: that of the failing step, which may be a token or storage
    /// service, and the registry as the user names it otherwise.
    fn host_of(&self, url: &Url) -> String {
        if self.is_ours(url) { self.registry.clone() } else { authority(url) }
    }

    /// The error of an answer with a status that the caller has no use for.
    pub(super) fn unexpected(&self, request: &Request, answer: &Answer) -> RepositoryError {
        let registry = self.host_of(&answer.url);
        // A login at the registry changes nothing about what a storage service denies.
        if answer.status == StatusCode::FORBIDDEN && self.is_ours(&answer.url) {
            let repository = self.auth.repository().to_owned();
            return RepositoryError::Denied { registry, repository, detail: answer.detail() };
        }
        let wait = answer.text(&header::RETRY_AFTER).and_then(|v| v.parse().ok());
        RepositoryError::Status {
            registry,
            request: format!("{} {}", request.method, excerpt(answer.url.path())),
            status: answer.status.as_u16(),
            detail: answer.detail(),
            retry_after: wait.map(Duration::from_secs),
        }
    }

    /// Sends `request` with what authorization there is, gets one where it is wanted, and tries
    /// again after broken connections, 429 and 5xx.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, RepositoryError> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_times(3)
            .with_jitter();
        (|| self.attempt(request))
            .retry(backoff)
            .when(RepositoryError::is_transient)
            .adjust(|error, delay| match error {
                RepositoryError::Status { retry_after: Some(wait), .. } => {
                    delay.map(|delay| delay.max((*wait).min(Duration::from_secs(10))))
                }
                _ => delay,
            })
            .await
    }

    async fn attempt(&self, request: &Request) -> Result<Answer, RepositoryError> {
        // An upload may have been sent to another host, and a redirect may have led to one. Neither
        // sees our authorization, nor has a say in what we tell the registry.
        let current = self.auth.current().filter(|_| self.is_ours(&request.url));
        let mut answer = self.exchange(request, current).await?;
        let asked = answer.status == StatusCode::UNAUTHORIZED;
        if asked && self.is_ours(&request.url) && self.is_ours(&answer.url) {
            let fresh = self.auth.authorize(self, &answer.headers).await?;
            answer = self.exchange(request, Some(fresh)).await?;
            if answer.status == StatusCode::UNAUTHORIZED {
                return Err(self.auth.refused(self));
            }
        }
        match answer.status.as_u16() {
            429 | 500 | 502 | 503 | 504 => Err(self.unexpected(request, &answer)),
            _ => Ok(answer),
        }
    }

    /// One request and its redirects. `authorization` stays with the host that `request` names.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, RepositoryError> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            // What a `Location` or realm leads to may be anywhere, with anything as its scheme.
            self.check_plain(&url)?;
            let mine = authorization.clone().filter(|_| url.origin() == request.url.origin());
            let answer = self.once(request, &url, mine).await?;
            let followed = matches!(request.method, Method::GET | Method::HEAD)
                && matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308);
            if !followed {
                return Ok(answer);
            }
            let next = self.location(&answer, &header::LOCATION)?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(self.bad(Violation::Downgrade { host: authority(&next) }));
            }
            url = next;
        }
        Err(self.bad(Violation::Redirects))
    }

    /// The URL in a header of `answer`, relative to where the answer came from.
    pub(super) fn location(
        &self,
        answer: &Answer,
        name: &HeaderName,
    ) -> Result<Url, RepositoryError> {
        answer
            .text(name)
            .and_then(|location| answer.url.join(location).ok())
            .filter(Url::has_host)
            .ok_or_else(|| self.bad(Violation::Url { header: "location" }))
    }

    /// Refuses URLs that are neither https nor http to a host it is allowed for, and any http
    /// while the registry itself is reached by https.
    pub(super) fn check_plain(&self, url: &Url) -> Result<(), RepositoryError> {
        let plain_ok = self.base.scheme() == "http" && self.access.is_plain(&authority(url));
        if url.scheme() == "https" || url.scheme() == "http" && plain_ok {
            return Ok(());
        }
        Err(self.bad(Violation::Downgrade { host: authority(url) }))
    }

    async fn once(
        &self,
        request: &Request,
        url: &Url,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, RepositoryError> {
        let client = self.access.client(url.scheme() == "https")?;
        let mut builder = client
            .request(request.method.clone(), url.clone())
            .timeout(self.deadline(request.max.max(request.body.len() as u64)));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(authorization) = authorization {
            builder = builder.header(header::AUTHORIZATION, authorization);
        }
        if !matches!(request.method, Method::GET | Method::HEAD) {
            builder = builder.body(request.body.clone());
        }
        let mut response = builder.send().await.map_err(|e| self.failed(url, &e))?;
        let status = response.status();
        let max = if status.is_success() { request.max } else { SMALL };
        let mut answer = Answer {
            status,
            headers: std::mem::take(response.headers_mut()),
            body: Vec::new(),
            cut: false,
            url: url.clone(),
        };
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failed(url, &e))? {
            let room = usize::try_from(max).unwrap_or(usize::MAX) - answer.body.len();
            answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                answer.cut = true;
                break;
            }
        }
        let (url, bytes) = (without_secrets(url), answer.body.len());
        tracing::debug!(method = %request.method, %url, %status, bytes);
        Ok(answer)
    }

    /// 64 KiB/s are a slow line; less than that is a registry that holds us on purpose.
    fn deadline(&self, size: u64) -> Duration {
        self.access.request_timeout + Duration::from_secs(size / (64 * 1024))
    }

    pub(super) fn failed(&self, url: &Url, error: &reqwest::Error) -> RepositoryError {
        let registry = self.host_of(url);
        if error.is_timeout() {
            return RepositoryError::TimedOut { registry };
        }
        let connecting = error.is_connect();
        let tls = tls_error(error);
        // The last cause alone, `Connection refused`: the layers of the client above it say
        // nothing, and the topmost quotes a URL that may hold a storage service's secret.
        let source = last_cause(error).to_string().into();
        match tls {
            Some(rustls) if rustls.contains("InvalidContentType") => {
                RepositoryError::NotTls { registry, source }
            }
            Some(_) => RepositoryError::Tls { registry, source },
            None if connecting => RepositoryError::Unreachable { registry, source },
            None => RepositoryError::Interrupted { registry, source },
        }
    }
}

/// Host and port of `url` as references write them, without the scheme's own port.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The URL for logs: a query may be a storage service's signature, which is as good as a password.
fn without_secrets(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), excerpt(url.path()))
}

fn excerpt(path: &str) -> &str {
    path.get(..200).unwrap_or(path)
}

fn last_cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a dyn std::error::Error {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last
}

/// The TLS error among the causes, by the text of rustls, whose type reqwest does not export.
fn tls_error(error: &dyn std::error::Error) -> Option<String> {
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = format!("{error:?}");
        if ["InvalidMessage(", "InvalidCertificate(", "AlertReceived(", "PeerIncompatible("]
            .iter()
            .any(|kind| text.contains(kind))
        {
            return Some(text);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_hold_no_secret_of_a_presigned_url() {
        let url = "https://me:secret@store.example:444/blob/a?X-Amz-Signature=secret#secret";
        let shown = without_secrets(&Url::parse(url).unwrap());
        assert_eq!(shown, "https://store.example:444/blob/a");
    }
}
