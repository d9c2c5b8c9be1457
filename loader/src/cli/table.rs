//! `bpf-loader list`.

use bpf_image::text;
use serde_json::json;

use super::args::Output;
use super::render::{self, GREEN, RED, YELLOW};
use crate::verbs::list::{Health, Instance, Listing};

pub(super) fn listing(listing: &Listing, output: Output) {
    match output {
        Output::Table => print(listing),
        Output::Json => render::json(&json!({
            "instances": listing.instances.iter().map(value).collect::<Vec<_>>(),
            "orphans": listing.orphans.iter().map(|orphan| json!({
                "id": orphan.id, "path": orphan.path,
            })).collect::<Vec<_>>(),
            "broken": listing.broken,
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
    for broken in &listing.broken {
        out!("{RED}broken{RED:#} {}", text::printable(broken));
    }
    if listing.instances.is_empty() && listing.orphans.is_empty() && listing.broken.is_empty() {
        out!("nothing is loaded");
        return;
    }
    let mut rows: Vec<[String; 6]> = listing.instances.iter().map(row).collect();
    rows.extend(listing.orphans.iter().map(|orphan| {
        let none = || "-".to_owned();
        let path = orphan.path.display().to_string();
        [orphan.id.to_string(), "no record".to_owned(), none(), none(), none(), path]
    }));
    let head = ["NAME", "HEALTH", "IMAGE", "DIGEST", "SIGNED BY", "ATTACHED AT"];
    for line in text::table(head, &rows).lines() {
        out!("{}", coloured(line));
    }
}

fn row(instance: &Instance) -> [String; 6] {
    let record = &instance.record;
    let signers: Vec<_> = record.image.signers.iter().map(|s| s.name.as_str()).collect();
    let points: Vec<_> = record.installed.links.iter().map(|l| l.point.to_string()).collect();
    let hex = record.image.digest.hex();
    [
        record.name.clone(),
        word(instance.health()).to_owned(),
        record.image.reference.clone(),
        hex.get(..12).unwrap_or_default().to_owned(),
        signers.join(", "),
        if points.is_empty() { "-".to_owned() } else { points.join(" ") },
    ]
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
