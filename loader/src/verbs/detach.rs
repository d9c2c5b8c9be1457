//! `detach`: remove links, keep programs and maps loaded.

use bpf_image_spec::AttachPoint;

use crate::error::LoaderError;
use crate::kernel;
use crate::kernel::protocol::{Installed, Request};
use crate::paths::Paths;
use crate::state::{Phase, Record, Records, StateError, StateLock};

/// Removes the links at `points`, or all of them where none is named.
pub fn detach(name: &str, points: &[AttachPoint], paths: &Paths) -> Result<Record, LoaderError> {
    let _lock = StateLock::take(&paths.run)?;
    let records = Records::new(&paths.run);
    let record =
        records.find(name)?.ok_or_else(|| StateError::NoInstance { name: name.to_owned() })?;
    let unfit = match record.phase {
        _ if record.is_stale() => Some("gone"),
        Phase::Pending => Some("pending"),
        Phase::Running | Phase::Detached => None,
    };
    if let Some(state) = unfit {
        return Err(StateError::NotDetachable { name: record.name, state }.into());
    }
    for point in points {
        if !record.installed.links.iter().any(|link| link.point == *point) {
            let known: Vec<_> =
                record.installed.links.iter().map(|link| format!("`{}`", link.point)).collect();
            return Err(LoaderError::NoPoint {
                instance: record.name,
                point: point.to_string(),
                known: if known.is_empty() { "no point".to_owned() } else { known.join(", ") },
            });
        }
    }
    let (gone, kept): (Vec<_>, Vec<_>) = record
        .installed
        .links
        .iter()
        .cloned()
        .partition(|link| points.is_empty() || points.contains(&link.point));
    kernel::call(&Request::Detach(Installed { links: gone, ..record.installed.clone() }))?;
    let phase = if kept.is_empty() { Phase::Detached } else { record.phase };
    let installed = Installed { links: kept, ..record.installed.clone() };
    let record = Record { phase, installed, ..record };
    records.write(&record)?;
    Ok(record)
}
