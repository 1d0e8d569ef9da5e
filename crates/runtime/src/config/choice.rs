//! `#[serde(deserialize_with = "parlor_runtime::config::choice::deserialize")]`: an enum without data, so that an
//! error lists what it may be.

use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer, de};

/// Reads one of the names of `T`.
///
/// # Errors
/// The text is none of them.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    T::deserialize(text.into_deserializer()).map_err(|error: de::value::Error| de::Error::custom(error))
}
