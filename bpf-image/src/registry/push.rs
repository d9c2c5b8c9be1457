//! Writing to a registry (distribution-spec, "Push").
//!
//! Over the same bounded client as reading: a second HTTP stack would bring its own idea of plain
//! HTTP, of credentials and of token services.

use std::time::Instant;

use bpf_image_spec::oci::{Descriptor, MANIFEST_MAX};
use bpf_image_spec::{Digest, media_type};
use bytes::Bytes;
use reqwest::header::{self, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};

use super::RegistryRepository;
use super::http::{Answer, Request, SMALL};
use crate::repository::{RepositoryError, Violation, check_tag, entries, fallback_tag};

/// The registry has noticed the subject: it has the referrers API.
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// Rounds against other writers of one referrers index.
const RACES_MAX: usize = 8;

impl RegistryRepository {
    /// Stores a blob unless the registry has it.
    pub(crate) async fn put_blob(
        &self,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RepositoryError> {
        let descriptor = Descriptor::of(media_type, bytes);
        let url = self.http.url(&format!("blobs/{}", descriptor.digest));
        // A registry that lies here harms only the image that it offers itself.
        let head = self.http.send(&Request::new(Method::HEAD, url, 0)).await?;
        if head.status == StatusCode::OK {
            return Ok(descriptor);
        }
        let begin = Request::new(Method::POST, self.http.url("blobs/uploads/"), SMALL);
        let answer = self.http.send(&begin).await?;
        if answer.status != StatusCode::ACCEPTED {
            return Err(self.http.unexpected(&begin, &answer));
        }
        let mut location = self.http.location(&answer, &header::LOCATION)?;
        location.query_pairs_mut().append_pair("digest", &descriptor.digest.to_string());
        let octets = HeaderValue::from_static("application/octet-stream");
        let mut finish =
            Request::new(Method::PUT, location, SMALL).header(header::CONTENT_TYPE, octets);
        finish.body = Bytes::copy_from_slice(bytes);
        let answer = self.http.send(&finish).await?;
        if answer.status == StatusCode::CREATED {
            Ok(descriptor)
        } else {
            Err(self.http.unexpected(&finish, &answer))
        }
    }

    /// Stores a manifest or index by its digest or under `tag`.
    pub(crate) async fn put_manifest(
        &self,
        media_type: &str,
        bytes: &[u8],
        tag: Option<&str>,
    ) -> Result<Digest, RepositoryError> {
        let digest = Digest::of(bytes);
        match tag {
            Some(tag) => {
                check_tag(tag)?;
                self.put_document(media_type, bytes, tag).await?
            }
            None => self.put_document(media_type, bytes, &digest.to_string()).await?,
        };
        Ok(digest)
    }

    /// Stores a manifest with a subject, and lists it where the registry does not do so itself.
    pub(crate) async fn put_referrer(
        &self,
        manifest: &[u8],
        subject: Digest,
        descriptor: &Descriptor,
    ) -> Result<(), RepositoryError> {
        let name = descriptor.digest.to_string();
        let answer = self.put_document(&descriptor.media_type, manifest, &name).await?;
        let noticed = answer.text(&OCI_SUBJECT) == Some(&subject.to_string());
        if noticed || self.referrers_api(subject, 1).await?.is_some() {
            return Ok(());
        }
        self.list_referrer(subject, descriptor).await
    }

    /// Adds `entry` to the index under the fallback tag.
    ///
    /// Two writers at once can each replace the other's index, and the protocol has no
    /// compare-and-swap. So after a write it is read again, when a writer that read before our
    /// write will have written as well.
    async fn list_referrer(
        &self,
        subject: Digest,
        entry: &Descriptor,
    ) -> Result<(), RepositoryError> {
        let tag = fallback_tag(subject);
        let bad = |_| self.http.bad(Violation::Json { what: "referrers index" });
        for round in 0..RACES_MAX {
            let start = Instant::now();
            let there = self.tagged(&tag).await?;
            let there = there.as_ref().map(super::Fetched::bytes);
            let Some(index) = entries::appended(there, entry).map_err(bad)? else {
                return Ok(());
            };
            self.put_document(media_type::OCI_INDEX, &index, &tag).await?;
            // By the entry's own digest, so that writers in step fall out of it.
            let spread = 1 + u32::from(entry.digest.as_bytes()[round]) % 8;
            tokio::time::sleep(start.elapsed() * spread / 2).await;
        }
        let place = self.scope.clone();
        Err(RepositoryError::ReferrersRace { place, subject })
    }

    async fn put_document(
        &self,
        media_type: &str,
        bytes: &[u8],
        name: &str,
    ) -> Result<Answer, RepositoryError> {
        if bytes.len() > MANIFEST_MAX {
            let (place, max) = (self.scope.clone(), MANIFEST_MAX as u64);
            return Err(RepositoryError::TooLarge { what: "manifest", place, max });
        }
        let content_type = HeaderValue::from_str(media_type)
            .map_err(|e| RepositoryError::Client { source: Box::new(e) })?;
        let url = self.http.url(&format!("manifests/{name}"));
        let mut request =
            Request::new(Method::PUT, url, SMALL).header(header::CONTENT_TYPE, content_type);
        request.body = Bytes::copy_from_slice(bytes);
        let answer = self.http.send(&request).await?;
        if answer.status == StatusCode::CREATED {
            Ok(answer)
        } else {
            Err(self.http.unexpected(&request, &answer))
        }
    }
}
