//! What is wrong with a configuration, all of it.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};
use std::ops::RangeInclusive;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, dotted; empty when it is about a source as a whole.
    pub key: String,
    /// What is wrong with it, with the value and what is allowed.
    pub message: String,
    /// The file, variable or flag that set it, if one did.
    pub origin: Option<String>,
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), &self.origin) {
            ("", _) => f.write_str(&self.message),
            (key, None) => write!(f, "{key}: {}", self.message),
            (key, Some(origin)) => write!(f, "{key}: {} (from {origin})", self.message),
        }
    }
}

/// The problems of one configuration; an error whose text has one line for each.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    prefix: String,
    found: Vec<Problem>,
    ranges: BTreeMap<String, [String; 2]>,
}

/// Rules that types alone do not express.
pub trait Validate {
    /// Notes every value that is out of its range.
    fn check(&self, problems: &mut Problems);
}

impl Problems {
    /// Notes that `key` is wrong. The message says the value and what is allowed; it never holds a secret.
    pub fn add(&mut self, key: impl Into<String>, message: impl Display) {
        let key = self.full(&key.into());
        self.found.push(Problem { key, message: message.to_string(), origin: None });
    }

    /// Notes `key` unless `value` lies in `allowed`.
    pub fn range<T: PartialOrd + Debug>(&mut self, key: &str, value: &T, allowed: RangeInclusive<T>) {
        let bounds = [format!("{:?}", allowed.start()), format!("{:?}", allowed.end())];
        if !allowed.contains(value) {
            self.add(key, format!("is {value:?}, allowed is {} to {}", bounds[0], bounds[1]));
        }
        self.ranges.insert(self.full(key), bounds);
    }

    /// Checks a part of the configuration, whose keys lie below `key`.
    pub fn within(&mut self, key: &str, part: &impl Validate) {
        let outer = self.prefix.clone();
        self.prefix = self.full(key);
        part.check(self);
        self.prefix = outer;
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The problems, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.found.iter()
    }

    /// The ranges that values were held against, by key: the `Debug` texts of the least and the greatest that is allowed.
    #[must_use]
    pub fn ranges(&self) -> &BTreeMap<String, [String; 2]> {
        &self.ranges
    }

    pub(super) fn add_from(&mut self, key: String, message: impl Display, origin: &str) {
        self.found.push(Problem { key, message: message.to_string(), origin: Some(origin.to_owned()) });
    }

    /// Sorts, adds where the values came from, and keeps the first of several problems of one key: what follows
    /// it is about the default that stood in.
    pub(super) fn settle(&mut self, origins: &BTreeMap<String, String>) {
        for problem in &mut self.found {
            problem.origin = problem.origin.take().or_else(|| origins.get(&problem.key).cloned());
        }
        self.found.sort_by(|a, b| a.key.cmp(&b.key));
        self.found.dedup_by(|later, first| !first.key.is_empty() && later.key == first.key);
    }

    fn full(&self, key: &str) -> String {
        if self.prefix.is_empty() { key.to_owned() } else { format!("{}.{key}", self.prefix) }
    }
}

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        self.found.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}
