//! The scenarios, one file each.

pub mod media;

use anyhow::Result;
use futures_util::future::BoxFuture;

use crate::report::Report;

/// Something that can be measured.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line for the list of scenarios.
    pub about: &'static str,
    /// Measures it.
    pub run: fn(Options) -> BoxFuture<'static, Result<Report>>,
}

/// What all scenarios can be told.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Windows measured of each side, in turns.
    pub windows: u32,
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[Scenario {
    name: "media",
    about: "64 uploads of 16 MiB at once, against a server that only writes what comes",
    run: |options| Box::pin(media::run(options)),
}];
