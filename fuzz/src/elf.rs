//! As much of ELF as it takes to put other bytes into a section of a valid object.

struct Header {
    at: usize,
    offset: usize,
    size: usize,
}

/// The bytes of a section, of an object that clang has made.
pub fn section<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let header = header(object, name)?;
    object.get(header.offset..header.offset.checked_add(header.size)?)
}

/// `object` with `data` as the content of a section; everything else stays where it is.
pub fn with_section(object: &[u8], name: &str, data: &[u8]) -> Option<Vec<u8>> {
    let header = header(object, name)?;
    let mut out = Vec::with_capacity(object.len() + 8 + data.len());
    out.extend_from_slice(object);
    out.resize(out.len().next_multiple_of(8), 0);
    let little = is_little(object);
    let word = |value: usize| {
        let value = value as u64;
        if little { value.to_le_bytes() } else { value.to_be_bytes() }
    };
    let (offset, size) = (word(out.len()), word(data.len()));
    out[header.at + 24..header.at + 32].copy_from_slice(&offset);
    out[header.at + 32..header.at + 40].copy_from_slice(&size);
    out.extend_from_slice(data);
    Some(out)
}

fn is_little(object: &[u8]) -> bool {
    object.get(5) == Some(&1)
}

fn number(object: &[u8], at: usize, len: usize) -> Option<usize> {
    let bytes = object.get(at..at + len)?;
    let add = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
    Some(if is_little(object) {
        bytes.iter().rev().fold(0, add)
    } else {
        bytes.iter().fold(0, add)
    })
}

fn header(object: &[u8], name: &str) -> Option<Header> {
    let (table, count) = (number(object, 40, 8)?, number(object, 60, 2)?);
    let names = number(object, table + 64 * number(object, 62, 2)? + 24, 8)?;
    (0..count).map(|index| table + 64 * index).find_map(|at| {
        let text = object.get(names + number(object, at, 4)?..)?;
        let found = text.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(&[0]));
        let header =
            Header { at, offset: number(object, at + 24, 8)?, size: number(object, at + 32, 8)? };
        found.then_some(header)
    })
}
