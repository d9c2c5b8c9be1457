//! `run`: the whole load dataflow, once.

use std::path::Path;

use bpf_image::pipeline::{CheckedObject, Resolved};
use bpf_image_spec::Reference;
use bpf_image_spec::config::KernelVersion;

use super::Source;
use super::obtain::obtain;
use super::unload::take_away;
use crate::checkpoint::checkpoint;
use crate::error::LoaderError;
use crate::kernel::protocol::{Held, Installed, Request, Response};
use crate::kernel::{Worker, netns_file};
use crate::paths::Paths;
use crate::plan::{self, Plan, Wanted};
use crate::state::{
    BlobStore, ImageRecord, InstanceId, Phase, Record, Records, SignerRecord, StateError,
    StateLock, boot_id,
};

/// What to run.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Where the image is, and by which rules it is let in.
    pub source: Source,
    /// The instance's name; the last part of the repository or directory where none is given.
    pub name: Option<String>,
    /// Attach points and values.
    pub wanted: Wanted,
    /// Where the loader keeps things.
    pub paths: Paths,
}

/// The first generation of an instance.
const FIRST: u32 = 1;

/// Loads and attaches an image and keeps it when the command ends.
pub fn run(request: &RunRequest) -> Result<Record, LoaderError> {
    checkpoint("started");
    let name = request.name.clone().unwrap_or_else(|| default_name(&request.source.reference));
    let paths = &request.paths;
    // It starts while the registry answers.
    let worker = Worker::start()?;
    let checked = obtain(&request.source, &BlobStore::new(&paths.state))?;
    let id = InstanceId::of_name(&name);
    let pin_dir = plan::pin_dir(&paths.pins, id.as_str(), FIRST);
    let plan =
        plan::plan(checked.object(), &request.wanted, running_kernel(), &paths.pins, &pin_dir)?;
    checkpoint("planned");
    let _lock = StateLock::take(&paths.run)?;
    let records = Records::new(&paths.run);
    require_free(&records, &id, &name, &pin_dir)?;
    let pending = record(&checked, &plan, id, name);
    records.write(&pending)?;
    checkpoint("pending");
    match load(worker, &plan) {
        Ok(installed) => {
            checkpoint("loaded");
            let record = Record { phase: Phase::Running, installed, ..pending };
            records.write(&record)?;
            checkpoint("recorded");
            Ok(record)
        }
        // Nothing was made, perhaps for want of the privilege that taking away would need too.
        Err(LoaderError::Kernel(failure)) if failure.is_before_pins() => {
            records.remove(&pending.id)?;
            Err(failure.into())
        }
        Err(failure) => match take_away(&records, &pending) {
            Ok(()) => Err(failure),
            Err(cleaning) => Err(LoaderError::Unclean {
                failure: Box::new(failure),
                cleaning: Box::new(cleaning),
            }),
        },
    }
}

fn load(worker: Worker, plan: &Plan) -> Result<Installed, LoaderError> {
    let request = Request::Load(plan.load().clone());
    match worker.call(&request, plan.object())? {
        Response::Loaded(installed) => Ok(installed),
        _ => Err(LoaderError::OddAnswer),
    }
}

/// A name is free if it has neither a record nor, /run having vanished, pins.
fn require_free(
    records: &Records,
    id: &InstanceId,
    name: &str,
    pin_dir: &Path,
) -> Result<(), LoaderError> {
    match records.read(id)? {
        // Nothing of it outlived the reboot.
        Some(old) if old.is_stale() => records.remove(id)?,
        Some(old) => {
            let image = old.image.reference;
            return Err(StateError::NameTaken { name: name.to_owned(), image }.into());
        }
        None => {}
    }
    let instance = pin_dir.parent().unwrap_or(pin_dir);
    if instance.exists() {
        let path = instance.to_path_buf();
        return Err(StateError::PinsWithoutRecord { name: name.to_owned(), path }.into());
    }
    Ok(())
}

fn record(checked: &CheckedObject, plan: &Plan, id: InstanceId, name: String) -> Record {
    let fetched = checked.fetched();
    let verified = fetched.verified();
    let signers = verified.verdict().signers().iter().map(|signer| SignerRecord {
        name: signer.name().to_owned(),
        key: signer.key().to_string(),
    });
    Record {
        format: crate::state::RECORD_FORMAT,
        boot: boot_id().unwrap_or_default(),
        id,
        name,
        generation: FIRST,
        phase: Phase::Pending,
        image: ImageRecord {
            reference: absolute(verified.resolved()),
            digest: verified.resolved().digest(),
            manifest: fetched.manifest(),
            scope: verified.verdict().scope().to_owned(),
            signers: signers.collect(),
        },
        object: checked.object().spec().clone(),
        installed: expected(plan),
    }
}

/// What the load may leave behind, with the namespaces identified: after a kill their names may
/// come to mean others.
fn expected(plan: &Plan) -> Installed {
    let mut installed = plan.expected();
    for link in &mut installed.links {
        if let Held::TcFilter(filter) = &mut link.held {
            filter.netns = netns_file::identify(link.point.target.netns()).ok();
        }
    }
    installed
}

/// The reference as asked for; a layout's with its path absolute, so that it means the same in
/// every directory.
fn absolute(resolved: &Resolved) -> String {
    match resolved.reference() {
        Reference::Registry(reference) => reference.to_string(),
        Reference::Layout(reference) => {
            let tag = reference.tag().map(|tag| format!(":{tag}"));
            let digest = reference.digest().map(|digest| format!("@{digest}"));
            let place = resolved.requested();
            format!("{place}{}{}", tag.unwrap_or_default(), digest.unwrap_or_default())
        }
    }
}

fn default_name(reference: &Reference) -> String {
    let last = match reference {
        Reference::Registry(reference) => {
            reference.repository().rsplit('/').next().map(str::to_owned)
        }
        Reference::Layout(reference) => {
            reference.dir().file_name().map(|name| name.to_string_lossy().into_owned())
        }
    };
    last.unwrap_or_else(|| reference.to_string())
}

/// The running kernel by uname(2); an unreadable release is taken for an old one.
pub(super) fn running_kernel() -> KernelVersion {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    KernelVersion::from_release(&release).unwrap_or(KernelVersion::new(0, 0))
}
