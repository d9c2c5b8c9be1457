//! Whether the minimum kernel that `bpf-image inspect` states is the right one: objects that each
//! ask one thing, on kernels below and above it.
//!
//! A kernel at or above the minimum, with every name in its BTF that is stated to be looked up, has
//! to load the object, and any other has to refuse it. Where one does otherwise, `tests/vm/disagreements.tsv` says so and why, and nothing else is accepted.

mod listed;
mod matrix;

pub use matrix::{Cell, Column, Matrix, Row};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::requirements::objects;
use super::{Kernel, Line, Machine, Series, Verdict, VmError, load_object};
use crate::bins;
use crate::run::succeed;
use crate::setup;

/// What became of each object, by its file name, and of each `KIND:NAME`, on one kernel.
type Verdicts = BTreeMap<String, Verdict>;

/// Runs every object on a kernel of each series, and on this machine's kernel if `host` says so.
pub fn run(series: &[Series], host: bool) -> Result<Matrix, VmError> {
    let loader = load_object()?;
    let objects = objects()?;
    let mut rows = Vec::new();
    for object in &objects {
        rows.push(required(object)?);
    }
    let mut columns = Vec::new();
    let mut kernels = Vec::new();
    for series in series {
        kernels.push(Kernel::get(*series)?);
    }
    let names: BTreeSet<&str> =
        rows.iter().flat_map(|row| row.lookups.iter().map(String::as_str)).collect();
    let names: Vec<&str> = names.into_iter().collect();
    for (kernel, verdicts) in in_machines(&kernels, &loader, &objects, &names)? {
        let (series, release) = (kernel.series, kernel.release.clone());
        columns.push((Column { label: series.to_string(), series, release }, verdicts));
    }
    if host && setup::is_root() {
        let series = Series::running().ok_or_else(|| VmError::Input {
            what: "this machine's kernel has no version that can be read".to_owned(),
        })?;
        let column =
            Column { label: "host".to_owned(), series, release: "running here".to_owned() };
        columns.push((column, verdicts(&on_this_machine(&loader, &objects, &names)?)));
    }
    Matrix::new(rows, columns, &listed::read()?)
}

/// The files that a machine gets to try them by hand.
pub fn payload() -> Result<Vec<PathBuf>, VmError> {
    let mut files = objects()?;
    files.push(load_object()?);
    Ok(files)
}

/// As many machines at once as there are cores: most of a machine's work is one thread.
fn in_machines<'a>(
    kernels: &'a [Kernel],
    loader: &Path,
    objects: &[PathBuf],
    names: &[&str],
) -> Result<Vec<(&'a Kernel, Verdicts)>, VmError> {
    let todo: Mutex<VecDeque<&Kernel>> = Mutex::new(kernels.iter().collect());
    let done = Mutex::new(Vec::new());
    let payload: Vec<PathBuf> =
        objects.iter().cloned().chain(std::iter::once(loader.to_owned())).collect();
    let script = format!("./load-object *.o\n./load-object --btf {}\n", names.join(" "));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(kernels.len()) {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(kernel) = next else { return };
                    let machine = Machine::new(kernel, payload.clone(), &script);
                    let lines = machine.run();
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((kernel, lines));
                }
            });
        }
    });
    let mut results = Vec::new();
    for (kernel, lines) in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
        results.push((kernel, verdicts(&lines?)));
    }
    results.sort_by_key(|(kernel, _)| kernel.series);
    Ok(results)
}

fn on_this_machine(
    loader: &Path,
    objects: &[PathBuf],
    names: &[&str],
) -> Result<Vec<String>, VmError> {
    let make = |source| VmError::Make { what: "loading on this machine".to_owned(), source };
    // Away from the machine's own interfaces, since some are attached for a moment.
    let mut load = Command::new("unshare");
    let loaded = succeed(load.arg("--net").arg(loader).args(objects)).map_err(make)?.stdout;
    let found = succeed(Command::new(loader).arg("--btf").args(names)).map_err(make)?.stdout;
    Ok(loaded.lines().chain(found.lines()).map(str::to_owned).collect())
}

fn verdicts(lines: &[String]) -> Verdicts {
    let lines = lines.iter().filter_map(|line| Line::parse(line));
    lines.map(|line| (line.case, line.verdict)).collect()
}

/// What `bpf-image inspect` says an object requires.
fn required(object: &Path) -> Result<Row, VmError> {
    let input = |what: String| VmError::Input { what };
    let program = bins::bpf_image().map_err(|error| input(error.to_string()))?;
    let make = |source| VmError::Make { what: "a look at an object".to_owned(), source };
    let mut inspect = Command::new(program);
    inspect.args(["inspect", "-o", "json"]).arg(object);
    let output = succeed(&mut inspect).map_err(make)?;
    let file = object.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let unread = || input(format!("`bpf-image inspect` states no kernel for {file}"));
    let answer: serde_json::Value = serde_json::from_str(&output.stdout).map_err(|_| unread())?;
    let requires = answer.get("requires").ok_or_else(unread)?;
    let minimum = requires.get("kernel").and_then(serde_json::Value::as_str).ok_or_else(unread)?;
    let reason = requires.pointer("/reasons/0/feature").and_then(serde_json::Value::as_str);
    let lookups = requires.get("lookups").and_then(serde_json::Value::as_array);
    let lookups = lookups.into_iter().flatten().filter_map(|lookup| {
        // A program may go without these.
        let optional = lookup.get("optional").is_some_and(|optional| optional == true);
        let text = |key: &str| lookup.get(key)?.as_str();
        (!optional).then(|| Some(format!("{}:{}", text("kind")?, text("name")?)))?
    });
    Ok(Row {
        lookups: lookups.collect(),
        case: file.trim_end_matches(".o").trim_end_matches(".attach").to_owned(),
        minimum: minimum.parse()?,
        reason: reason.unwrap_or("nothing younger than the tables").to_owned(),
        cells: Vec::new(),
        file,
    })
}
