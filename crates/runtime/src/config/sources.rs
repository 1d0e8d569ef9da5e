//! Where configuration comes from, merged in order of precedence.

use std::fs;
use std::path::PathBuf;

use config::{Config, ConfigError, Map, Source, Value, ValueKind};

use super::Problems;

/// Environment variables with this prefix and two underscores somewhere after it are configuration, all of them: an
/// unknown one is an error. Others are not ours: Kubernetes sets `PARLOR_SERVER_PORT` for a service of that name.
pub const ENV_PREFIX: &str = "PARLOR_";
/// Stands in a variable's name for the dot between two levels, and before a key of the first level.
const ENV_LEVEL: &str = "__";

/// Why a key is none.
const NO_KEY: &str = "is not a key: a-z, 0-9, _ and - between dots";

/// Everything that may set a key, least binding first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A TOML file; if one is named, it must be there.
    pub file: Option<PathBuf>,
    /// Variables; those that are not configuration (see [`ENV_PREFIX`]) are ignored. `PARLOR_LISTEN__PORT` sets
    /// `listen.port`, `PARLOR__NAME` sets `name`.
    pub env: Vec<(String, String)>,
    /// `key.path=value`, one for each `--set`.
    pub set: Vec<String>,
}

impl Sources {
    /// The environment of this process, with the file and the `--set` values of its command line.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, set: Vec<String>) -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let env = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        Self { file, env: env.filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect(), set }
    }

    pub(super) fn merge(&self, problems: &mut Problems) -> Map<String, Value> {
        let mut merged = Map::new();
        for layer in [self.file(problems), self.env(problems), self.flags(problems)] {
            let config = Config::builder().add_source(Layer(merged.clone())).add_source(Layer(layer)).build();
            match config.and_then(|config| config.collect()) {
                Ok(both) => merged = both,
                Err(error) => problems.add("", error),
            }
        }
        merged
    }

    fn file(&self, problems: &mut Problems) -> Map<String, Value> {
        let Some(path) = &self.file else { return Map::new() };
        let origin = path.display().to_string();
        let table = fs::read_to_string(path)
            .map_err(|error| format!("cannot read {origin}: {error}"))
            .and_then(|text| parse(&text).map_err(|error| format!("{origin}: {error}")));
        match table {
            Ok(table) => {
                // The merge takes what stands at the top for paths, and fills a list up to the number that one names.
                let (good, bad): (Vec<_>, Vec<_>) = table.into_iter().partition(|(key, _)| is_plain(key));
                bad.into_iter().for_each(|(key, _)| problems.add_from(key, NO_KEY, &origin));
                good.into_iter().map(|(key, value)| (key, value_of(value, &origin))).collect()
            }
            Err(message) => {
                problems.add("", message);
                Map::new()
            }
        }
    }

    fn env(&self, problems: &mut Problems) -> Map<String, Value> {
        let mut layer = Map::new();
        for (name, text) in &self.env {
            if let Some(key) = key_of(name) {
                insert(&mut layer, key, text, name, problems);
            }
        }
        layer
    }

    fn flags(&self, problems: &mut Problems) -> Map<String, Value> {
        let mut layer = Map::new();
        for flag in &self.set {
            match flag.split_once('=') {
                Some((key, text)) => insert(&mut layer, key.trim().to_owned(), text, "--set", problems),
                None => problems.add(flag.clone(), "wants the form --set key=value"),
            }
        }
        layer
    }
}

/// The key that a variable sets, if it is configuration.
fn key_of(variable: &str) -> Option<String> {
    let key = variable.strip_prefix(ENV_PREFIX)?;
    let marked = variable[ENV_PREFIX.len() - 1..].contains(ENV_LEVEL);
    marked.then(|| key.trim_start_matches('_').to_ascii_lowercase().replace(ENV_LEVEL, "."))
}

/// Text becomes what its key wants when it is read; only a list has to be recognised here, by its bracket.
fn insert(layer: &mut Map<String, Value>, key: String, text: &str, origin: &str, problems: &mut Problems) {
    if !key.split('.').all(is_plain) {
        return problems.add_from(key, NO_KEY, origin);
    }
    let value = if text.trim_start().starts_with('[') {
        match parse(&format!("list = {text}")).map(|mut table| table.remove("list")) {
            Ok(Some(list)) => value_of(list, origin),
            Ok(None) => Value::new(Some(&origin.to_owned()), text),
            Err(error) => return problems.add_from(key, format!("is not a list: {error}"), origin),
        }
    } else {
        Value::new(Some(&origin.to_owned()), text)
    };
    layer.insert(key, value);
}

/// The error names the line but does not quote it: it may hold a secret.
fn parse(text: &str) -> Result<toml::Table, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| match error.span() {
        Some(span) => format!("line {}: {}", 1 + text[..span.start].matches('\n').count(), error.message()),
        None => error.message().to_owned(),
    })
}

fn value_of(value: toml::Value, origin: &str) -> Value {
    let kind = match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => {
            ValueKind::Array(items.into_iter().map(|item| value_of(item, origin)).collect())
        }
        toml::Value::Table(table) => {
            ValueKind::Table(table.into_iter().map(|(key, value)| (key, value_of(value, origin))).collect())
        }
    };
    Value::new(Some(&origin.to_owned()), kind)
}

/// Whether this is one level of a key.
fn is_plain(part: &str) -> bool {
    !part.is_empty() && part.chars().all(is_key_char)
}

fn is_key_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-'
}

/// Values by key path, as a source for the merge of the `config` crate.
#[derive(Clone, Debug)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}
