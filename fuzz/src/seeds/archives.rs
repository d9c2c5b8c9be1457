//! Seeds of layers: small archives of each dialect of tar, with what should be refused in them.

use tar::{Builder, EntryType, Header};

use super::{Corpus, Done};

const ELF: &[u8] = b"\x7fELF and the rest";

pub(crate) fn add(corpus: &Corpus) -> Done {
    use EntryType as T;
    for header in [Header::new_gnu, Header::new_ustar, Header::new_old] {
        for kind in [T::Regular, T::Directory, T::Symlink, T::GNUSparse, T::XGlobalHeader] {
            let mut archive = Builder::new(Vec::new());
            append(&mut archive, header(), kind, "./")?;
            append(&mut archive, header(), T::Regular, "program.o")?;
            archive_of(corpus, archive)?;
        }
    }
    let mut archive = Builder::new(Vec::new());
    archive.append_pax_extensions([("path", &b"program.o"[..]), ("size", b"16")])?;
    append(&mut archive, Header::new_ustar(), T::Regular, "x")?;
    archive_of(corpus, archive)?;
    let mut archive = Builder::new(Vec::new());
    archive.append_pax_extensions([("GNU.sparse.major", &b"1"[..])])?;
    append(&mut archive, Header::new_ustar(), T::Regular, "x")?;
    archive_of(corpus, archive)?;
    let mut archive = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(ELF.len() as u64);
    archive.append_data(&mut header, "long/".repeat(40) + "program.o", ELF)?;
    archive_of(corpus, archive)
}

fn append(archive: &mut Builder<Vec<u8>>, mut header: Header, kind: EntryType, path: &str) -> Done {
    let content = if kind == EntryType::Regular { ELF } else { b"" };
    header.set_path(path)?;
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    Ok(archive.append(&header, content)?)
}

fn archive_of(corpus: &Corpus, archive: Builder<Vec<u8>>) -> Done {
    let bytes = archive.into_inner()?;
    corpus.add("layer", &bytes)?;
    // The target puts checksums right after a leading zero.
    corpus.add("layer", [&[0][..], &bytes].concat())
}
