//! Answers to a registry's 401: basic, or a bearer token from the service that it names
//! (distribution-spec leaves this to "Token Authentication" of the docker registry).
//!
//! A registry may name any token service, and gets what that service hands out. So credentials are
//! sent only if both are trusted with them: reached over https, or over plain HTTP when the user
//! named the host for it. On loopback alone, any local user may have bound the port.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use reqwest::header::{self, HeaderMap, HeaderValue};
use url::Url;

use super::credentials::{self, Credential};
use super::http::{Http, Request, SMALL, authority};
use crate::repository::{RepositoryError, Violation};

/// What is known about authorization for one repository.
#[derive(Debug)]
pub(super) struct Auth {
    registry: String,
    repository: String,
    actions: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Marked sensitive, so that its Debug text shows nothing.
    header: Option<HeaderValue>,
    login: Login,
}

/// What became of the credentials on this machine.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Login {
    #[default]
    None,
    Sent,
    /// Not looked for: somebody else may listen.
    Withheld,
}

enum Challenge {
    Basic,
    Bearer { realm: Url, service: Option<String> },
}

impl Auth {
    /// For `actions`, `pull` or `pull,push`.
    pub(super) fn new(registry: &str, repository: &str, actions: &'static str) -> Self {
        Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            actions,
            state: Mutex::default(),
        }
    }

    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    /// The `Authorization` that worked or was last tried.
    pub(super) fn current(&self) -> Option<HeaderValue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).header.clone()
    }

    /// Earns an `Authorization` by the challenges in `headers`.
    pub(super) async fn authorize(
        &self,
        http: &Http,
        headers: &HeaderMap,
    ) -> Result<HeaderValue, RepositoryError> {
        let challenge = challenge(headers).ok_or_else(|| http.bad(Violation::Challenge))?;
        let target = match &challenge {
            Challenge::Basic => http.base(),
            Challenge::Bearer { realm, .. } => realm,
        };
        let trusted =
            |url: &Url| url.scheme() == "https" || http.access().is_named(&authority(url));
        let private = trusted(http.base()) && trusted(target);
        let credential = if private { self.credential(http).await? } else { None };
        let login = match &credential {
            Some(_) => Login::Sent,
            None if private => Login::None,
            None => Login::Withheld,
        };
        let header = match (challenge, credential) {
            (Challenge::Basic, Some(Credential::Password(user, password))) => {
                basic(&user, &password)
            }
            (Challenge::Basic, _) => return Err(self.unauthorized(http, login)),
            (Challenge::Bearer { realm, service }, credential) => {
                let token = self.token(http, realm, service, credential, login).await?;
                HeaderValue::from_str(&format!("Bearer {token}")).ok().map(sensitive)
            }
        };
        let header = header.ok_or_else(|| http.bad(Violation::Token))?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { header: Some(header.clone()), login };
        Ok(header)
    }

    /// The error for a 401 that came in spite of an authorization.
    pub(super) fn refused(&self, http: &Http) -> RepositoryError {
        let login = self.state.lock().unwrap_or_else(PoisonError::into_inner).login;
        self.unauthorized(http, login)
    }

    fn unauthorized(&self, http: &Http, login: Login) -> RepositoryError {
        if login == Login::Withheld {
            return RepositoryError::PlainHttpLogin { registry: self.registry.clone() };
        }
        RepositoryError::Unauthorized {
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            sent: login == Login::Sent,
            searched: credentials::files(http.access().auth_file.as_deref()),
        }
    }

    async fn credential(&self, http: &Http) -> Result<Option<Credential>, RepositoryError> {
        let files = credentials::files(http.access().auth_file.as_deref());
        let (registry, repository) = (self.registry.clone(), self.repository.clone());
        tokio::task::spawn_blocking(move || credentials::find(&files, &registry, &repository))
            .await
            .map_err(|e| RepositoryError::Client { source: Box::new(e) })?
    }

    async fn token(
        &self,
        http: &Http,
        mut realm: Url,
        service: Option<String>,
        credential: Option<Credential>,
        login: Login,
    ) -> Result<String, RepositoryError> {
        let scope = format!("repository:{}:{}", self.repository, self.actions);
        let mut parameters = url::form_urlencoded::Serializer::new(String::new());
        if let Some(service) = &service {
            parameters.append_pair("service", service);
        }
        parameters.append_pair("scope", &scope);
        let (request, authorization) = match credential {
            Some(Credential::IdentityToken(token)) => {
                parameters
                    .append_pair("grant_type", "refresh_token")
                    .append_pair("client_id", "bpf-image")
                    .append_pair("refresh_token", &token);
                let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                let mut request =
                    Request::new(Method::POST, realm, SMALL).header(header::CONTENT_TYPE, form);
                request.body = parameters.finish().into();
                (request, None)
            }
            other => {
                realm
                    .query_pairs_mut()
                    .extend_pairs(url::form_urlencoded::parse(parameters.finish().as_bytes()));
                let authorization = match other {
                    Some(Credential::Password(user, password)) => basic(&user, &password),
                    _ => None,
                };
                (Request::new(Method::GET, realm, SMALL), authorization)
            }
        };
        let answer = http.exchange(&request, authorization).await?;
        match answer.status.as_u16() {
            200 => token_in(&answer.body).ok_or_else(|| http.bad(Violation::Token)),
            401 | 403 => Err(self.unauthorized(http, login)),
            _ => Err(http.unexpected(&request, &answer)),
        }
    }
}

fn token_in(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    answer.token.or(answer.access_token).filter(|token| !token.is_empty())
}

/// The challenge to answer: a bearer one where several are offered.
fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let mut found = None;
    for value in headers.get_all(header::WWW_AUTHENTICATE).iter().take(8) {
        let Some(text) = value.to_str().ok().filter(|text| text.len() <= 4096) else { continue };
        let Ok(challenges) = http_auth::parse_challenges(text) else { continue };
        for challenge in challenges {
            let parameter = |name: &str| {
                let mut all = challenge.params.iter();
                all.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_unescaped())
            };
            if challenge.scheme.eq_ignore_ascii_case("bearer") {
                let realm = parameter("realm").and_then(|realm| Url::parse(&realm).ok());
                if let Some(realm) = realm.filter(Url::has_host) {
                    return Some(Challenge::Bearer { realm, service: parameter("service") });
                }
            } else if challenge.scheme.eq_ignore_ascii_case("basic") {
                found = Some(Challenge::Basic);
            }
        }
    }
    found
}

fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
    HeaderValue::from_str(&format!("Basic {encoded}")).ok().map(sensitive)
}

fn sensitive(mut header: HeaderValue) -> HeaderValue {
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        challenge(&headers)
    }

    #[test]
    fn bearer_is_preferred() {
        let bearer = r#"Bearer realm="https://auth.example/token?x=1",service="r, \"x\"""#;
        let Some(Challenge::Bearer { realm, service }) = of(&["Basic realm=\"r\"", bearer]) else {
            panic!("no bearer")
        };
        assert_eq!(realm.as_str(), "https://auth.example/token?x=1");
        assert_eq!(service.as_deref(), Some("r, \"x\""));
        assert!(matches!(of(&["basic realm=r"]), Some(Challenge::Basic)));
    }

    #[test]
    fn challenges_without_use_are_none() {
        for value in ["", "Bearer", "Bearer realm=\"file:/etc/passwd\"", "Negotiate", "=,=\"", "\""]
        {
            assert!(of(&[value]).is_none(), "{value}");
        }
    }
}
