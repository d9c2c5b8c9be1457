//! `--set GLOBAL=VALUE`: text to the bytes of a global, by its type.

use bpf_image_spec::config::{Encoding, Endianness, GlobalSpec, ObjectSpec};

/// A value that a global cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// No global of that name.
    #[error("object has no global variable `{name}`{hint}", hint = known(.tunable))]
    Unknown {
        /// The name.
        name: String,
        /// Those that could have been meant.
        tunable: Vec<String>,
    },
    /// Several static variables of that name.
    #[error("object has several global variables `{name}`")]
    Ambiguous {
        /// The name.
        name: String,
    },
    /// A global that the object's author did not offer.
    #[error("global variable `{name}` is not tunable{hint}", hint = known(.tunable))]
    NotTunable {
        /// The name.
        name: String,
        /// Those that are.
        tunable: Vec<String>,
    },
    /// Text that is no value of the type.
    #[error("`{value}` is no value for `{name}` of type {type_name}: expected {expected}")]
    NotAValue {
        /// The global.
        name: String,
        /// What was given.
        value: String,
        /// Type of the global.
        type_name: String,
        /// What would do.
        expected: String,
    },
    /// A number beyond the type.
    #[error("{value} is out of range for `{name}` of type {type_name}: {min} to {max}")]
    OutOfRange {
        /// The global.
        name: String,
        /// What was given.
        value: String,
        /// Type of the global.
        type_name: String,
        /// Smallest value.
        min: i128,
        /// Largest value.
        max: u128,
    },
    /// Raw bytes of another length.
    #[error("`{name}` of type {type_name} has {size} bytes, not {given}")]
    Length {
        /// The global.
        name: String,
        /// Type of the global.
        type_name: String,
        /// Its size.
        size: u32,
        /// Bytes given.
        given: usize,
    },
}

fn known(tunable: &[String]) -> String {
    match tunable {
        [] => "; none is tunable".to_owned(),
        names => format!("; tunable: {}", names.join(", ")),
    }
}

/// The bytes for global `name` from `value`, in the object's byte order, exactly its size.
///
/// Numbers: decimal, `0x` hex, `0o` octal, `0b` binary, with `-` for signed types; `true` and
/// `false` for booleans; `'c'` for one-byte types. For everything: `hex:` and the raw bytes as
/// they are to stand in memory.
pub fn encode_global(spec: &ObjectSpec, name: &str, value: &str) -> Result<Vec<u8>, SetError> {
    let tunable = || spec.globals.iter().filter(|g| g.tunable).map(|g| g.name.clone()).collect();
    let mut named = spec.globals.iter().filter(|global| global.name == name);
    let global = named
        .next()
        .ok_or_else(|| SetError::Unknown { name: name.to_owned(), tunable: tunable() })?;
    if named.next().is_some() {
        return Err(SetError::Ambiguous { name: name.to_owned() });
    }
    if !global.tunable {
        return Err(SetError::NotTunable { name: name.to_owned(), tunable: tunable() });
    }
    if let Some(digits) = value.strip_prefix("hex:") {
        return raw(global, value, digits);
    }
    let number = match global.encoding {
        None => return Err(not_a_value(global, value)),
        Some(Encoding::Bool) => boolean(global, value)?,
        Some(Encoding::Signed | Encoding::Unsigned | Encoding::Char) => integer(global, value)?,
    };
    let width = (global.size as usize).min(16);
    Ok(match spec.endianness {
        Endianness::Little => number.to_le_bytes()[..width].to_vec(),
        Endianness::Big => number.to_be_bytes()[16 - width..].to_vec(),
    })
}

fn type_name(global: &GlobalSpec) -> String {
    global.type_name.clone().unwrap_or_else(|| format!("of {} bytes", global.size))
}

fn not_a_value(global: &GlobalSpec, value: &str) -> SetError {
    let expected = match global.encoding {
        None => format!("`hex:` and {} bytes as hex digits", global.size),
        Some(Encoding::Bool) => "true or false".to_owned(),
        Some(_) if global.size == 1 => "a number or 'c'".to_owned(),
        Some(_) => "a number (decimal or 0x…)".to_owned(),
    };
    SetError::NotAValue {
        name: global.name.clone(),
        value: value.to_owned(),
        type_name: type_name(global),
        expected,
    }
}

fn boolean(global: &GlobalSpec, value: &str) -> Result<u128, SetError> {
    match value {
        "true" | "1" => Ok(1),
        "false" | "0" => Ok(0),
        _ => Err(not_a_value(global, value)),
    }
}

fn integer(global: &GlobalSpec, value: &str) -> Result<u128, SetError> {
    let signed = global.encoding == Some(Encoding::Signed);
    if let Some(character) = character(value).filter(|_| global.size == 1) {
        return Ok(u128::from(character));
    }
    let (negative, digits) = match value.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, value),
    };
    let magnitude = magnitude(digits).ok_or_else(|| not_a_value(global, value))?;
    // `char` is signed on one machine and unsigned on another: both readings are taken.
    let takes_minus = signed || global.encoding == Some(Encoding::Char);
    let bits = global.size.saturating_mul(8).min(128);
    let below = if takes_minus { 1u128 << (bits - 1) } else { 0 };
    let max = u128::MAX >> (128 - if signed { bits - 1 } else { bits });
    let in_range = if negative { magnitude <= below } else { magnitude <= max };
    if !in_range {
        return Err(SetError::OutOfRange {
            name: global.name.clone(),
            value: value.to_owned(),
            type_name: type_name(global),
            min: below.wrapping_neg().cast_signed(),
            max,
        });
    }
    Ok(if negative { magnitude.wrapping_neg() } else { magnitude })
}

