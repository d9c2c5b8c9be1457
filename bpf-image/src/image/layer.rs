//! The ELF file out of a layer.
//!
//! A container layer is a hostile archive until shown otherwise: it may be a zip bomb, name
//! files outside the root, or hold two objects so that two readers load different ones. Exactly
//! one regular file, at the root, is accepted; nothing is ever written to disk.

use std::io::{self, Read};
use std::path::Component;

use bpf_image_spec::{media_type, text};
use flate2::read::MultiGzDecoder;

use super::{Form, ImageError, ImageManifest};
use crate::object::OBJECT_MAX;

/// What tar adds to one object: headers, extended headers, directories, padding.
pub(super) const ARCHIVE_OVERHEAD: u64 = 1024 * 1024;
/// Entries looked at in an archive that should hold one.
const ENTRIES_MAX: usize = 256;
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// A layer that does not hold one ELF file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// Not an ELF file.
    #[error("it is not an ELF file")]
    NotElf,
    /// Larger than any object that is accepted.
    #[error("it unpacks to more than the {max} bytes accepted")]
    TooLarge {
        /// The bound.
        max: u64,
    },
    /// Not a gzip stream or not a tar archive.
    #[error("it is not a tar archive, compressed with gzip or plain")]
    Archive(#[source] io::Error),
    /// No regular file.
    #[error("its archive holds no file")]
    Empty,
    /// A second regular file.
    #[error("its archive holds more than one file (`{first}` and `{second}`)")]
    SeveralFiles {
        /// The first.
        first: String,
        /// The second.
        second: String,
    },
    /// A file outside the root directory.
    #[error("its archive holds `{path}`, which is not at the root")]
    NotAtRoot {
        /// The entry's path.
        path: String,
    },
    /// A link, a device, a sparse file …
    #[error("its archive holds `{path}`, which is not a regular file")]
    NotAFile {
        /// The entry's path.
        path: String,
    },
    /// More entries than an image of one file has a use for.
    #[error("its archive holds more than {ENTRIES_MAX} entries")]
    ManyEntries,
}

/// The ELF file in `layer`, the bytes of the image's layer blob.
pub fn object_bytes(image: &ImageManifest, layer: Vec<u8>) -> Result<Vec<u8>, ImageError> {
    let object = match image.form() {
        Form::Image | Form::Bpfman => match image.layer().media_type.as_str() {
            media_type::OCI_LAYER => unpack(layer.as_slice()),
            _ => unpack(MultiGzDecoder::new(layer.as_slice())),
        },
        Form::Artifact | Form::Gadget | Form::Bumblebee | Form::BareElf => Ok(layer),
    };
    object.and_then(checked).map_err(ImageError::Layer)
}

fn checked(object: Vec<u8>) -> Result<Vec<u8>, LayerError> {
    if object.len() as u64 > OBJECT_MAX as u64 {
        Err(LayerError::TooLarge { max: OBJECT_MAX as u64 })
    } else if object.starts_with(ELF_MAGIC) {
        Ok(object)
    } else {
        Err(LayerError::NotElf)
    }
}

fn unpack(archive: impl Read) -> Result<Vec<u8>, LayerError> {
    let max = OBJECT_MAX as u64 + ARCHIVE_OVERHEAD;
    let mut bounded = Bounded { inner: archive, left: max };
    let result = single_file(&mut bounded);
    // tar reports the cut-off as any other truncation; the bound is the reason to name.
    if bounded.left == 0 { Err(LayerError::TooLarge { max }) } else { result }
}

fn single_file(archive: impl Read) -> Result<Vec<u8>, LayerError> {
    let mut archive = tar::Archive::new(archive);
    let mut file: Option<(String, Vec<u8>)> = None;
    for (count, entry) in archive.entries().map_err(LayerError::Archive)?.enumerate() {
        if count >= ENTRIES_MAX {
            return Err(LayerError::ManyEntries);
        }
        let mut entry = entry.map_err(LayerError::Archive)?;
        let path = entry.path().map_err(LayerError::Archive)?.into_owned();
        let shown = printable(&path.to_string_lossy());
        match entry.header().entry_type() {
            // Some builders write the root itself, or the comment of a git archive.
            tar::EntryType::Directory | tar::EntryType::XGlobalHeader => continue,
            tar::EntryType::Regular if !is_sparse(&mut entry) => {}
            _ => return Err(LayerError::NotAFile { path: shown }),
        }
        let mut parts = path.components().filter(|part| !matches!(part, Component::CurDir));
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(LayerError::NotAtRoot { path: shown });
        }
        if let Some((first, _)) = file {
            return Err(LayerError::SeveralFiles { first, second: shown });
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(LayerError::Archive)?;
        file = Some((shown, bytes));
    }
    file.map(|(_, bytes)| bytes).ok_or(LayerError::Empty)
}

/// A sparse file of the pax kind looks regular, and other readers would expand it.
fn is_sparse(entry: &mut tar::Entry<'_, impl Read>) -> bool {
    let sparse = |key: &[u8]| key.starts_with(b"GNU.sparse.");
    match entry.pax_extensions() {
        Ok(extensions) => extensions
            .into_iter()
            .flatten()
            .any(|field| field.map_or(true, |field| sparse(field.key_bytes()))),
        Err(_) => true,
    }
}

/// Names are foreign text on their way to a terminal.
fn printable(path: &str) -> String {
    text::printable(&path.chars().take(100).collect::<String>())
}

