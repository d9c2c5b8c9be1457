//! `unload`: detach, unpin, forget; afterwards nothing is left.

use crate::checkpoint::checkpoint;
use crate::error::LoaderError;
use crate::kernel;
use crate::kernel::protocol::Request;
use crate::paths::Paths;
use crate::plan;
use crate::state::{InstanceId, Record, Records, StateError, StateLock};

/// What was taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unloaded {
    /// The instance's name, or its id where no record tells the name.
    pub name: String,
    /// Links that were there to remove, by record.
    pub links: usize,
}

/// Takes an instance away: by name, or by an id that `list` shows.
pub fn unload(name: &str, paths: &Paths) -> Result<Unloaded, LoaderError> {
    let _lock = StateLock::take(&paths.run)?;
    let records = Records::new(&paths.run);
    let broken = match records.find(name) {
        Ok(Some(record)) => {
            take_away(&records, &record)?;
            return Ok(Unloaded { name: record.name, links: record.installed.links.len() });
        }
        Ok(None) => false,
        // A record that cannot be read says nothing; what is pinned does.
        Err(StateError::Record { .. }) => true,
        Err(error) => return Err(error.into()),
    };
    let ids = [Some(InstanceId::of_name(name)), InstanceId::parse(name)];
    let mut found = false;
    for id in ids.into_iter().flatten() {
        for pin_dir in orphan_generations(paths, &id) {
            kernel::call(&Request::UnloadOrphan(pin_dir))?;
            found = true;
        }
        if broken {
            records.remove(&id)?;
            found = true;
        }
    }
    if found {
        Ok(Unloaded { name: name.to_owned(), links: 0 })
    } else {
        Err(StateError::NoInstance { name: name.to_owned() }.into())
    }
}

/// Pins first, record last: a kill on the way leaves the record, and this can be done again.
pub(super) fn take_away(records: &Records, record: &Record) -> Result<(), LoaderError> {
    if !record.is_stale() {
        kernel::call(&Request::Unload(record.installed.clone()))?;
        checkpoint("unloaded");
    }
    Ok(records.remove(&record.id)?)
}

/// Generation directories of pins that no record tells about.
fn orphan_generations(paths: &Paths, id: &InstanceId) -> Vec<std::path::PathBuf> {
    let first = plan::pin_dir(&paths.pins, id.as_str(), 1);
    let Some(instance) = first.parent() else { return Vec::new() };
    let entries = std::fs::read_dir(instance);
    entries.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path()).collect()
}
