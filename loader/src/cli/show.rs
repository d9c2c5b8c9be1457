//! `bpf-loader show`.

use bpf_image::text::printable as plain;
use serde_json::{Value, json};

use super::args::{Global, Output, ShowArgs};
use super::render::{self, DIM};
use super::table;
use crate::error::LoaderError;
use crate::kernel::protocol::DumpEntry;
use crate::verbs::show::{self, Shown, ShownMap};

mod values;

pub(super) fn run(arguments: &ShowArgs, global: &Global) -> Result<(), LoaderError> {
    let paths = global.paths();
    if let Some(map) = &arguments.map_path {
        out!("{}", show::map_path(&arguments.name, map, &paths)?.display());
        return Ok(());
    }
    let shown = show::show(&arguments.name, arguments.limit, &paths)?;
    match arguments.output {
        Output::Table => print(&shown),
        Output::Json => {
            let mut value = table::value(&shown.instance);
            value["maps"] = shown.maps.iter().map(map_value).collect();
            render::json(&value);
        }
    }
    Ok(())
}

fn print(shown: &Shown) {
    let record = &shown.instance.record;
    out!("{} {DIM}{}{DIM:#}", plain(&record.name), record.id);
    out!("  health    {}", table::word(shown.instance.health()));
    out!("  image     {}", plain(&record.image.reference));
    out!("  digest    {}", record.image.digest);
    out!("  object    {}", record.object.digest);
    for signer in &record.image.signers {
        out!("  signed    {} {DIM}{}{DIM:#}", plain(&signer.name), plain(&signer.key));
    }
    out!("  scope     {}", plain(&record.image.scope));
    for program in &record.installed.programs {
        let id = program.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
        out!("  program   {} ({}), id {id}", plain(&program.name), program.program_type);
    }
    for link in &record.installed.links {
        out!(
            "  attach    {} {DIM}{}{DIM:#}",
            plain(&link.point.to_string()),
            render::held(&link.held)
        );
    }
    for map in &shown.maps {
        print_map(map);
    }
}

fn print_map(map: &ShownMap) {
    let shape = map.spec.as_ref().map_or_else(String::new, |spec| {
        format!("{}, key {} bytes, value {} bytes, ", spec.map_type, spec.key_size, spec.value_size)
    });
    let id = map.map.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    out!("  map       {} ({shape}id {id})", plain(&map.map.name));
    out!("            {DIM}{}{DIM:#}", map.map.pin.display());
    if let Some(error) = &map.error {
        out!("            {}", plain(error));
    }
    let Some(dump) = &map.dump else { return };
    for entry in &dump.entries {
        out!("            {}", line(map, entry));
    }
    if dump.more {
        out!("            {DIM}more entries; `--limit` shows them{DIM:#}");
    }
}

fn line(map: &ShownMap, entry: &DumpEntry) -> String {
    let (key, value) = types(map);
    let key = values::text(&entry.key, key);
    match entry.values.as_slice() {
        [one] => format!("{key}: {}", values::text(&one.0, value)),
        many => {
            let each: Vec<_> = many.iter().map(|one| values::text(&one.0, value)).collect();
            match values::sum(many.iter().map(|one| one.0.as_slice()), value) {
                Some(sum) => format!("{key}: {sum} {DIM}(per CPU: {}){DIM:#}", each.join(" + ")),
                None => format!("{key}: per CPU: {}", each.join(", ")),
            }
        }
    }
}

fn map_value(map: &ShownMap) -> Value {
    let (key_type, value_type) = types(map);
    json!({
        "name": map.map.name,
        "id": map.map.id,
        "pin": map.map.pin,
        "spec": map.spec,
        "error": map.error,
        "more": map.dump.as_ref().is_some_and(|dump| dump.more),
        "entries": map.dump.as_ref().map(|dump| dump.entries.iter().map(|entry| json!({
            "key": values::value(&entry.key, key_type),
            "values": entry.values.iter().map(|one| values::value(&one.0, value_type)).collect::<Vec<_>>(),
        })).collect::<Vec<_>>()),
    })
}

fn types(map: &ShownMap) -> (Option<&str>, Option<&str>) {
    let spec = map.spec.as_ref();
    (
        spec.and_then(|spec| spec.key_type.as_deref()),
        spec.and_then(|spec| spec.value_type.as_deref()),
    )
}
