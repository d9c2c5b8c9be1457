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
