//! `bpf-loader list`.

use anstream::println;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::json;

use super::args::Output;
use super::render::{self, GREEN, RED, YELLOW, plain};
use crate::verbs::list::{Health, Instance, Listing};

pub(super) fn listing(listing: &Listing, output: Output) {
    match output {
        Output::Table => print(listing),
        Output::Json => render::json(&json!({
            "instances": listing.instances.iter().map(value).collect::<Vec<_>>(),
            "orphans": listing.orphans.iter().map(|orphan| json!({
                "id": orphan.id, "path": orphan.path,
            })).collect::<Vec<_>>(),
        })),
    }
}

/// An instance with what the kernel shows of it.
pub(super) fn value(instance: &Instance) -> serde_json::Value {
    let mut value = render::record(&instance.record);
    value["health"] = word(instance.health()).into();
    value["status"] = json!(instance.status);
    value
}

fn print(listing: &Listing) {
    if listing.instances.is_empty() && listing.orphans.is_empty() {
        println!("nothing is loaded");
        return;
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["NAME", "HEALTH", "IMAGE", "DIGEST", "SIGNED BY", "ATTACHED AT"]);
    for instance in &listing.instances {
        let record = &instance.record;
        let signers: Vec<_> = record.image.signers.iter().map(|s| plain(&s.name)).collect();
        let points: Vec<_> =
            record.installed.links.iter().map(|link| plain(&link.point.to_string())).collect();
        let hex = record.image.digest.hex();
        table.add_row([
            plain(&record.name),
            word(instance.health()).to_owned(),
            plain(&record.image.reference),
            hex.get(..12).unwrap_or_default().to_owned(),
            signers.join(", "),
            if points.is_empty() { "-".to_owned() } else { points.join(" ") },
        ]);
    }
    for orphan in &listing.orphans {
        table.add_row([
            orphan.id.to_string(),
            "no record".to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            orphan.path.display().to_string(),
        ]);
    }
    for line in table.lines() {
        println!("{}", coloured(line.trim_end()));
    }
}

/// Colours the one column that says whether all is well; the table counts widths without it.
fn coloured(line: &str) -> String {
    for health in [Health::Running, Health::Degraded, Health::Pending, Health::Gone] {
        let word = word(health);
        let style = match health {
            Health::Running => GREEN,
            Health::Pending => YELLOW,
            _ => RED,
        };
        if let Some((before, after)) = line.split_once(&format!(" {word} ")) {
            return format!("{before} {style}{word}{style:#} {after}");
        }
    }
    line.to_owned()
}

pub(super) const fn word(health: Health) -> &'static str {
    match health {
        Health::Running => "running",
        Health::Detached => "detached",
        Health::Pending => "pending",
        Health::Degraded => "degraded",
        Health::Gone => "gone",
    }
}
