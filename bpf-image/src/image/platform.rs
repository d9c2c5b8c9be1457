//! Which manifest of an index is for a platform (SPEC.md, "Platforms").

use bpf_image_spec::oci::{Descriptor, ImageIndex, OciPlatform};
use bpf_image_spec::{Platform, media_type};

use super::ImageError;

/// The first entry for `platform`, as image-spec has it ("the first matching entry SHOULD be
/// used"), or the only entry of an index that names no platform.
pub fn select_platform<'a>(
    index: &'a ImageIndex,
    platform: &Platform,
) -> Result<&'a Descriptor, ImageError> {
    let found = match index.manifests.as_slice() {
        [only] if only.platform.is_none() => Some(only),
        all => all.iter().find(|d| d.platform.as_ref().is_some_and(|p| is_for(p, platform))),
    };
    let found = found.ok_or_else(|| ImageError::NoPlatform {
        wanted: platform.clone(),
        available: available(index),
    })?;
    match found.media_type.as_str() {
        media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST => Ok(found),
        // An index in an index could nest without end, and no tool here writes one.
        other => {
            Err(ImageError::NotAManifest { wanted: platform.clone(), media_type: other.to_owned() })
        }
    }
}

fn is_for(entry: &OciPlatform, platform: &Platform) -> bool {
    entry.os == "linux" && entry.architecture == platform.architecture()
}

/// At most eight names: an index may list as many as fit into 4 MiB.
fn available(index: &ImageIndex) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<_> = index
        .manifests
        .iter()
        .filter_map(|entry| entry.platform.as_ref())
        .map(|p| format!("{}/{}", brief(&p.os), brief(&p.architecture)))
        .collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    match (names.is_empty(), more) {
        (true, _) => "no entry that names a platform".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

/// Names are foreign text on their way to a terminal.
fn brief(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bpf_image_spec::oci::Annotations;

    fn entry(os: &str, architecture: &str) -> Descriptor {
        let platform =
            OciPlatform { architecture: architecture.to_owned(), os: os.to_owned(), variant: None };
        let name = format!("{os}/{architecture}");
        Descriptor {
            platform: Some(platform),
            ..Descriptor::of(media_type::OCI_MANIFEST, name.as_bytes())
        }
    }

    fn index(manifests: Vec<Descriptor>) -> ImageIndex {
        ImageIndex {
            schema_version: 2,
            media_type: None,
            artifact_type: None,
            manifests,
            annotations: Annotations::new(),
        }
    }

    fn arm64() -> Platform {
        "linux/arm64".parse().unwrap()
    }

    #[test]
    fn entry_for_the_platform_is_taken() {
        let index = index(vec![
            entry("linux", "amd64"),
            entry("windows", "arm64"),
            entry("linux", "arm64"),
        ]);
        let found = select_platform(&index, &arm64());
        assert_eq!(found.ok().map(|d| d.digest), Some(index.manifests[2].digest));
    }

    #[test]
    fn missing_platform_names_what_there_is() {
        let index = index(vec![entry("linux", "amd64"), entry("unknown", "unknown\u{1b}[2J")]);
        let error = select_platform(&index, &arm64()).unwrap_err().to_string();
        assert_eq!(
            error,
            "the image has nothing for linux/arm64; it has linux/amd64, unknown/unknown[2J"
        );
    }

    #[test]
    fn only_entry_needs_no_platform_but_must_be_a_manifest() {
        let only = Descriptor::of(media_type::OCI_MANIFEST, b"");
        assert!(select_platform(&index(vec![only.clone()]), &arm64()).is_ok());
        assert!(select_platform(&index(vec![only.clone(), only]), &arm64()).is_err());
        let nested = Descriptor::of(media_type::OCI_INDEX, b"");
        let nested = index(vec![nested]);
        assert!(matches!(select_platform(&nested, &arm64()), Err(ImageError::NotAManifest { .. })));
        assert!(select_platform(&index(vec![]), &arm64()).is_err());
    }
}
