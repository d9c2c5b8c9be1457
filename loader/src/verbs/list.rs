//! `list`: what records say, beside what the kernel shows.

use std::path::PathBuf;

use crate::error::LoaderError;
use crate::kernel;
use crate::kernel::protocol::{LinkState, Request, Response, Status};
use crate::paths::Paths;
use crate::state::{InstanceId, Phase, Record, Records};

/// An instance, as recorded and as seen.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What we stored.
    pub record: Record,
    /// What the kernel shows; absent after a reboot.
    pub status: Option<Status>,
}

/// Pins of an instance that no record tells about: /run vanished while bpffs stayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The id, from the directory's name.
    pub id: InstanceId,
    /// The directory.
    pub path: PathBuf,
}

/// Everything there is.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Instances, by name.
    pub instances: Vec<Instance>,
    /// Pins without a record.
    pub orphans: Vec<Orphan>,
    /// Records that cannot be read, each with the reason.
    pub broken: Vec<String>,
}

/// One word for how an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Everything recorded is in the kernel.
    Running,
    /// Loaded, with no links, as asked.
    Detached,
    /// A command was killed, or is at work right now.
    Pending,
    /// Something recorded is no longer in the kernel, or its hook is gone.
    Degraded,
    /// The machine was booted since; nothing of it is in the kernel.
    Gone,
}

impl Instance {
    /// The record against the kernel.
    pub fn health(&self) -> Health {
        let Some(status) = &self.status else { return Health::Gone };
        if self.record.phase == Phase::Pending {
            return Health::Pending;
        }
        let installed = &self.record.installed;
        let programs = installed.programs.iter().map(|program| program.id);
        let maps = installed.maps.iter().map(|map| map.id);
        // Another object at the pin of ours is not ours.
        let whole = status.programs.iter().copied().eq(programs)
            && status.maps.iter().copied().eq(maps)
            && status.links.iter().all(|link| *link == LinkState::Attached);
        match (whole, self.record.phase) {
            (false, _) => Health::Degraded,
            (true, Phase::Detached) => Health::Detached,
            (true, _) => Health::Running,
        }
    }
}

/// Reads records and asks the kernel.
pub fn list(paths: &Paths) -> Result<Listing, LoaderError> {
    let (records, broken) = Records::new(&paths.run).all()?;
    let orphans = orphans(paths, &records);
    let broken = broken.iter().map(ToString::to_string).collect();
    Ok(Listing { instances: with_status(records)?, orphans, broken })
}

/// Adds to each record what the kernel shows, in one call.
pub(super) fn with_status(records: Vec<Record>) -> Result<Vec<Instance>, LoaderError> {
    let (gone, there): (Vec<Record>, Vec<Record>) = records.into_iter().partition(Record::is_stale);
    let seen = if there.is_empty() {
        Vec::new()
    } else {
        let asked = there.iter().map(|record| record.installed.clone()).collect();
        match kernel::call(&Request::Status(asked))? {
            Response::Status(seen) if seen.len() == there.len() => seen,
            _ => return Err(LoaderError::OddAnswer),
        }
    };
    let mut all: Vec<Instance> = there
        .into_iter()
        .zip(seen)
        .map(|(record, status)| Instance { record, status: Some(status) })
        .chain(gone.into_iter().map(|record| Instance { record, status: None }))
        .collect();
    all.sort_by(|a, b| a.record.name.cmp(&b.record.name));
    Ok(all)
}

fn orphans(paths: &Paths, records: &[Record]) -> Vec<Orphan> {
    let entries = std::fs::read_dir(paths.pins.join("v1"));
    let mut found: Vec<Orphan> = entries
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let id = InstanceId::parse(entry.file_name().to_str()?)?;
            let known = records.iter().any(|record| record.id == id);
            (!known).then(|| Orphan { id, path: entry.path() })
        })
        .collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}
