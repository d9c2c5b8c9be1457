//! What an image says of its object, before the object was looked at.

use bpf_image_spec::config::{Config, ProgramSpec};
use bpf_image_spec::label;

use super::container::ContainerConfig;
use super::label::{LabelError, Names, parse};
use super::{Form, ImageError, ImageManifest};

/// What manifest and config say of the object: claims, until [`super::check_declared`] compared
/// them with the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    form: Form,
    config: Option<Config>,
    programs: Option<Names>,
    maps: Option<Names>,
    sections: Option<Names>,
    legacy: Option<LegacyLabels>,
}

/// bpfman's first labels, which name one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyLabels {
    /// The function's name.
    pub program: String,
    /// Its type, in either vocabulary.
    pub program_type: Option<String>,
    /// The object's file name in the layer.
    pub filename: Option<String>,
}

impl Declared {
    /// The form, told by manifest and labels together.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Our config, which says everything.
    pub fn config(&self) -> Option<&Config> {
        self.config.as_ref()
    }

    /// Program name → type, from `io.ebpf.programs`.
    pub fn programs(&self) -> Option<&Names> {
        self.programs.as_ref()
    }

    /// Map name → type, from `io.ebpf.maps`.
    pub fn maps(&self) -> Option<&Names> {
        self.maps.as_ref()
    }

    /// Program name → ELF section, from `dev.bpfimage.sections`.
    pub fn sections(&self) -> Option<&Names> {
        self.sections.as_ref()
    }

    /// bpfman's first labels.
    pub fn legacy(&self) -> Option<&LegacyLabels> {
        self.legacy.as_ref()
    }
}

/// Reads what `image` says of its object; `config` is its config blob, or empty where
/// [`ImageManifest::has_config`] says that none is needed.
pub fn declared(image: &ImageManifest, config: &[u8]) -> Result<Declared, ImageError> {
    if config.len() as u64 > image.config_max() {
        return Err(ImageError::ConfigTooLarge { size: config.len(), max: image.config_max() });
    }
    let mut form = image.form();
    let (config, labels) = match form {
        Form::Artifact => (Some(Config::from_json(config).map_err(ImageError::Config)?), None),
        Form::Image | Form::Bpfman => {
            let container =
                ContainerConfig::from_json(config).map_err(ImageError::ContainerConfig)?;
            let labels = container.into_labels();
            let config = config_label(&labels)?;
            form = if config.is_some() { Form::Image } else { Form::Bpfman };
            (config, Some(labels))
        }
        Form::Gadget | Form::Bumblebee | Form::BareElf => (None, None),
    };
    // Docker and bpfman read labels of the config, artifacts have only annotations. Where an
    // image has both, a reader of one must learn what a reader of the other does.
    let sources = [labels.as_ref(), Some(image.annotations())];
    let declared = Declared {
        form,
        programs: names(label::PROGRAMS, sources)?,
        maps: names(label::MAPS, sources)?,
        sections: names(label::SECTIONS, sources)?,
        legacy: labels.as_ref().and_then(legacy),
        config,
    };
    declared.agree()?;
    Ok(declared)
}

fn config_label(labels: &Names) -> Result<Option<Config>, ImageError> {
    let Some(value) = labels.get(label::CONFIG) else {
        return Ok(None);
    };
    let bad = |source| ImageError::Label { key: label::CONFIG, source };
    if value.len() > label::CONFIG_MAX {
        return Err(bad(LabelError::TooLong { size: value.len(), max: label::CONFIG_MAX }));
    }
    Config::from_json(value.as_bytes()).map(Some).map_err(|source| bad(LabelError::Config(source)))
}

fn names(key: &'static str, sources: [Option<&Names>; 2]) -> Result<Option<Names>, ImageError> {
    let mut found: Option<Names> = None;
    for value in sources.into_iter().flatten().filter_map(|labels| labels.get(key)) {
        let names = parse(value).map_err(|source| ImageError::Label { key, source })?;
        match &found {
            Some(first) if *first != names => return Err(contradiction(key, first, &names)),
            _ => found = Some(names),
        }
    }
    Ok(found)
}