/// Ends the stream at a bound and remembers that it did.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(&mut buffer[..room])?;
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bpf_image_spec::oci::{Annotations, Descriptor, Manifest};
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::super::classify;
    use super::*;

    const ELF: &[u8] = b"\x7fELF and the rest";

    fn image(layer_type: &str) -> ImageManifest {
        let manifest = Manifest {
            schema_version: 2,
            media_type: None,
            artifact_type: None,
            config: Descriptor::of(media_type::OCI_IMAGE_CONFIG, b"{}"),
            layers: vec![Descriptor::of(layer_type, b"")],
            subject: None,
            annotations: Annotations::new(),
        };
        classify(&manifest).unwrap()
    }

    fn tar(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            // `set_path` refuses what is tested here.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn read_tar(entries: &[(&str, tar::EntryType, &[u8])]) -> Result<Vec<u8>, LayerError> {
        match object_bytes(&image(media_type::OCI_LAYER), tar(entries)) {
            Ok(bytes) => Ok(bytes),
            Err(ImageError::Layer(error)) => Err(error),
            Err(other) => panic!("{other}"),
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn one_file_at_the_root_is_read() {
        use tar::EntryType as T;
        for path in ["xdp.o", "./xdp.o", "xdp"] {
            assert_eq!(read_tar(&[(path, T::Regular, ELF)]).ok().as_deref(), Some(ELF), "{path}");
        }
        let with_root = [("./", T::Directory, &b""[..]), ("./xdp.o", T::Regular, ELF)];
        assert!(read_tar(&with_root).is_ok());
        let gzipped = gzip(&tar(&[("xdp.o", T::Regular, ELF)]));
        for layer in [media_type::OCI_LAYER_GZIP, media_type::DOCKER_LAYER_GZIP] {
            assert!(object_bytes(&image(layer), gzipped.clone()).is_ok());
        }
    }

    #[test]
    fn hostile_paths_are_refused() {
        for path in ["../xdp.o", "/xdp.o", "usr/xdp.o", "a/../xdp.o", "..", "."] {
            let read = read_tar(&[(path, tar::EntryType::Regular, ELF)]);
            assert!(matches!(read, Err(LayerError::NotAtRoot { .. })), "{path}: {read:?}");
        }
    }

    #[test]
    fn links_devices_and_sparse_files_are_refused() {
        use tar::EntryType as T;
        for kind in [T::Symlink, T::Link, T::Char, T::Block, T::Fifo, T::GNUSparse, T::Continuous] {
            let read = read_tar(&[("xdp.o", kind, ELF)]);
            assert!(matches!(read, Err(LayerError::NotAFile { .. } | LayerError::Archive(_))));
        }
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_pax_extensions([("GNU.sparse.major", &b"1"[..])]).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(ELF.len() as u64);
        builder.append_data(&mut header, "xdp.o", ELF).unwrap();
        let sparse = builder.into_inner().unwrap();
        let read = object_bytes(&image(media_type::OCI_LAYER), sparse);
        assert!(matches!(read, Err(ImageError::Layer(LayerError::NotAFile { .. }))));
    }

    #[test]
    fn second_object_that_another_reader_might_take_is_refused() {
        use tar::EntryType as T;
        let two = [("a.o", T::Regular, ELF), ("b.o", T::Regular, ELF)];
        assert!(matches!(read_tar(&two), Err(LayerError::SeveralFiles { .. })));
        let twice = [("a.o", T::Regular, ELF), ("a.o", T::Regular, ELF)];
        assert!(matches!(read_tar(&twice), Err(LayerError::SeveralFiles { .. })));
        assert!(matches!(read_tar(&[]), Err(LayerError::Empty)));
        assert!(matches!(read_tar(&[("a.o", T::Regular, b"#!/bin/sh")]), Err(LayerError::NotElf)));
    }

    #[test]
    fn zip_bomb_is_refused_at_the_bound() {
        let bomb = gzip(&vec![0_u8; OBJECT_MAX + 2 * 1024 * 1024]);
        // One header that promises a terabyte, then zeroes.
        let mut header = tar::Header::new_gnu();
        header.set_path("xdp.o").unwrap();
        header.set_size(1 << 40);
        header.set_cksum();
        let mut layer = gzip(header.as_bytes());
        layer.extend(bomb);
        let read = object_bytes(&image(media_type::OCI_LAYER_GZIP), layer);
        assert!(matches!(read, Err(ImageError::Layer(LayerError::TooLarge { .. }))), "{read:?}");
    }

    #[test]
    fn archive_of_endless_directories_is_refused() {
        let many = vec![("d/", tar::EntryType::Directory, &b""[..]); ENTRIES_MAX + 1];
        assert!(matches!(read_tar(&many), Err(LayerError::ManyEntries)));
    }

    proptest! {
        #[test]
        fn arbitrary_layers_never_panic(bytes: Vec<u8>, at in 0_usize..1024, byte: u8) {
            let mut archive = tar(&[("xdp.o", tar::EntryType::Regular, ELF)]);
            let at = at % archive.len();
            archive[at] = byte;
            for layer in [media_type::OCI_LAYER, media_type::OCI_LAYER_GZIP] {
                let _ = object_bytes(&image(layer), bytes.clone());
                let _ = object_bytes(&image(layer), archive.clone());
            }
        }
    }
}
