//! The effective configuration as TOML, each key with its source.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::Loaded;

impl<T: Serialize> Loaded<T> {
    /// The whole configuration as a TOML file that loads to the same, but for secrets, which read `[redacted]`.
    /// Keys that are not a default say where they come from.
    ///
    /// # Errors
    /// `T` does not serialise to a TOML table.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        self.to_toml_without(&[])
    }

    /// As [`Loaded::to_toml`], but for the tables `unused` at the top, which are not in effect here.
    ///
    /// # Errors
    /// `T` does not serialise to a TOML table.
    pub fn to_toml_without(&self, unused: &[&str]) -> Result<String, toml::ser::Error> {
        let mut table = toml::Table::try_from(&self.value)?;
        table.retain(|key, _| !unused.contains(&key));
        let mut text = String::new();
        write_table(&mut text, "", &table, &self.origins);
        Ok(text)
    }
}

/// Plain keys first: after a table's header, a key would belong to that table.
fn write_table(text: &mut String, prefix: &str, table: &toml::Table, origins: &BTreeMap<String, String>) {
    const NEVER_FAILS: &str = "writing to a String does not fail";
    let path = |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    for (key, value) in table.iter().filter(|(_, value)| !value.is_table()) {
        match origins.get(&path(key)) {
            Some(origin) => writeln!(text, "{key} = {value}  # {origin}").expect(NEVER_FAILS),
            None => writeln!(text, "{key} = {value}").expect(NEVER_FAILS),
        }
    }
    for (key, inner) in table.iter().filter_map(|(key, value)| Some((key, value.as_table()?))) {
        let path = path(key);
        let gap = if text.is_empty() { "" } else { "\n" };
        writeln!(text, "{gap}[{path}]").expect(NEVER_FAILS);
        write_table(text, &path, inner, origins);
    }
}
