//! `#[serde(with = "parlor_runtime::config::byte_size")]`: a `u64` written as `16384` or `"16KiB"`.

use std::fmt;

use serde::{Deserializer, Serializer, de};

/// Largest first, so that the first that divides a size is the one to write it in.
const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
/// No whole number of these is ambiguous, so no other unit is taken.
const EXPECTED: &str = "a number of bytes, or one with KiB, MiB, GiB or TiB";

/// Writes it in the largest unit that divides it.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match UNITS.iter().find(|(_, size)| *value != 0 && value.is_multiple_of(*size)) {
        Some((name, size)) => serializer.collect_str(&format_args!("{}{name}", value / size)),
        None => serializer.serialize_u64(*value),
    }
}

/// Reads either form.
///
/// # Errors
/// The value is no size, negative, or above 2^64 - 1 bytes.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(SizeVisitor)
}

struct SizeVisitor;

impl de::Visitor<'_> for SizeVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        parse(text).ok_or_else(|| E::custom(format!("is {text:?}, expected {EXPECTED}")))
    }
}

fn parse(text: &str) -> Option<u64> {
    let unit = UNITS.iter().find_map(|(name, size)| Some((text.strip_suffix(name)?.trim_end(), *size)));
    let (digits, size) = unit.unwrap_or((text, 1));
    digits.parse::<u64>().ok()?.checked_mul(size)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_are_whole_numbers_of_known_units() {
        let sizes = [("0", 0), ("512", 512), ("16KiB", 16 << 10), ("5 GiB", 5 << 30), ("1TiB", 1 << 40)];
        for (text, bytes) in sizes {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in ["", "KiB", "1.5MiB", "-1", "16kb", "16 K", "17179869184GiB"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
