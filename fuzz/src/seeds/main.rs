//! Writes the seeds of every target's corpus: `seeds CORPUS OBJECT…`.
//!
//! They are made anew from what is in the repository, so a change of a format changes them too:
//! compiled samples, images built of them, the specification's vectors.

mod archives;
mod images;
mod signatures;
mod texts;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use bpf_image::object::Object;
use bpf_image_fuzz::{memory, section, template};
// Instrumented code calls libFuzzer, in a program without a fuzz target too.
use bpf_image_spec::Digest;
use libfuzzer_sys as _;

type Done = Result<(), Box<dyn Error>>;

/// The folder of all corpora.
struct Corpus(PathBuf);

impl Corpus {
    /// Adds a seed to the corpus of `target`, named by its content as libFuzzer names its own.
    fn add(&self, target: &str, seed: impl AsRef<[u8]>) -> Done {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder)?;
        let digest = Digest::of(seed.as_ref()).hex();
        Ok(fs::write(folder.join(&digest[..40]), seed)?)
    }
}

fn main() -> Done {
    memory::report();
    let mut arguments = std::env::args_os().skip(1);
    let corpus = Corpus(arguments.next().ok_or("usage: seeds CORPUS OBJECT…")?.into());
    let mut objects = vec![template::LITTLE.to_vec(), template::BIG.to_vec()];
    for path in arguments {
        objects.push(fs::read(path)?);
    }
    for bytes in &objects {
        object(&corpus, bytes)?;
    }
    images::add(&corpus, &objects)?;
    archives::add(&corpus)?;
    signatures::add(&corpus)?;
    texts::add(&corpus)
}

fn object(corpus: &Corpus, bytes: &[u8]) -> Done {
    corpus.add("object", bytes)?;
    if Object::read(bytes.to_vec()).is_ok() {
        corpus.add("for_aya", bytes)?;
    }
    for (target, name) in [("btf", ".BTF"), ("btf_ext", ".BTF.ext")] {
        if let Some(content) = section(bytes, name) {
            corpus.add(target, content)?;
        }
    }
    Ok(())
}

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The content of every file in a folder of the repository.
fn files(folder: &str) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(repository(folder))? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths.into_iter().filter(|path| path.is_file()).map(fs::read).collect::<Result<_, _>>()?)
}