fn contradiction(key: &'static str, first: &Names, second: &Names) -> ImageError {
    let differs = first.iter().find(|(name, value)| second.get(*name) != Some(value));
    let name = differs
        .map(|(name, _)| name)
        .or_else(|| second.keys().find(|name| !first.contains_key(*name)));
    let side = |names: &Names| match name.and_then(|name| names.get(name).map(|v| (name, v))) {
        Some((name, value)) => format!("`{name}` is `{value}`"),
        None => format!("nothing of `{}`", name.map_or("", String::as_str)),
    };
    ImageError::Contradiction { key, first: side(first), second: side(second) }
}

fn legacy(labels: &Names) -> Option<LegacyLabels> {
    let text = |key: &str| labels.get(key).cloned();
    // The function's name came later; images before it have the program's alone.
    let program = text(label::LEGACY_FUNCTION_NAME).or_else(|| text(label::LEGACY_PROGRAM_NAME))?;
    Some(LegacyLabels {
        program,
        program_type: text(label::LEGACY_PROGRAM_TYPE),
        filename: text(label::LEGACY_FILENAME),
    })
}

impl Declared {
    /// Labels that stand beside our config must say the same, name for name.
    fn agree(&self) -> Result<(), ImageError> {
        let Some(config) = &self.config else {
            return Ok(());
        };
        let object = &config.object;
        let programs: Vec<_> = object.programs.iter().map(|p| (p.name.as_str(), p)).collect();
        let of_type = |p: &ProgramSpec, value: &str| p.program_type.matches_label(value);
        agree(label::PROGRAMS, self.programs.as_ref(), &programs, of_type, |p| {
            p.program_type.to_string()
        })?;
        let in_section = |p: &ProgramSpec, value: &str| p.section == value;
        agree(label::SECTIONS, self.sections.as_ref(), &programs, in_section, |p| {
            p.section.clone()
        })?;
        let maps: Vec<_> = object.maps.iter().map(|m| (m.name.as_str(), m.map_type)).collect();
        let is =
            |map_type: bpf_image_spec::config::MapType, value: &str| map_type.matches_label(value);
        agree(label::MAPS, self.maps.as_ref(), &maps, is, |m| m.to_string())
    }
}

/// Compares one label with the config, both ways.
fn agree<T: Copy>(
    key: &'static str,
    label: Option<&Names>,
    config: &[(&str, T)],
    same: impl Fn(T, &str) -> bool,
    text: impl Fn(T) -> String,
) -> Result<(), ImageError> {
    let Some(label) = label else {
        return Ok(());
    };
    for (name, value) in label {
        let said = config.iter().find(|(known, _)| known == name).map(|(_, item)| *item);
        if !said.is_some_and(|item| same(item, value)) {
            return Err(ImageError::Contradiction {
                key,
                first: format!("`{name}` is `{value}`"),
                second: said
                    .map_or_else(|| "nothing of it".to_owned(), |i| format!("`{}`", text(i))),
            });
        }
    }
    match config.iter().find(|(name, _)| !label.contains_key(*name)) {
        None => Ok(()),
        Some((name, item)) => Err(ImageError::Contradiction {
            key,
            first: format!("nothing of `{name}`"),
            second: format!("`{}`", text(*item)),
        }),
    }
}

#[cfg(test)]
mod tests {
    use bpf_image_spec::Digest;
    use bpf_image_spec::media_type;
    use bpf_image_spec::oci::{Annotations, Descriptor, Manifest};
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::classify;
    use super::*;

    fn image(ours: bool, annotations: &[(&str, &str)]) -> ImageManifest {
        let (artifact, config, layer) = if ours {
            (Some(media_type::ARTIFACT), media_type::CONFIG, media_type::OBJECT)
        } else {
            (None, media_type::OCI_IMAGE_CONFIG, media_type::OCI_LAYER_GZIP)
        };
        classify(&Manifest {
            schema_version: 2,
            media_type: None,
            artifact_type: artifact.map(str::to_owned),
            config: Descriptor::of(config, b""),
            layers: vec![Descriptor::of(layer, b"")],
            subject: None,
            annotations: annotations
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect::<Annotations>(),
        })
        .unwrap()
    }

