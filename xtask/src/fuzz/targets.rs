//! The fuzz targets, those that read the most foreign bytes first.

/// One target: a program of `fuzz/fuzz_targets/`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) name: &'static str,
    /// The file in `fuzz/dict/`, without its extension.
    pub(super) dictionary: &'static str,
    /// Longest input in bytes: some times the longest seed, since short inputs run faster.
    pub(super) max_len: u32,
}

const fn target(name: &'static str, dictionary: &'static str, max_len: u32) -> Target {
    Target { name, dictionary, max_len }
}

pub(super) const TARGETS: [Target; 16] = [
    target("object", "elf", 16384),
    target("btf", "btf", 8192),
    target("btf_ext", "btf", 8192),
    target("layer", "archive", 16384),
    target("config", "json", 8192),
    target("manifest", "json", 8192),
    target("index", "json", 8192),
    target("labels", "json", 8192),
    target("for_aya", "elf", 16384),
    target("layout", "json", 8192),
    target("bundle", "signature", 4096),
    target("simple_signing", "signature", 4096),
    target("policy", "policy", 4096),
    target("key", "signature", 1024),
    target("attach_point", "text", 512),
    target("reference", "text", 512),
];

/// The target of that name.
pub(super) fn by_name(name: &str) -> Result<Target, String> {
    TARGETS.into_iter().find(|target| target.name == name).ok_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        format!("the targets are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bpf_image_tests::repo;

    use super::*;

    fn stems(folder: &str) -> BTreeSet<String> {
        let files = std::fs::read_dir(repo::root().join(folder)).unwrap();
        let stem =
            |path: std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        files.map(|file| stem(file.unwrap().path())).collect()
    }

    #[test]
    fn every_target_and_dictionary_is_in_the_table() {
        let names = TARGETS.iter().map(|target| target.name.to_owned()).collect();
        assert_eq!(stems("fuzz/fuzz_targets"), names);
        let dictionaries = TARGETS.iter().map(|target| target.dictionary.to_owned()).collect();
        assert_eq!(stems("fuzz/dict"), dictionaries);
        let manifest = std::fs::read_to_string(repo::root().join("fuzz/Cargo.toml")).unwrap();
        for target in TARGETS {
            assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_there_are() {
        assert_eq!(by_name("btf").unwrap().dictionary, "btf");
        assert!(by_name("btg").unwrap_err().contains("btf_ext"));
    }
}
