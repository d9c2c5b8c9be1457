//! A valid object of each byte order, compiled by `build.rs` from `template.c`.

use std::sync::LazyLock;

use bpf_image::object::Object;

/// Little-endian.
pub const LITTLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bpfel.o"));
/// Big-endian.
pub const BIG: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bpfeb.o"));

/// The little-endian object, read.
pub static OBJECT: LazyLock<Object> = LazyLock::new(|| match Object::read(LITTLE.to_vec()) {
    Ok(object) => object,
    Err(error) => panic!("template.c is no good object: {error}"),
});

/// The object into which `data`, a BTF or BTF.ext section, fits by its byte order.
pub fn fitting(data: &[u8]) -> &'static [u8] {
    if data.starts_with(&[0xeb]) { BIG } else { LITTLE }
}