    fn config(program: &str) -> String {
        json!({
            "schemaVersion": 1,
            "object": {
                "digest": Digest::of(b"").to_string(), "size": 0, "endianness": "little",
                "programs": [
                    {"name": program, "section": "xdp", "type": "xdp", "instructions": 2}
                ],
                "maps": []
            }
        })
        .to_string()
    }

    fn container(labels: &serde_json::Value) -> Vec<u8> {
        json!({"architecture": "amd64", "os": "linux", "config": {"Labels": labels}})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn bpfman_labels_of_both_generations_are_read() {
        let blob = container(&json!({
            "io.ebpf.programs": r#"{"a":"xdp"}"#,
            "io.ebpf.maps": "{}",
            "io.ebpf.program_name": "a",
            "io.ebpf.program_type": "xdp",
            "other": "ignored",
        }));
        let declared = declared(&image(false, &[]), &blob).unwrap();
        assert_eq!(declared.form(), Form::Bpfman);
        assert_eq!(declared.programs().and_then(|p| p.get("a")).map(String::as_str), Some("xdp"));
        assert_eq!(declared.legacy().map(|legacy| legacy.program.as_str()), Some("a"));
    }

    #[test]
    fn image_without_labels_declares_nothing() {
        for blob in ["{}", r#"{"config":null}"#, r#"{"config":{"Labels":null}}"#] {
            let declared = declared(&image(false, &[]), blob.as_bytes()).unwrap();
            assert!(declared.programs().is_none() && declared.config().is_none());
        }
    }

    #[test]
    fn config_label_makes_it_ours() {
        let blob = container(&json!({ "dev.bpfimage.config": config("a") }));
        let declared = declared(&image(false, &[]), &blob).unwrap();
        assert_eq!(declared.form(), Form::Image);
        assert!(declared.config().is_some());
    }

    #[test]
    fn annotation_that_contradicts_the_config_is_refused() {
        for programs in [r#"{"a":"tc"}"#, r#"{"b":"xdp"}"#, "{}", r#"{"a":"xdp","b":"xdp"}"#] {
            let image = image(true, &[("io.ebpf.programs", programs)]);
            let read = declared(&image, config("a").as_bytes());
            assert!(matches!(read, Err(ImageError::Contradiction { .. })), "{programs}");
        }
        let image = image(true, &[("io.ebpf.programs", r#"{"a":"xdp"}"#)]);
        assert!(declared(&image, config("a").as_bytes()).is_ok());
    }

    #[test]
    fn annotation_that_contradicts_the_label_is_refused() {
        let blob = container(&json!({ "io.ebpf.programs": r#"{"a":"xdp"}"# }));
        let image = image(false, &[("io.ebpf.programs", r#"{"a":"tc"}"#)]);
        let error = declared(&image, &blob).unwrap_err().to_string();
        assert_eq!(
            error,
            "the image contradicts itself: `io.ebpf.programs` says `a` is `xdp`, its config says `a` is `tc`"
        );
    }

    #[test]
    fn label_given_twice_is_refused() {
        let blob = br#"{"config":{"Labels":{"io.ebpf.programs":"{}","io.ebpf.programs":"{\"a\":\"xdp\"}"}}}"#;
        let read = declared(&image(false, &[]), blob);
        assert!(matches!(read, Err(ImageError::ContainerConfig(_))));
    }

    #[test]
    fn oversized_configs_are_refused_unread() {
        let ours = image(true, &[]);
        let blob = vec![b' '; usize::try_from(ours.config_max()).unwrap() + 1];
        assert!(matches!(declared(&ours, &blob), Err(ImageError::ConfigTooLarge { .. })));
        let label = "x".repeat(label::CONFIG_MAX + 1);
        let blob = container(&json!({ "dev.bpfimage.config": label }));
        let read = declared(&image(false, &[]), &blob);
        assert!(matches!(read, Err(ImageError::Label { source: LabelError::TooLong { .. }, .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_configs_never_panic(blob: Vec<u8>, label: String) {
            let _ = declared(&image(true, &[("io.ebpf.maps", &label)]), &blob);
            let _ = declared(&image(false, &[("io.ebpf.programs", &label)]), &blob);
            let _ = declared(&image(false, &[]), &container(&json!({ "io.ebpf.maps": label })));
        }
    }
}
