//! Credentials of docker and podman: the one module that knows `docker_credential`.
//!
//! They are looked for when a registry asks, and not before. The files are found here rather than
//! by that crate, whose podman fallback looks in docker's directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};

use crate::repository::{CredentialProblem, RepositoryError};

/// A config file of docker is a few hundred bytes.
const FILE_MAX: u64 = 1024 * 1024;

/// What to show to a registry or its token service.
pub(super) enum Credential {
    /// User and password.
    Password(String, String),
    /// An `OAuth2` refresh token.
    IdentityToken(String),
}

/// The files in which credentials may be, in the order they are asked.
///
/// Files that the user named come before those of their place, podman's and docker's own order
/// put together.
pub(super) fn files(named: Option<&Path>) -> Vec<PathBuf> {
    match named {
        Some(file) => vec![file.to_owned()],
        None => default_files(|name| std::env::var_os(name).filter(|value| !value.is_empty())),
    }
}

fn default_files(env: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let path = |name: &str, rest: &str| env(name).map(|dir| Path::new(&dir).join(rest));
    [
        env("REGISTRY_AUTH_FILE").map(PathBuf::from),
        path("DOCKER_CONFIG", "config.json").or_else(|| path("HOME", ".docker/config.json")),
        path("XDG_RUNTIME_DIR", "containers/auth.json"),
        path("XDG_CONFIG_HOME", "containers/auth.json")
            .or_else(|| path("HOME", ".config/containers/auth.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The first credential for `registry` or, as podman has them, for a repository in it.
///
/// A credential helper is a process and may ask the user: run this where blocking is fine.
pub(super) fn find(
    files: &[PathBuf],
    registry: &str,
    repository: &str,
) -> Result<Option<Credential>, RepositoryError> {
    for file in files {
        let failed = |problem| RepositoryError::Credentials {
            registry: registry.to_owned(),
            file: file.clone(),
            problem,
        };
        let Some(json) = read(file).map_err(failed)? else { continue };
        for server in servers(registry, repository) {
            match docker_credential::get_credential_from_reader(json.as_slice(), &server) {
                Ok(DockerCredential::UsernamePassword(user, password)) => {
                    return Ok(Some(Credential::Password(user, password)));
                }
                Ok(DockerCredential::IdentityToken(token)) => {
                    return Ok(Some(Credential::IdentityToken(token)));
                }
                Err(error) => {
                    if let Some(problem) = problem(error) {
                        return Err(failed(problem));
                    }
                }
            }
        }
    }
    Ok(None)
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, CredentialProblem> {
    use std::io::Read as _;
    let file = match std::fs::File::open(file) {
        Ok(file) => file,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound) => return Ok(None),
        Err(_) => return Err(CredentialProblem::File),
    };
    let mut json = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut json).map_err(|_| CredentialProblem::File)?;
    Ok(Some(json))
}

/// Keys to ask for, the longest first: `registry/org/team`, `registry/org`, `registry`.
fn servers(registry: &str, repository: &str) -> Vec<String> {
    let mut servers = Vec::new();
    let mut path = Some(repository);
    while let Some(prefix) = path {
        servers.push(format!("{registry}/{prefix}"));
        path = prefix.rsplit_once('/').map(|(parent, _)| parent);
    }
    servers.push(registry.to_owned());
    servers
}

/// `None` when there simply is no credential.
fn problem(error: CredentialRetrievalError) -> Option<CredentialProblem> {
    match error {
        CredentialRetrievalError::NoCredentialConfigured
        | CredentialRetrievalError::ConfigNotFound => None,
        CredentialRetrievalError::ConfigReadError => Some(CredentialProblem::File),
        CredentialRetrievalError::CredentialDecodingError
        | CredentialRetrievalError::CredentialMismatchError => Some(CredentialProblem::Entry),
        CredentialRetrievalError::HelperCommunicationError
        | CredentialRetrievalError::MalformedHelperResponse => Some(CredentialProblem::Helper),
        // The helper protocol has no other way to say so.
        CredentialRetrievalError::HelperFailure { ref stdout, ref stderr, .. }
            if [stdout, stderr].iter().any(|text| text.contains("credentials not found")) =>
        {
            None
        }
        CredentialRetrievalError::HelperFailure { helper, .. } => {
            Some(CredentialProblem::HelperFailed { helper })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dir: &Path, name: &str, json: &str) -> PathBuf {
        let path = dir.join(name);
        std::fs::write(&path, json).unwrap();
        path
    }

    #[test]
    fn named_files_come_first() {
        let env = |name: &str| match name {
            "HOME" => Some("/home/me".into()),
            "REGISTRY_AUTH_FILE" => Some("/a.json".into()),
            "XDG_RUNTIME_DIR" => Some("/run/user/1".into()),
            _ => None,
        };
        let expected = [
            "/a.json",
            "/home/me/.docker/config.json",
            "/run/user/1/containers/auth.json",
            "/home/me/.config/containers/auth.json",
        ];
        assert_eq!(default_files(env), expected.map(PathBuf::from));
        assert_eq!(default_files(|_| None), Vec::<PathBuf>::new());
    }

    #[test]
    fn the_longest_key_wins_and_later_files_are_asked() {
        let dir = tempfile::tempdir().unwrap();
        let a = file(dir.path(), "a", r#"{"auths":{"other.example":{"auth":"eDp5"}}}"#);
        // me:registry and me:team
        let b = file(
            dir.path(),
            "b",
            r#"{"auths":{"r.example":{"auth":"bWU6cmVnaXN0cnk="},
                         "r.example/org/team":{"auth":"bWU6dGVhbQ=="}}}"#,
        );
        let missing = dir.path().join("missing");
        let files = [missing, a, b];
        let password = |repository: &str| match find(&files, "r.example", repository) {
            Ok(Some(Credential::Password(_, password))) => password,
            _ => panic!("no password"),
        };
        assert_eq!(password("org/team/counter"), "team");
        assert_eq!(password("org/teams"), "registry");
        assert!(matches!(find(&files, "none.example", "x"), Ok(None)));
    }

    #[test]
    fn broken_file_is_named_and_its_content_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        for (json, expected) in [
            ("{secret", CredentialProblem::File),
            (r#"{"auths":{"r.example":{"auth":"secret!"}}}"#, CredentialProblem::Entry),
            (r#"{"credsStore":"no-such-helper-secret"}"#, CredentialProblem::Helper),
        ] {
            let files = [file(dir.path(), "c", json)];
            let Err(error) = find(&files, "r.example", "x") else { panic!("{json}") };
            assert!(!error.to_string().contains("secret"), "{error}");
            let RepositoryError::Credentials { problem, .. } = error else { panic!("{error}") };
            assert_eq!(problem, expected);
        }
    }
}
