//! Contents of a pinned map, raw.

use aya::maps::MapInfo;
use bpf_image_spec::config::MapType;

use super::sys::{self, MapFd};
use super::{chain, not_permitted};
use crate::kernel::error::KernelError;
use crate::kernel::protocol::{Dump, DumpEntry, DumpPlan, Hex};

/// Largest key or value that is read, in bytes; the kernel's own limit is near 4 MiB.
const SIZE_MAX: u32 = 4 * 1024 * 1024;

/// Keys and values that one answer holds, in bytes; the entry that passes it is the last.
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// Reads up to the limit of entries.
pub(super) fn dump(plan: &DumpPlan) -> Result<Dump, KernelError> {
    let failed = |cause: String| KernelError::Map { path: plan.pin.clone(), cause };
    let info = MapInfo::from_pin(&plan.pin).map_err(|error| match super::errno(&error) {
        Some(libc::EPERM | libc::EACCES) => not_permitted("opening a map", chain(&error)),
        _ => failed(chain(&error)),
    })?;
    let map_type = MapType::from_number(info.map_type().map_or(0, |kind| kind as u32));
    if info.key_size() > SIZE_MAX || info.value_size() > SIZE_MAX {
        return Err(failed("keys or values are too large to show".to_owned()));
    }
    let (key_size, value_size) = (info.key_size() as usize, info.value_size() as usize);
    if key_size == 0 || value_size == 0 {
        return Ok(Dump { map_type, entries: Vec::new(), more: false });
    }
    let map = info.fd().map_err(|error| failed(chain(&error)))?;
    let map = MapFd::new(&map);
    // Each CPU's value is padded to eight bytes (kernel/bpf/syscall.c, bpf_map_value_size).
    let (stride, cpus) = match map_type {
        Some(kind) if kind.is_per_cpu() => {
            let cpus = aya::util::nr_cpus().map_err(|(_, error)| failed(error.to_string()))?;
            (value_size.next_multiple_of(8), cpus)
        }
        _ => (value_size, 1),
    };
    let mut entries = Vec::new();
    let mut bytes = 0;
    let mut key: Option<Vec<u8>> = None;
    loop {
        let next = sys::next_key(&map, key.as_deref(), key_size)
            .map_err(|error| failed(error.to_string()))?;
        let Some(next) = next else { return Ok(Dump { map_type, entries, more: false }) };
        if entries.len() == plan.limit || bytes > BYTES_MAX {
            return Ok(Dump { map_type, entries, more: true });
        }
        // An entry can go between the two calls, and some map types have unset slots.
        if let Some(buffer) =
            sys::lookup(&map, &next, stride * cpus).map_err(|error| failed(error.to_string()))?
        {
            let values: Vec<_> = buffer
                .chunks(stride)
                .map(|value| Hex(value.get(..value_size).unwrap_or(value).to_vec()))
                .collect();
            bytes += key_size + value_size * values.len();
            entries.push(DumpEntry { key: next.clone(), values });
        }
        key = Some(next);
    }
}
