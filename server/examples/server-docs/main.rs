//! Prints docs/configuration.md: `cargo run -p parlor-server --example server-docs -- configuration`.
//!
//! Nothing on the page stands twice. What a key means is its doc comment in the sources; its default is that of the
//! compiled configuration, its range what the check of that configuration compares with, its flag what the command line
//! makes of it. A key that only one of them knows is an error.

mod page;
mod source;

use std::collections::BTreeMap;
use std::io::Write as _;

use parlor_runtime::config::{Problems, Validate as _};
use parlor_server::Config;
use parlor_server::args::Settings;
use toml::{Table, Value};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the compiled program knows of its keys.
struct Compiled {
    defaults: Table,
    /// Bounds as `Debug` shows them.
    ranges: BTreeMap<String, [String; 2]>,
    /// Bounds of what is not checked while it is 0.
    ranges_above_zero: BTreeMap<String, [String; 2]>,
    /// The flag that sets a key.
    flags: BTreeMap<&'static str, &'static str>,
}

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() != Some("configuration") {
        return Err("which page: configuration?".into());
    }
    let page = page::page(&source::read()?, &Compiled::new()?)?;
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(())
}

impl Compiled {
    fn new() -> Result<Self> {
        let defaults = Table::try_from(Config::default())?;
        let ranges = ranges(&Config::default());
        let mut above_zero = defaults.clone();
        raise_zeroes(&mut above_zero);
        let mut ranges_above_zero = self::ranges(&above_zero.try_into()?);
        ranges_above_zero.retain(|key, _| !ranges.contains_key(key));
        let flags = Settings::default().keys().map(|(flag, key, _)| (key, flag)).into();
        Ok(Self { defaults, ranges, ranges_above_zero, flags })
    }

    /// The default of the key at `path`; none, if it is not set by default.
    fn default(&self, path: &str) -> Option<&Value> {
        let mut keys = path.split('.');
        let first = self.defaults.get(keys.next()?)?;
        keys.try_fold(first, |value, key| value.get(key))
    }
}

fn ranges(config: &Config) -> BTreeMap<String, [String; 2]> {
    let mut problems = Problems::default();
    config.check(&mut problems);
    problems.ranges().clone()
}

/// Sets every whole number that is 0 to 1: where 0 means "none", a range is looked at only beyond it.
fn raise_zeroes(table: &mut Table) {
    for (_, value) in table.iter_mut() {
        match value {
            Value::Integer(number) if *number == 0 => *number = 1,
            Value::Table(inner) => raise_zeroes(inner),
            _ => {}
        }
    }
}
