//! `keygen`: a key pair in cosign's files, and the policy that trusts it.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bpf_image_signing::{KeyId, KeyType, Policy, PrivateKey};
use zeroize::Zeroizing;

use super::VerbError;

/// What key to make.
#[derive(Debug)]
pub struct KeygenRequest {
    /// Path of both files without `.key` and `.pub`.
    pub prefix: PathBuf,
    /// Kind of key.
    pub key_type: KeyType,
    /// Password that encrypts the private key; may be empty.
    pub password: Zeroizing<String>,
    /// Scope of the policy: `registry[/path]` or `oci:/absolute/path`.
    pub scope: String,
}

/// The key that was made.
#[derive(Debug)]
pub struct KeygenResponse {
    /// The encrypted private key, for its owner's eyes only.
    pub private: PathBuf,
    /// The public key.
    pub public: PathBuf,
    /// What the key is called in signatures and messages.
    pub id: KeyId,
    /// Text of a policy file that trusts the key.
    pub policy: String,
}

/// Makes a key pair; files that exist are never overwritten.
pub fn keygen(request: &KeygenRequest) -> Result<KeygenResponse, VerbError> {
    let (private, public) = (file(&request.prefix, "key"), file(&request.prefix, "pub"));
    if let Some(path) = [&private, &public].into_iter().find(|path| path.symlink_metadata().is_ok())
    {
        return Err(VerbError::Exists { path: path.clone() });
    }
    let key = PrivateKey::generate(request.key_type)?;
    // Rendered before anything is written: a bad scope must not leave files behind.
    let policy = Policy::scaffold(&request.scope, key.public_key())?;
    let sealed = key.to_encrypted_pem(request.password.as_bytes())?;
    write_new(&private, sealed.as_bytes(), 0o600)?;
    if let Err(error) = write_new(&public, key.public_key().to_pem().as_bytes(), 0o644) {
        // Half a pair would only stand in the way of the next try; what failed is the news.
        let _ = std::fs::remove_file(&private);
        return Err(error);
    }
    Ok(KeygenResponse { private, public, id: key.public_key().id(), policy })
}

fn file(prefix: &Path, extension: &str) -> PathBuf {
    // Not `with_extension`, which would take `team.release` for `team`.
    let mut name = prefix.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// Creates the file or fails, in one step, with its final mode from the first moment.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), VerbError> {
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::AlreadyExists => VerbError::Exists { path: path.to_path_buf() },
        _ => VerbError::Write { path: path.to_path_buf(), source },
    };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn request(prefix: PathBuf) -> KeygenRequest {
        KeygenRequest {
            prefix,
            key_type: KeyType::EcdsaP256,
            password: Zeroizing::new("secret".to_owned()),
            scope: "registry.example/org".to_owned(),
        }
    }

    #[test]
    fn pair_and_policy_go_together() {
        let dir = tempfile::tempdir().unwrap();
        let made = keygen(&request(dir.path().join("team.release"))).unwrap();
        assert!(made.private.ends_with("team.release.key"));
        assert_eq!(made.private.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(made.public.metadata().unwrap().permissions().mode() & 0o777, 0o644);
        let sealed = std::fs::read(&made.private).unwrap();
        let key = PrivateKey::from_pem(&sealed, b"secret").unwrap();
        assert_eq!(key.public_key().id(), made.id);
        let policy = Policy::parse(&made.policy, |_| unreachable!()).unwrap();
        assert_eq!(policy.scopes()[0].signers()[0].key().id(), made.id);
    }

    #[test]
    fn existing_files_stay_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.key", "a.pub"] {
            let path = dir.path().join(name);
            std::fs::write(&path, "precious").unwrap();
            let made = keygen(&request(dir.path().join("a")));
            assert!(matches!(made, Err(VerbError::Exists { .. })), "{name}");
            assert_eq!(std::fs::read(&path).unwrap(), b"precious");
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn bad_scope_leaves_no_files() {
        let dir = tempfile::tempdir().unwrap();
        let mut request = request(dir.path().join("a"));
        request.scope = "*".to_owned();
        assert!(matches!(keygen(&request), Err(VerbError::Place(_))));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
