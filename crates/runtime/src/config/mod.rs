//! Configuration: defaults, then a TOML file, then the environment, then `--set`; the later wins.
//!
//! The defaults are those of the structs themselves, which derive `Deserialize` and `Serialize` and say
//! `#[serde(default, deny_unknown_fields)]`; so an unknown key is an error in every source. All errors are
//! reported at once: a value that cannot be used is noted, left out, and loading goes on.

pub mod byte_size;
pub mod choice;
pub mod duration;
mod print;
mod problems;
mod secret;
mod sources;

use std::collections::BTreeMap;

use ::config::{ConfigError, Map, Value, ValueKind};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

pub use problems::{Problem, Problems, Validate};
pub use secret::Secret;
pub use sources::{ENV_PREFIX, Sources};

/// A configuration, and where each key that is not a default came from.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The configuration.
    pub value: T,
    origins: BTreeMap<String, String>,
}

impl<T> Loaded<T> {
    /// Whether no source says anything of `key`, so that its value is the default.
    #[must_use]
    pub fn is_default(&self, key: &str) -> bool {
        !self.origins.contains_key(key)
    }
}

/// Reads all sources into a `T` and checks it.
///
/// # Errors
/// Every key that is unknown, of the wrong type or out of its range, at once.
pub fn load<T: DeserializeOwned + Validate>(sources: &Sources) -> Result<Loaded<T>, Problems> {
    let mut problems = Problems::default();
    let mut merged = sources.merge(&mut problems);
    let origins = origins_of(&merged);
    let value = deserialize::<T>(&mut merged, &mut problems);
    if let Some(value) = &value {
        value.check(&mut problems);
    }
    problems.settle(&origins);
    match value {
        Some(value) if problems.is_empty() => Ok(Loaded { value, origins }),
        _ => Err(problems),
    }
}

/// Tries until it fits: what does not is noted and taken out, so that the next try finds the next error.
fn deserialize<T: DeserializeOwned>(merged: &mut Map<String, Value>, problems: &mut Problems) -> Option<T> {
    loop {
        let tree = Value::new(None, ValueKind::Table(merged.clone()));
        let error = match serde_path_to_error::deserialize(tree) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let keys: Vec<&str> = error.path().iter().map_while(map_key).collect();
        problems.add(keys.join("."), bare_message(error.inner()));
        if !remove(merged, &keys) {
            return None;
        }
    }
}

fn map_key(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Map { key } => Some(key),
        Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown => None,
    }
}

fn remove(table: &mut Map<String, Value>, keys: &[&str]) -> bool {
    match keys {
        [] => false,
        [last] => table.remove(*last).is_some(),
        [first, rest @ ..] => match table.get_mut(*first).map(|value| &mut value.kind) {
            Some(ValueKind::Table(inner)) => remove(inner, rest),
            _ => false,
        },
    }
}

/// The message without key and origin, which a [`Problem`] has anyway.
fn bare_message(error: &ConfigError) -> String {
    match error {
        ConfigError::At { error, .. } => bare_message(error),
        ConfigError::Type { unexpected, expected, .. } => format!("is {unexpected}, expected {expected}"),
        ConfigError::NotFound(key) => format!("lacks {key:?}, which has no default"),
        other => other.to_string(),
    }
}

fn origins_of(table: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut origins = BTreeMap::new();
    let mut open: Vec<(String, &Value)> = table.iter().map(|(key, value)| (key.clone(), value)).collect();
    while let Some((key, value)) = open.pop() {
        if let ValueKind::Table(inner) = &value.kind {
            open.extend(inner.iter().map(|(name, value)| (format!("{key}.{name}"), value)));
        }
        origins.insert(key, value.origin().unwrap_or("unknown").to_owned());
    }
    origins
}

#[cfg(test)]
mod tests;
