//! `unload`: detach, unpin, forget; afterwards nothing is left.

use crate::checkpoint::checkpoint;
use crate::error::LoaderError;
use crate::kernel;
use crate::kernel::protocol::{Installed, Request};
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
    if let Some(record) = records.find(name)? {
        take_away(&records, &record)?;
        return Ok(Unloaded { name: record.name, links: record.installed.links.len() });
    }
    // /run may have vanished while bpffs stayed.
    let candidates = [Some(InstanceId::of_name(name)), InstanceId::parse(name)];
    for id in candidates.into_iter().flatten() {
        let generations = orphan_generations(paths, &id);
        if generations.is_empty() {
            continue;
        }
        for pin_dir in generations {
            let installed = Installed { pin_dir, programs: vec![], maps: vec![], links: vec![] };
            kernel::call(&Request::Unload(installed))?;
        }
        return Ok(Unloaded { name: name.to_owned(), links: 0 });
    }
    Err(StateError::NoInstance { name: name.to_owned() }.into())
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
