//! `#[serde(with = "parlor_runtime::config::duration")]`: a [`Duration`] written as `10s`, `1m 30s`, `500ms`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

/// Writes it with units.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(*value))
}

/// Reads it; a number without a unit is refused.
///
/// # Errors
/// The text is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        de::Error::custom(format!("is {text:?}, expected a duration such as \"10s\": {error}"))
    })
}
