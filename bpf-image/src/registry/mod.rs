//! A repository in a registry (OCI distribution-spec 1.1), read as if the registry were hostile.
//!
//! What is asked for first is the thing itself: no `/v2/` ping, no HEAD whose digest would have to
//! be believed. A login comes in when the registry says 401.

mod access;
mod auth;
mod credentials;
mod http;
mod push;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};

use bpf_image_spec::oci::{Descriptor, MANIFEST_MAX};
use bpf_image_spec::{Digest, RegistryReference, media_type};
use reqwest::header::{self, HeaderValue};
use reqwest::{Method, StatusCode};
use url::Url;

pub use access::Access;

use self::http::{Answer, Http, Request};
use crate::repository::{Fetched, RepositoryError, Violation, check_tag, entries, fallback_tag};

/// docker-registry answers 404 to OCI manifests unless their types are named.
const ACCEPT: HeaderValue = HeaderValue::from_static(
    "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json",
);

/// Most pages of a listing.
const PAGES_MAX: usize = 100;
/// Most tags of a listing.
const TAGS_MAX: usize = 10_000;

/// A repository in a registry.
#[derive(Debug)]
pub struct RegistryRepository {
    http: Http,
    scope: String,
    /// The registry has shown that it lacks the referrers API: no need to ask again.
    no_referrers: AtomicBool,
}

impl RegistryRepository {
    /// To read from. No request is made yet.
    pub fn open(reference: &RegistryReference, access: &Access) -> Result<Self, RepositoryError> {
        Self::new(reference, access, "pull")
    }

    /// To write to as well: logins ask for that right. No request is made yet.
    pub fn create(reference: &RegistryReference, access: &Access) -> Result<Self, RepositoryError> {
        Self::new(reference, access, "pull,push")
    }

    fn new(
        reference: &RegistryReference,
        access: &Access,
        actions: &'static str,
    ) -> Result<Self, RepositoryError> {
        let (registry, repository) = (reference.registry(), reference.repository());
        let http = Http::new(access, registry, repository, actions)?;
        Ok(Self { http, scope: reference.scope(), no_referrers: AtomicBool::new(false) })
    }

    /// `registry/repository`.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// What `tag` names; not found is an error that tells tag from repository.
    pub(crate) async fn resolve_tag(&self, tag: &str) -> Result<Fetched, RepositoryError> {
        check_tag(tag)?;
        let (fetched, answer) = self.get_manifest(tag, MANIFEST_MAX).await?;
        fetched.ok_or_else(|| {
            if answer.has_code("NAME_UNKNOWN") {
                RepositoryError::NoRepository { scope: self.scope.clone() }
            } else {
                let (place, tag) = (self.scope.clone(), tag.to_owned());
                RepositoryError::NoTag { place, tag, local: false }
            }
        })
    }

    /// What `tag` names.
    pub(crate) async fn tagged(&self, tag: &str) -> Result<Option<Fetched>, RepositoryError> {
        check_tag(tag)?;
        Ok(self.get_manifest(tag, MANIFEST_MAX).await?.0)
    }

    /// The manifest or index with `digest`.
    pub(crate) async fn manifest(
        &self,
        digest: Digest,
        max: usize,
    ) -> Result<Fetched, RepositoryError> {
        let max = max.min(MANIFEST_MAX);
        let (fetched, answer) = self.get_manifest(&digest.to_string(), max).await?;
        fetched.ok_or_else(|| self.no_content(digest, &answer))?.checked(digest, &self.scope)
    }

    async fn get_manifest(
        &self,
        name: &str,
        max: usize,
    ) -> Result<(Option<Fetched>, Answer), RepositoryError> {
        let url = self.http.url(&format!("manifests/{name}"));
        let request = Request::new(Method::GET, url, max as u64).header(header::ACCEPT, ACCEPT);
        let mut answer = self.http.send(&request).await?;
        match answer.status {
            StatusCode::OK => {
                self.refuse_cut(&answer, "manifest", max as u64)?;
                let claimed = content_type(&answer).unwrap_or(media_type::OCI_MANIFEST).to_owned();
                let body = std::mem::take(&mut answer.body);
                Ok((Some(Fetched::new(body, &claimed)), answer))
            }
            StatusCode::NOT_FOUND => Ok((None, answer)),
            _ => Err(self.http.unexpected(&request, &answer)),
        }
    }

