//! What can go wrong between this program and the place an image lives in, and whose fault it is.
//!
//! Text that a registry sent is cut and stripped of control characters before it gets in here: it
//! ends up on terminals and in logs.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bpf_image_spec::Digest;
use bpf_image_spec::oci::DocumentError;

/// A cause from another crate, without its type.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Who has to do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The registry refused, broke its protocol, or does not have the image.
    Registry,
    /// The registry was not reached, or the connection broke.
    Network,
    /// The bytes are not the ones that were asked for.
    Image,
    /// This machine: disk, permissions, the directory that was named.
    Host,
    /// The credentials on this machine.
    Credentials,
}

/// A repository that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// No connection: name not found, refused, no route.
    #[error("cannot connect to registry {registry}")]
    Unreachable {
        /// Host and port.
        registry: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The other end answered a TLS greeting with something that is not TLS.
    #[error("registry {registry} does not speak TLS")]
    NotTls {
        /// Host and port.
        registry: String,
        /// What TLS made of it.
        #[source]
        source: Cause,
    },
    /// TLS failed otherwise, most often over the certificate.
    #[error("no secure connection to registry {registry}")]
    Tls {
        /// Host and port.
        registry: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The connection broke before the answer was complete.
    #[error("connection to registry {registry} broke")]
    Interrupted {
        /// Host and port.
        registry: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The answer took too long.
    #[error("registry {registry} did not answer in time")]
    TimedOut {
        /// Host and port.
        registry: String,
    },
    /// A status that the request has no use for.
    #[error("registry {registry} answered {status} to {request}{}", suffix(.detail))]
    Status {
        /// Host and port.
        registry: String,
        /// Method and path.
        request: String,
        /// HTTP status.
        status: u16,
        /// What the registry says about it, shortened.
        detail: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// An answer outside the distribution specification.
    #[error("registry {registry} {violation}")]
    BadAnswer {
        /// Host and port.
        registry: String,
        /// What is wrong with it.
        violation: Violation,
    },
    /// A document larger than is ever read.
    #[error("{what} of {place} has more than the {max} bytes accepted")]
    TooLarge {
        /// What kind of document.
        what: &'static str,
        /// Repository or layout.
        place: String,
        /// The limit.
        max: u64,
    },
    /// 401, also with what credentials there are.
    #[error("registry {registry} wants a login for {repository}{}", tried(*.sent))]
    Unauthorized {
        /// Host and port.
        registry: String,
        /// Repository within it.
        repository: String,
        /// Whether credentials were sent.
        sent: bool,
        /// Files in which credentials were looked for.
        searched: Vec<PathBuf>,
    },
    /// 403.
    #[error("registry {registry} denies access to {repository}{}", suffix(.detail))]
    Denied {
        /// Host and port.
        registry: String,
        /// Repository within it.
        repository: String,
        /// What the registry says about it, shortened.
        detail: String,
    },
    /// A login is wanted over a connection that everyone on the way can read.
    #[error("registry {registry} wants a login over plain http, and none was sent")]
    PlainHttpLogin {
        /// Host and port.
        registry: String,
    },
    /// A credential file or helper that does not work.
    #[error("credentials for {registry} in {} cannot be used: {problem}", .file.display())]
    Credentials {
        /// Host and port.
        registry: String,
        /// The file that was read.
        file: PathBuf,
        /// Why.
        problem: CredentialProblem,
    },
    /// The registry has no such repository.
    #[error("{scope} does not exist")]
    NoRepository {
        /// Registry and repository.
        scope: String,
    },
    /// The repository or layout has no such tag.
    #[error("{place} has no tag `{tag}`")]
    NoTag {
        /// Repository or layout.
        place: String,
        /// The tag.
        tag: String,
        /// Whether the place is a layout on this machine.
        local: bool,
    },
    /// The repository or layout has no such content.
    #[error("{place} does not have {digest}")]
    NoContent {
        /// Repository or layout.
        place: String,
        /// What was asked for.
        digest: Digest,
        /// Whether the place is a layout on this machine.
        local: bool,
    },
    /// A tag that may not be written into a URL or an index.
    #[error("`{tag}` is not a tag")]
    BadTag {
        /// The tag.
        tag: String,
    },
    /// Content that is not what its digest says.
    #[error("{place} holds other bytes than {expected}: they are {found}")]
    WrongDigest {
        /// Repository or layout.
        place: String,
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// Fewer bytes than the descriptor says.
    #[error("{digest} in {place} is cut short: {found} of {expected} bytes")]
    Truncated {
        /// Repository or layout.
        place: String,
        /// What was asked for.
        digest: Digest,
        /// Size by the descriptor.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// More bytes than the descriptor says.
    #[error("{digest} in {place} does not end after the {expected} bytes of its descriptor")]
    TooLong {
        /// Repository or layout.
        place: String,
        /// What was asked for.
        digest: Digest,
        /// Size by the descriptor.
        expected: u64,
    },
    /// A descriptor that announces more than the caller accepts; nothing was fetched.
    #[error("{digest} is said to have {size} bytes, more than the {max} accepted")]
    OverLimit {
        /// The content.
        digest: Digest,
        /// Its size by the descriptor.
        size: u64,
        /// What the caller accepts.
        max: u64,
    },
    /// A document that should be written or followed and does not parse.
    #[error("{digest} in {place} cannot be used")]
    Document {
        /// Repository or layout.
        place: String,
        /// The document.
        digest: Digest,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// A referrer without `subject`, or an index, which refers to nothing here.
    #[error("{digest} is not a manifest with a subject")]
    NoSubject {
        /// The document.
        digest: Digest,
    },
    /// A file operation that failed.
    #[error("cannot {action} {}", .path.display())]
    Disk {
        /// What was to be done.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A directory without a usable `oci-layout` file.
    #[error("{} is not an oci image layout", .dir.display())]
    NotALayout {
        /// The directory.
        dir: PathBuf,
    },
    /// A directory with other things in it, into which no layout is written.
    #[error("{} holds files but no oci image layout, and stays as it is", .dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// A link or device where a layout has plain files and directories.
    #[error("{} is not a plain file or directory", .path.display())]
    NotPlain {
        /// The path.
        path: PathBuf,
    },
    /// An `index.json` that cannot be read.
    #[error("index.json of {place} is not an oci image index")]
    LayoutIndex {
        /// The layout.
        place: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// No tag was given and the layout holds no image.
    #[error("{place} holds no image")]
    NoImage {
        /// The layout.
        place: String,
    },
    /// No tag was given, or one that several entries could mean.
    #[error("{place} holds several images: {}", .names.join(", "))]
    SeveralImages {
        /// The layout.
        place: String,
        /// Tags, or digests where there is no tag.
        names: Vec<String>,
    },
    /// The referrers index lost the entry to other writers again and again.
    #[error("other writers keep replacing the referrers index of {subject} in {place}")]
    ReferrersRace {
        /// The repository.
        place: String,
        /// What the referrer refers to.
        subject: Digest,
    },
    /// The HTTP client cannot be made, for instance without a readable CA store.
    #[error("cannot set up the http client")]
    Client {
        /// Why.
        #[source]
        source: Cause,
    },
}

/// How an answer breaks the distribution specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// More redirects than are followed.
    #[error("redirects in circles")]
    Redirects,
    /// A redirect, upload location or token service that leads from https to http, or to a host
    /// that plain http was not allowed for.
    #[error("leads to plain http at {host}")]
    Downgrade {
        /// Where it leads.
        host: String,
    },
    /// `Location`, `Link` or `realm` that is missing or no URL.
    #[error("sends no usable {header}")]
    Url {
        /// Header or parameter.
        header: &'static str,
    },
    /// 401 without a scheme that we speak.
    #[error("wants a login but offers neither bearer nor basic")]
    Challenge,
    /// A token service's answer without token.
    #[error("has a token service that sends no usable token")]
    Token,
    /// A listing that is not JSON of the shape.
    #[error("sends a {what} that is not JSON of its kind")]
    Json {
        /// Which listing.
        what: &'static str,
    },
    /// A listing that goes on and on.
    #[error("sends a {what} without end")]
    Endless {
        /// Which listing.
        what: &'static str,
    },
}

/// Why credentials cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialProblem {
    /// Not JSON of docker's shape, unreadable, or too large.
    #[error("the file is not docker config JSON")]
    File,
    /// `auth` is not base64 of `user:password`, or contradicts `username` and `password`.
    #[error("the entry is malformed")]
    Entry,
    /// `docker-credential-…` does not start or answer.
    #[error("the credential helper does not answer")]
    Helper,
    /// `docker-credential-…` failed.
    #[error("credential helper `{helper}` failed")]
    HelperFailed {
        /// Its name.
        helper: String,
    },
}

impl RepositoryError {
    /// Who has to do something about it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unreachable { .. }
            | Self::NotTls { .. }
            | Self::Tls { .. }
            | Self::Interrupted { .. }
            | Self::TimedOut { .. } => Fault::Network,
            Self::NoTag { local, .. } | Self::NoContent { local, .. } if *local => Fault::Host,
            Self::Status { .. }
            | Self::BadAnswer { .. }
            | Self::Denied { .. }
            | Self::NoRepository { .. }
            | Self::NoTag { .. }
            | Self::NoContent { .. }
            | Self::ReferrersRace { .. } => Fault::Registry,
            Self::Unauthorized { .. } | Self::PlainHttpLogin { .. } | Self::Credentials { .. } => {
                Fault::Credentials
            }
            Self::TooLarge { .. }
            | Self::WrongDigest { .. }
            | Self::Truncated { .. }
            | Self::TooLong { .. }
            | Self::OverLimit { .. }
            | Self::Document { .. }
            | Self::NoSubject { .. }
            | Self::LayoutIndex { .. }
            | Self::NotPlain { .. } => Fault::Image,
            Self::BadTag { .. }
            | Self::Disk { .. }
            | Self::NotALayout { .. }
            | Self::NotEmpty { .. }
            | Self::NoImage { .. }
            | Self::SeveralImages { .. }
            | Self::Client { .. } => Fault::Host,
        }
    }

    /// What the user can do, in one line.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { registry, .. } => {
                format!("check the name, the network, and that a registry runs at {registry}")
            }
            Self::NotTls { registry, .. } => {
                format!("if it is meant to be plain http, say so with `--plain-http {registry}`")
            }
            Self::Tls { .. } => {
                "add the registry's CA to the system's store, or name it in SSL_CERT_FILE".into()
            }
            Self::Unauthorized { registry, sent: true, .. } => {
                format!("the login was refused; renew it with `docker login {registry}`")
            }
            Self::Unauthorized { registry, searched, .. } => {
                let files: Vec<_> = searched.iter().map(|f| f.display().to_string()).collect();
                format!(
                    "`docker login {registry}` or `podman login {registry}`; looked in {}",
                    files.join(", ")
                )
            }
            Self::Denied { registry, .. } => {
                format!("the login of `docker login {registry}` may lack the right to do this")
            }
            Self::PlainHttpLogin { registry } => {
                format!("to send it unencrypted all the same, name `--plain-http {registry}`")
            }
            Self::Credentials { registry, .. } => {
                format!("write them anew with `docker login {registry}`")
            }
            Self::NoRepository { .. } => "check the spelling; some registries answer so when a \
                 login is missing"
                .into(),
            Self::NoTag { .. } => "check the spelling, and that the push of it has ended".into(),
            Self::SeveralImages { .. } => "add `:TAG` or `@sha256:…` to the reference".into(),
            Self::NotALayout { .. } => "write one with `bpf-image build --tag oci:DIR:TAG`".into(),
            Self::Status { status: 429, .. } => "the registry limits requests; try later".into(),
            _ => return None,
        })
    }

    /// Worth another try: the same request may well succeed in a moment.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Interrupted { .. } => true,
            Self::Status { status, .. } => matches!(status, 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// A failed file operation.
    pub(crate) fn disk(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { action, path, source }
    }
}

fn suffix(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

fn tried(sent: bool) -> &'static str {
    if sent { " and refuses the credentials" } else { "" }
}
