//! The password of a private key: a file, the environment, or a prompt on a terminal.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use bpf_image::report::Exit;
use zeroize::Zeroizing;

/// Variables that may hold the password; the second is cosign's.
const VARIABLES: [&str; 2] = ["BPF_IMAGE_PASSWORD", "COSIGN_PASSWORD"];
/// Longest password file.
const FILE_MAX: u64 = 64 * 1024;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PasswordError {
    /// No file, no variable, and nobody to ask.
    #[error("the key needs a password, and there is no terminal to ask at")]
    Nobody,
    /// The file cannot be read.
    #[error("cannot read password file {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Bytes that nobody can type.
    #[error("the password is not UTF-8 text")]
    NotText,
    /// The terminal does not answer.
    #[error("cannot read the password from the terminal")]
    Terminal(#[source] io::Error),
    /// Two different answers.
    #[error("the two passwords differ")]
    Differ,
}

impl PasswordError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Nobody => Exit::Usage,
            _ => Exit::Failed,
        }
    }

    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Nobody => {
                Some("set BPF_IMAGE_PASSWORD (empty for none), or name a --password-file")
            }
            Self::Differ => Some("run the command again; nothing was written"),
            _ => None,
        }
    }
}

/// The password that opens an existing key.
pub(crate) fn existing(file: Option<&Path>) -> Result<Zeroizing<String>, PasswordError> {
    match given(file)? {
        Some(password) => Ok(password),
        None => ask("Password of the private key: "),
    }
}

/// The password for a new key, typed twice where it is typed.
pub(crate) fn new(file: Option<&Path>) -> Result<Zeroizing<String>, PasswordError> {
    if let Some(password) = given(file)? {
        return Ok(password);
    }
    let first = ask("Password for the new private key (empty for none): ")?;
    if *first == *ask("The same again: ")? { Ok(first) } else { Err(PasswordError::Differ) }
}

fn given(file: Option<&Path>) -> Result<Option<Zeroizing<String>>, PasswordError> {
    if let Some(path) = file {
        return read(path).map(Some);
    }
    match VARIABLES.iter().find_map(std::env::var_os) {
        Some(value) => match value.into_string() {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(_) => Err(PasswordError::NotText),
        },
        None => Ok(None),
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, PasswordError> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(FILE_MAX).read_to_end(&mut bytes))
        .map_err(|source| PasswordError::File { path: path.to_path_buf(), source })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| PasswordError::NotText)?;
    // Editors end a file with a newline that nobody means to be part of the password.
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(Zeroizing::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, PasswordError> {
    if !io::stdin().is_terminal() {
        return Err(PasswordError::Nobody);
    }
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(PasswordError::Terminal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_loses_one_line_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        for (content, password) in
            [("a b\n", "a b"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("", ""), ("a", "a")]
        {
            std::fs::write(&path, content).unwrap();
            assert_eq!(*existing(Some(&path)).unwrap(), password);
        }
    }
}
