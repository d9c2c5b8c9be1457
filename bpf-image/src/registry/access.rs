//! How registries are reached: plain HTTP or TLS, timeouts, credential files, one client.
//!
//! **Which hosts get plain HTTP.** Those named with `--plain-http HOST`, and loopback addresses
//! (`localhost`, 127.0.0.0/8, `[::1]`), as docker, oras and crane have it: a registry on the
//! developer's own machine has no certificate, and nobody is on the way to it. All others get TLS
//! and nothing else; a redirect never leads back from it.
//!
//! **Credentials are stricter**: over plain HTTP they go only to a host that was named. On
//! loopback any local user may have bound the port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::repository::RepositoryError;

/// How registries are reached. Clones share one HTTP client and its open connections, so one
/// value serves a whole process.
#[derive(Debug, Clone)]
pub struct Access {
    /// Hosts, with their port as in references, that plain HTTP may be used for.
    pub plain_http: Vec<String>,
    /// Longest time to connect.
    pub connect_timeout: Duration,
    /// Longest silence in an answer.
    pub read_timeout: Duration,
    /// Longest time of one request with a small answer; blobs get more by their size.
    pub request_timeout: Duration,
    /// The credential file to use in place of those of docker and podman.
    pub auth_file: Option<PathBuf>,
    clients: Arc<Clients>,
}

#[derive(Debug, Default)]
struct Clients {
    plain: OnceLock<reqwest::Client>,
    tls: OnceLock<reqwest::Client>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            plain_http: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_mins(1),
            auth_file: None,
            clients: Arc::default(),
        }
    }
}

impl Access {
    /// Access with plain HTTP for `plain_http`, everything else by default.
    pub fn new(plain_http: Vec<String>) -> Self {
        Self { plain_http, ..Self::default() }
    }

    /// Whether `host` (with its port) is reached by plain HTTP.
    pub(super) fn is_plain(&self, host: &str) -> bool {
        self.is_named(host) || is_loopback(host)
    }

    /// Whether the user named `host` for plain HTTP, credentials included.
    pub(super) fn is_named(&self, host: &str) -> bool {
        // A URL does not show its scheme's own port.
        let bare = |host: &str| host.strip_suffix(":80").unwrap_or(host).to_ascii_lowercase();
        self.plain_http.iter().any(|named| bare(named) == bare(host))
    }

    /// The client for `https:` or `http:`.
    ///
    /// Two of them, each made when first needed: reading the system's CA store costs more than a
    /// whole pull over loopback.
    pub(super) fn client(&self, secure: bool) -> Result<&reqwest::Client, RepositoryError> {
        let cell = if secure { &self.clients.tls } else { &self.clients.plain };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let builder = reqwest::Client::builder()
            .user_agent(concat!("bpf-image/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.read_timeout)
            .tcp_nodelay(true)
            // Followed by hand, where each step is judged.
            .redirect(reqwest::redirect::Policy::none());
        let builder = if secure {
            builder.https_only(true)
        } else {
            // No roots and no proxy: it must not be able to do anything but plain HTTP to the
            // very host that was named.
            builder.tls_certs_only([]).no_proxy()
        };
        let client =
            builder.build().map_err(|e| RepositoryError::Client { source: Box::new(e) })?;
        Ok(cell.get_or_init(|| client))
    }
}

/// `localhost`, 127.0.0.0/8 or `::1`, with or without port.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.parse().is_ok_and(|ip: Ipv4Addr| IpAddr::V4(ip).is_loopback())
        || name.parse().is_ok_and(|ip: Ipv6Addr| IpAddr::V6(ip).is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_named_hosts_are_plain() {
        let access = Access::new(vec!["Registry.lan:5000".into()]);
        for host in ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:5000"] {
            assert!(access.is_plain(host), "{host}");
            assert!(!access.is_named(host), "{host}");
        }
        assert!(access.is_plain("registry.lan:5000") && access.is_named("registry.lan:5000"));
        for host in [
            "registry.lan",
            "registry.lan:80",
            "registry.lan:5001",
            "x.registry.lan:5000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "128.0.0.1",
            "[::2]:5000",
        ] {
            assert!(!access.is_plain(host), "{host}");
        }
    }
}
