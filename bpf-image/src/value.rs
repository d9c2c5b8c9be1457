//! Initial values of globals as a person would write them.

use bpf_image_spec::config::{Encoding, Endianness, GlobalSpec};

/// A number where it is one, else the bytes.
pub fn default_value(global: &GlobalSpec, order: Endianness) -> String {
    let Some(hex) = &global.default else {
        return "-".to_owned();
    };
    number(global, hex, order).unwrap_or_else(|| format!("hex:{hex}"))
}

fn number(global: &GlobalSpec, hex: &str, order: Endianness) -> Option<String> {
    let size = usize::try_from(global.size).ok().filter(|size| (1..=16).contains(size))?;
    if hex.len() != 2 * size {
        return None;
    }
    let written = u128::from_str_radix(hex, 16).ok()?;
    let bits = 8 * global.size;
    let value = match order {
        Endianness::Big => written,
        Endianness::Little => written.swap_bytes() >> (128 - bits),
    };
    Some(match global.encoding? {
        Encoding::Unsigned => value.to_string(),
        Encoding::Bool => (value != 0).to_string(),
        Encoding::Signed => {
            let shift = 128 - bits;
            ((value << shift).cast_signed() >> shift).to_string()
        }
        Encoding::Char => match u8::try_from(value) {
            Ok(byte) if byte.is_ascii_graphic() => format!("'{}'", char::from(byte)),
            _ => value.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(size: u32, encoding: Encoding, default: &str) -> GlobalSpec {
        GlobalSpec {
            name: "g".to_owned(),
            section: ".rodata".to_owned(),
            type_name: None,
            encoding: Some(encoding),
            size,
            default: Some(default.to_owned()),
            tunable: true,
        }
    }

    #[test]
    fn defaults_are_read_in_the_objects_byte_order() {
        use Encoding::{Bool, Char, Signed, Unsigned};
        use Endianness::{Big, Little};
        for (size, encoding, hex, order, text) in [
            (2, Unsigned, "611e", Little, "7777"),
            (2, Unsigned, "1e61", Big, "7777"),
            (4, Signed, "feffffff", Little, "-2"),
            (8, Signed, "fffffffffffffffe", Big, "-2"),
            (16, Unsigned, "01000000000000000000000000000000", Little, "1"),
            (1, Bool, "01", Little, "true"),
            (1, Char, "78", Little, "'x'"),
            (4, Unsigned, "0102", Little, "hex:0102"),
            (0, Unsigned, "", Little, "hex:"),
        ] {
            assert_eq!(default_value(&global(size, encoding, hex), order), text);
        }
    }
}