    /// The content of `descriptor`, its size and digest checked.
    pub(crate) async fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, RepositoryError> {
        let Descriptor { digest, size: expected, .. } = *descriptor;
        let url = self.http.url(&format!("blobs/{digest}"));
        let request = Request::new(Method::GET, url, expected);
        let answer = self.http.send(&request).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(self.no_content(digest, &answer)),
            _ => return Err(self.http.unexpected(&request, &answer)),
        }
        let (place, found) = (self.scope.clone(), answer.body.len() as u64);
        if answer.cut {
            return Err(RepositoryError::TooLong { place, digest, expected });
        }
        if found < expected {
            return Err(RepositoryError::Truncated { place, digest, expected, found });
        }
        let found = Digest::of(&answer.body);
        if found != digest {
            return Err(RepositoryError::WrongDigest { place, expected: digest, found });
        }
        Ok(answer.body)
    }

    /// What refers to `subject`, by the API or by the tag that stands in for it.
    pub(crate) async fn referrers(
        &self,
        subject: Digest,
        limit: usize,
    ) -> Result<Vec<Descriptor>, RepositoryError> {
        if !self.no_referrers.load(Ordering::Relaxed) {
            if let Some(found) = self.referrers_api(subject, limit).await? {
                return Ok(found);
            }
            self.no_referrers.store(true, Ordering::Relaxed);
        }
        match self.tagged(&fallback_tag(subject)).await? {
            Some(index) => entries::read(index.bytes(), limit)
                .map_err(|_| self.http.bad(Violation::Json { what: "referrers index" })),
            None => Ok(Vec::new()),
        }
    }

    /// By the referrers API, unfiltered: cosign's entries come under changing artifact types.
    /// `None` when the registry does not have it.
    async fn referrers_api(
        &self,
        subject: Digest,
        limit: usize,
    ) -> Result<Option<Vec<Descriptor>>, RepositoryError> {
        let mut url = self.http.url(&format!("referrers/{subject}"));
        let mut found = Vec::new();
        for page in 0..PAGES_MAX {
            let request = Request::new(Method::GET, url, MANIFEST_MAX as u64).header(
                header::ACCEPT,
                HeaderValue::from_static("application/vnd.oci.image.index.v1+json"),
            );
            let answer = self.http.send(&request).await?;
            // Registries without it answer 404, or something that is not an index.
            match answer.status.as_u16() {
                200 if content_type(&answer) == Some(media_type::OCI_INDEX) => {}
                200 | 400 | 404 | 405 if page == 0 => return Ok(None),
                _ => return Err(self.http.unexpected(&request, &answer)),
            }
            self.refuse_cut(&answer, "referrers list", MANIFEST_MAX as u64)?;
            let listed = entries::read(&answer.body, limit - found.len())
                .map_err(|_| self.http.bad(Violation::Json { what: "referrers list" }))?;
            found.extend(listed);
            match self.next_page(&answer)? {
                Some(next) if found.len() < limit => url = next,
                _ => return Ok(Some(found)),
            }
        }
        Err(self.http.bad(Violation::Endless { what: "referrers list" }))
    }

    /// All tags.
    pub(crate) async fn tags(&self) -> Result<Vec<String>, RepositoryError> {
        #[derive(serde::Deserialize)]
        struct Tags {
            // Go writes a nil slice as `null`.
            tags: Option<Vec<String>>,
        }
        let mut url = self.http.url("tags/list");
        let mut tags = Vec::new();
        for _ in 0..PAGES_MAX {
            let request = Request::new(Method::GET, url, MANIFEST_MAX as u64);
            let answer = self.http.send(&request).await?;
            match answer.status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => {
                    return Err(RepositoryError::NoRepository { scope: self.scope.clone() });
                }
                _ => return Err(self.http.unexpected(&request, &answer)),
            }
            self.refuse_cut(&answer, "tag list", MANIFEST_MAX as u64)?;
            let listed: Tags = serde_json::from_slice(&answer.body)
                .map_err(|_| self.http.bad(Violation::Json { what: "tag list" }))?;
            // What is no tag cannot be asked for, and may be meant for the terminal.
            let listed = listed.tags.unwrap_or_default().into_iter();
            tags.extend(listed.filter(|tag| check_tag(tag).is_ok()));
            match self.next_page(&answer)? {
                Some(next) if tags.len() < TAGS_MAX => url = next,
                _ => {
                    tags.truncate(TAGS_MAX);
                    return Ok(tags);
                }
            }
        }
        Err(self.http.bad(Violation::Endless { what: "tag list" }))
    }

    /// The `rel="next"` of a listing (RFC 8288), which must stay with the registry.
    fn next_page(&self, answer: &Answer) -> Result<Option<Url>, RepositoryError> {
        let next = answer.text(&header::LINK).and_then(|link| {
            let (target, parameters) = link.strip_prefix('<')?.split_once('>')?;
            let parameters = parameters.replace([' ', '"'], "");
            parameters.split([';', ',']).any(|p| p == "rel=next").then_some(target)
        });
        let Some(next) = next else { return Ok(None) };
        match self.http.base().join(next) {
            Ok(url) if url.origin() == self.http.base().origin() => Ok(Some(url)),
            _ => Err(self.http.bad(Violation::Url { header: "link" })),
        }
    }

    fn refuse_cut(
        &self,
        answer: &Answer,
        what: &'static str,
        max: u64,
    ) -> Result<(), RepositoryError> {
        if answer.cut {
            return Err(RepositoryError::TooLarge { what, place: self.scope.clone(), max });
        }
        Ok(())
    }

    fn no_content(&self, digest: Digest, answer: &Answer) -> RepositoryError {
        if answer.has_code("NAME_UNKNOWN") {
            return RepositoryError::NoRepository { scope: self.scope.clone() };
        }
        RepositoryError::NoContent { place: self.scope.clone(), digest, local: false }
    }
}

fn content_type(answer: &Answer) -> Option<&str> {
    let value = answer.text(&header::CONTENT_TYPE)?;
    Some(value.split(';').next().unwrap_or(value).trim())
}
