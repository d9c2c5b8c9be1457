//! A terminal in a folder of the demo's own: what is printed is what is run.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use bpf_image_tests::bins::{self, NotBuilt};
use bpf_image_tests::run::{RunError, RunOutput, run};
use tempfile::TempDir;

/// The folder, its variables, and what has to be undone at the end.
#[derive(Debug)]
pub(super) struct Shell {
    folder: TempDir,
    path: std::ffi::OsString,
    left: String,
    right: String,
}

/// A step that did not do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ShellError {
    /// No folder, or a file in it cannot be written.
    #[error("cannot write {path}")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The programs are not there.
    #[error(transparent)]
    NotBuilt(#[from] NotBuilt),
    /// The command could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It ended with another code than it should.
    #[error("`{command}` ended with code {code}, not {wanted}")]
    Code {
        /// The command.
        command: String,
        /// How it ended.
        code: i32,
        /// How it should have.
        wanted: i32,
    },
    /// It did not say what it should.
    #[error("`{command}` should show {wanted}, and shows: {output}")]
    Unexpected {
        /// The command.
        command: String,
        /// What was looked for.
        wanted: String,
        /// What it said.
        output: String,
    },
}

/// What a command said, to be looked at.
#[derive(Debug)]
pub(super) struct Said {
    command: String,
    pub(super) stdout: String,
    stderr: String,
}

/// The password of the demo's keys. A secret of nobody.
const PASSWORD: &str = "demo";

impl Shell {
    pub(super) fn new() -> Result<Self, ShellError> {
        let folder = TempDir::with_prefix("bpf-image-demo-")
            .map_err(|source| ShellError::Folder { path: std::env::temp_dir(), source })?;
        let bins = bins::bpf_loader()?;
        bins::bpf_image()?;
        let mut path = bins.parent().unwrap_or(Path::new("/")).as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let number = std::process::id();
        let shell = Self {
            folder,
            path,
            left: format!("demo-left-{number}"),
            right: format!("demo-right-{number}"),
        };
        println!();
        println!("    cd {}", shell.folder().display());
        for (name, value) in shell.variables() {
            println!("    export {name}={value}");
        }
        Ok(shell)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn variables(&self) -> [(&'static str, String); 7] {
        let at = |name: &str| self.folder().join(name).display().to_string();
        [
            ("LEFT", self.left.clone()),
            ("RIGHT", self.right.clone()),
            ("BPF_IMAGE_PASSWORD", PASSWORD.to_owned()),
            ("BPF_LOADER_STATE_DIR", at("state")),
            ("BPF_LOADER_RUN_DIR", at("run")),
            ("BPF_LOADER_PIN_DIR", at("bpffs/pins")),
            ("BPF_LOADER_POLICY", at("policy.toml")),
        ]
    }

    fn command(&self, text: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", text]).current_dir(self.folder());
        command.env("PATH", &self.path).envs(self.variables());
        command
    }

    /// A heading.
    #[expect(clippy::unused_self, reason = "reads as what the person at the shell says")]
    pub(super) fn say(&self, what: &str) {
        println!();
        println!("# {what}");
    }

    /// Shows and runs a command that must succeed.
    pub(super) fn run(&self, text: &str) -> Result<Said, ShellError> {
        self.ending(text, 0)
    }

    /// Shows and runs a command that must be refused with `code`.
    pub(super) fn refused(&self, text: &str, code: i32) -> Result<Said, ShellError> {
        let said = self.ending(text, code)?;
        println!("    (exit code {code})");
        Ok(said)
    }

    /// Runs a command that is no step of the story.
    pub(super) fn quiet(&self, text: &str) -> Result<Said, ShellError> {
        let RunOutput { stdout, stderr, .. } = run(&mut self.command(text))?;
        Ok(Said { command: text.to_owned(), stdout, stderr })
    }

    /// Shows and runs a command that prints a number.
    pub(super) fn number(&self, text: &str) -> Result<u64, ShellError> {
        let said = self.run(text)?;
        said.stdout.trim().parse().map_err(|_| said.unexpected("a number"))
    }

    /// Shows and writes a file.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<(), ShellError> {
        println!("$ cat > {name} <<'END'");
        print!("{content}");
        println!("END");
        let path = self.folder().join(name);
        std::fs::write(&path, content).map_err(|source| ShellError::Folder { path, source })
    }

    fn ending(&self, text: &str, wanted: i32) -> Result<Said, ShellError> {
        println!("$ {text}");
        let RunOutput { code, stdout, stderr, .. } = run(&mut self.command(text))?;
        for line in stdout.lines().chain(stderr.lines()) {
            println!("    {line}");
        }
        if code == wanted {
            Ok(Said { command: text.to_owned(), stdout, stderr })
        } else {
            Err(ShellError::Code { command: text.to_owned(), code, wanted })
        }
    }
}

impl Said {
    /// The command must have printed `words`.
    pub(super) fn expect(&self, words: &str) -> Result<(), ShellError> {
        if self.stdout.contains(words) { Ok(()) } else { Err(self.unexpected(words)) }
    }

    /// The command must have complained with `words`.
    pub(super) fn expect_error(&self, words: &str) -> Result<(), ShellError> {
        if self.stderr.contains(words) { Ok(()) } else { Err(self.unexpected(words)) }
    }

    fn unexpected(&self, wanted: &str) -> ShellError {
        ShellError::Unexpected {
            command: self.command.clone(),
            wanted: format!("`{wanted}`"),
            output: format!("{}{}", self.stdout, self.stderr).trim().replace('\n', "; "),
        }
    }
}

impl Drop for Shell {
    /// Also when a step failed: what it loaded and made goes away.
    fn drop(&mut self) {
        let _ = self.quiet("bpf-loader unload counter");
        let _ = self.quiet("umount bpffs");
        let _ = self.quiet("ip netns delete $LEFT");
        let _ = self.quiet("ip netns delete $RIGHT");
    }
}
