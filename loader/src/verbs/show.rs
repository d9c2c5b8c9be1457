//! `show`: one instance with the contents of its maps.

use std::path::PathBuf;

use bpf_image_spec::config::MapSpec;

use super::list::{Instance, with_status};
use crate::error::LoaderError;
use crate::kernel;
use crate::kernel::protocol::{Dump, DumpPlan, InstalledMap, Request, Response};
use crate::paths::Paths;
use crate::state::{Record, Records, StateError};

/// One instance in full.
#[derive(Debug)]
pub struct Shown {
    /// The record and the kernel's view of it.
    pub instance: Instance,
    /// Its maps.
    pub maps: Vec<ShownMap>,
}

/// A map with what is in it.
#[derive(Debug)]
pub struct ShownMap {
    /// Where it is pinned.
    pub map: InstalledMap,
    /// Its shape, from the object.
    pub spec: Option<MapSpec>,
    /// Its contents; absent where the map is not there or its type has none to read.
    pub dump: Option<Dump>,
    /// Why there are no contents.
    pub error: Option<String>,
}

/// Shows an instance, at most `limit` entries of each map.
pub fn show(name: &str, limit: usize, paths: &Paths) -> Result<Shown, LoaderError> {
    let record = find(name, paths)?;
    let mut maps = Vec::new();
    if !record.is_stale() {
        for map in &record.installed.maps {
            let spec = record.object.maps.iter().find(|spec| spec.name == map.name).cloned();
            let plan = DumpPlan { pin: map.pin.clone(), limit };
            let (dump, error) = match kernel::call(&Request::Dump(plan)) {
                Ok(Response::Dump(dump)) => (Some(dump), None),
                Ok(_) => return Err(LoaderError::OddAnswer),
                // One map that cannot be read does not hide the others.
                Err(error) => (None, Some(error.to_string())),
            };
            maps.push(ShownMap { map: map.clone(), spec, dump, error });
        }
    }
    let instance = with_status(vec![record])?.pop().ok_or(LoaderError::OddAnswer)?;
    Ok(Shown { instance, maps })
}

/// The pin of one map: what an application is told to open.
pub fn map_path(name: &str, map: &str, paths: &Paths) -> Result<PathBuf, LoaderError> {
    let record = find(name, paths)?;
    let found = record.installed.maps.iter().find(|installed| installed.name == map);
    found.map(|installed| installed.pin.clone()).ok_or_else(|| {
        let known: Vec<_> =
            record.installed.maps.iter().map(|map| format!("`{}`", map.name)).collect();
        LoaderError::NoMap {
            instance: record.name.clone(),
            map: map.to_owned(),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        }
    })
}

fn find(name: &str, paths: &Paths) -> Result<Record, LoaderError> {
    let record = Records::new(&paths.run).find(name)?;
    Ok(record.ok_or_else(|| StateError::NoInstance { name: name.to_owned() })?)
}
