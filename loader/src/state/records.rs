//! Records on disk: one JSON file an instance, written whole or not at all.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::record::FORMAT;
use super::{InstanceId, Record, StateError};

/// Largest record that is read, in bytes.
const RECORD_MAX: u64 = 16 * 1024 * 1024;

/// The records of one run directory.
#[derive(Debug, Clone)]
pub struct Records {
    dir: PathBuf,
}

impl Records {
    /// Those under `run`.
    pub fn new(run: &Path) -> Self {
        Self { dir: run.join("v1").join("instances") }
    }

    fn path(&self, id: &InstanceId) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }

    /// Writes a record; a kill leaves the old one or the new one. A crash of the machine need not:
    /// it takes what the record is about with it.
    pub fn write(&self, record: &Record) -> Result<(), StateError> {
        let path = self.path(&record.id);
        let failed = |source| StateError::Io { action: "write", path: path.clone(), source };
        fs::create_dir_all(&self.dir).map_err(failed)?;
        let json = serde_json::to_vec_pretty(record).map_err(io::Error::from).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.dir).map_err(failed)?;
        file.write_all(&json).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Removes a record; one that is not there is removed.
    pub fn remove(&self, id: &InstanceId) -> Result<(), StateError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StateError::Io { action: "remove", path, source })
            }
            _ => Ok(()),
        }
    }

    /// The record of `id`, if there is one.
    pub fn read(&self, id: &InstanceId) -> Result<Option<Record>, StateError> {
        read_file(&self.path(id))
    }

    /// The record of a name, or of an id as `list` shows it.
    pub fn find(&self, name: &str) -> Result<Option<Record>, StateError> {
        if let Some(record) = self.read(&InstanceId::of_name(name))? {
            return Ok(Some(record));
        }
        match InstanceId::parse(name) {
            Some(id) => self.read(&id),
            None => Ok(None),
        }
    }

    /// Every record, by name; and the files that are none, with the reason.
    pub fn all(&self) -> Result<(Vec<Record>, Vec<StateError>), StateError> {
        let failed = |source| StateError::Io { action: "read", path: self.dir.clone(), source };
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((vec![], vec![])),
            other => other.map_err(failed)?,
        };
        let (mut records, mut broken) = (Vec::new(), Vec::new());
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            // A temporary file of a write that was killed has another ending.
            if path.extension().is_some_and(|extension| extension == "json") {
                match read_file(&path) {
                    Ok(record) => records.extend(record),
                    Err(error @ StateError::Record { .. }) => broken.push(error),
                    Err(error) => return Err(error),
                }
            }
        }
        records.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((records, broken))
    }
}

fn read_file(path: &Path) -> Result<Option<Record>, StateError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let failed = |source| StateError::Io { action: "read", path: path.to_path_buf(), source };
    let bad = |reason: String| StateError::Record { path: path.to_path_buf(), reason };
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let mut json = Vec::new();
    file.take(RECORD_MAX).read_to_end(&mut json).map_err(failed)?;
    let head: Head = serde_json::from_slice(&json).map_err(|error| bad(error.to_string()))?;
    if head.format != FORMAT {
        return Err(bad(format!("format {}, this version knows {FORMAT}", head.format)));
    }
    serde_json::from_slice(&json).map(Some).map_err(|error| bad(error.to_string()))
}