/// `'c'` with one ASCII character.
fn character(value: &str) -> Option<u8> {
    match value.as_bytes() {
        [b'\'', byte, b'\''] if byte.is_ascii() => Some(*byte),
        _ => None,
    }
}

fn magnitude(digits: &str) -> Option<u128> {
    let (radix, digits) = match digits.split_at_checked(2) {
        Some(("0x" | "0X", rest)) => (16, rest),
        Some(("0o", rest)) => (8, rest),
        Some(("0b", rest)) => (2, rest),
        _ => (10, digits),
    };
    // `from_str_radix` takes a sign of its own, which would allow `--5` and `0x-5`.
    let plain = digits.chars().all(|digit| digit.is_digit(radix));
    u128::from_str_radix(digits, radix).ok().filter(|_| plain)
}

/// Raw bytes; a number of more digits than the type has is a length error like any other.
fn raw(global: &GlobalSpec, value: &str, digits: &str) -> Result<Vec<u8>, SetError> {
    let pairs = digits.as_bytes().chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| {
            let text = std::str::from_utf8(pair).ok().filter(|pair| !pair.contains('+'))?;
            u8::from_str_radix(text, 16).ok()
        })
        .collect();
    let bytes = bytes.filter(|_| !odd).ok_or_else(|| SetError::NotAValue {
        name: global.name.clone(),
        value: value.to_owned(),
        type_name: type_name(global),
        expected: format!("`hex:` and {} bytes as hex digits", global.size),
    })?;
    if bytes.len() != global.size as usize {
        return Err(SetError::Length {
            name: global.name.clone(),
            type_name: type_name(global),
            size: global.size,
            given: bytes.len(),
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use bpf_image_spec::Digest;
    use bpf_image_spec::config::BtfSpec;

    use super::*;

    fn spec(endianness: Endianness, size: u32, encoding: Option<Encoding>) -> ObjectSpec {
        ObjectSpec {
            digest: Digest::of(b""),
            size: 0,
            endianness,
            license: None,
            programs: vec![],
            maps: vec![],
            externs: None,
            globals: vec![GlobalSpec {
                name: "g".to_owned(),
                section: ".rodata".to_owned(),
                type_name: Some("T".to_owned()),
                encoding,
                size,
                default: None,
                tunable: true,
            }],
            btf: BtfSpec::default(),
        }
    }

    fn set(size: u32, encoding: Encoding, value: &str) -> Result<Vec<u8>, SetError> {
        encode_global(&spec(Endianness::Little, size, Some(encoding)), "g", value)
    }

    #[test]
    fn numbers_of_every_width() {
        assert_eq!(set(1, Encoding::Unsigned, "255"), Ok(vec![255]));
        assert_eq!(set(2, Encoding::Unsigned, "0x1f90"), Ok(vec![0x90, 0x1f]));
        assert_eq!(set(4, Encoding::Signed, "-1"), Ok(vec![255; 4]));
        assert_eq!(set(8, Encoding::Signed, "-0x8000000000000000").map(|b| b[7]), Ok(0x80));
        assert_eq!(set(8, Encoding::Unsigned, "18446744073709551615"), Ok(vec![255; 8]));
        assert_eq!(set(16, Encoding::Unsigned, "1").map(|b| b.len()), Ok(16));
        assert_eq!(set(16, Encoding::Signed, "-1"), Ok(vec![255; 16]));
        let big = spec(Endianness::Big, 4, Some(Encoding::Unsigned));
        assert_eq!(encode_global(&big, "g", "7777"), Ok(vec![0, 0, 0x1e, 0x61]));
    }

    #[test]
    fn numbers_out_of_range() {
        for (size, encoding, value) in [
            (1, Encoding::Unsigned, "256"),
            (1, Encoding::Unsigned, "-1"),
            (1, Encoding::Signed, "128"),
            (1, Encoding::Signed, "-129"),
            (2, Encoding::Unsigned, "0x10000"),
            (4, Encoding::Signed, "2147483648"),
            (8, Encoding::Unsigned, "18446744073709551616"),
        ] {
            let result = set(size, encoding, value);
            assert!(matches!(result, Err(SetError::OutOfRange { .. })), "{value}: {result:?}");
        }
        let error = set(2, Encoding::Unsigned, "65536").map_err(|error| error.to_string());
        assert_eq!(error, Err("65536 is out of range for `g` of type T: 0 to 65535".to_owned()));
    }

    #[test]
    fn what_is_no_number() {
        for value in ["", "-", "0x", "--5", "0x-5", "+5", "1.5", "1 ", "٣", "0b2", "true", "'ab'"]
        {
            let result = set(4, Encoding::Signed, value);
            assert!(matches!(result, Err(SetError::NotAValue { .. })), "{value}: {result:?}");
        }
    }

    #[test]
    fn booleans_and_characters() {
        assert_eq!(set(1, Encoding::Bool, "true"), Ok(vec![1]));
        assert_eq!(set(1, Encoding::Bool, "0"), Ok(vec![0]));
        assert!(set(1, Encoding::Bool, "2").is_err());
        assert_eq!(set(1, Encoding::Signed, "'A'"), Ok(vec![b'A']));
        assert_eq!(set(1, Encoding::Char, "-1"), Ok(vec![255]));
        assert!(set(2, Encoding::Unsigned, "'A'").is_err());
    }

    #[test]
    fn structures_take_raw_bytes_of_their_length_only() {
        let spec = spec(Endianness::Little, 3, None);
        assert_eq!(encode_global(&spec, "g", "hex:0A0b0c"), Ok(vec![10, 11, 12]));
        for value in ["5", "hex:0a0b", "hex:0a0b0", "hex:0a0b0c0d", "hex:+a+b+c", "hex:zz0000"] {
            assert!(encode_global(&spec, "g", value).is_err(), "{value}");
        }
    }
}
