//! Keys and values of maps: numbers where the type is one, hex otherwise. Host byte order.

use serde_json::Value;

/// Types whose BTF name starts so are not one number.
const COMPOUND: [&str; 3] = ["struct", "union", "("];

/// A number of 1, 2, 4 or 8 bytes, if the type is, or may be, one.
fn number(bytes: &[u8], type_name: Option<&str>) -> Option<i128> {
    let name = type_name.unwrap_or_default();
    if COMPOUND.iter().any(|start| name.starts_with(start)) || name.ends_with(']') {
        return None;
    }
    if !matches!(bytes.len(), 1 | 2 | 4 | 8) {
        return None;
    }
    let add = |sum: i128, byte: &u8| sum << 8 | i128::from(*byte);
    let unsigned = if cfg!(target_endian = "big") {
        bytes.iter().fold(0, add)
    } else {
        bytes.iter().rev().fold(0, add)
    };
    let bits = bytes.len() * 8;
    let negative = is_signed(name) && unsigned >> (bits - 1) == 1;
    Some(if negative { unsigned - (1_i128 << bits) } else { unsigned })
}

/// C's signed types as BTF names them, and the kernel's names for them.
fn is_signed(name: &str) -> bool {
    matches!(
        name,
        "int"
            | "short"
            | "long"
            | "long int"
            | "long long"
            | "long long int"
            | "signed char"
            | "__s8"
            | "__s16"
            | "__s32"
            | "__s64"
            | "s8"
            | "s16"
            | "s32"
            | "s64"
            | "int8_t"
            | "int16_t"
            | "int32_t"
            | "int64_t"
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

pub(super) fn text(bytes: &[u8], type_name: Option<&str>) -> String {
    number(bytes, type_name).map_or_else(|| hex(bytes), |number| number.to_string())
}

/// As JSON: a number where it is one, otherwise hex in a string.
pub(super) fn value(bytes: &[u8], type_name: Option<&str>) -> Value {
    match number(bytes, type_name) {
        Some(number) => u64::try_from(number)
            .map(Value::from)
            .or_else(|_| i64::try_from(number).map(Value::from))
            .unwrap_or(Value::Null),
        None => hex(bytes).into(),
    }
}

/// The total over all CPUs, where values are numbers.
pub(super) fn sum<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    type_name: Option<&str>,
) -> Option<i128> {
    values.map(|value| number(value, type_name)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_type() {
        assert_eq!(text(&7_u64.to_ne_bytes(), Some("__u64")), "7");
        assert_eq!(text(&(-1_i32).to_ne_bytes(), Some("int")), "-1");
        assert_eq!(text(&u32::MAX.to_ne_bytes(), None), "4294967295");
    }

    #[test]
    fn compounds_as_hex() {
        assert_eq!(text(&[1, 2, 3, 4], Some("struct flow")), "01 02 03 04");
        assert_eq!(text(&[1, 2, 3], Some("__u32")), "01 02 03");
    }

    #[test]
    fn per_cpu_values_add_up() {
        let values = [3_u64.to_ne_bytes(), 4_u64.to_ne_bytes()];
        let sum = |type_name| sum(values.iter().map(<[u8; 8]>::as_slice), Some(type_name));
        assert_eq!(sum("__u64"), Some(7));
        assert_eq!(sum("struct s"), None);
    }
}
