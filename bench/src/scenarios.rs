//! The scenarios.

mod fan_out;
pub mod history;
mod idle;
mod login;
mod media;
mod messages;
mod never_read;
mod resume;
mod traffic;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::future::BoxFuture;
use tempfile::TempDir;

use crate::progress::Progress;
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

/// What scenarios can be told; each looks at what concerns it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Windows measured of each side, in turns.
    pub windows: u32,
    /// How long a window is in which messages are counted.
    pub window: Duration,
    /// Messages a second of the open loop: each rate is measured by itself.
    pub rates: Vec<f64>,
    /// Idle streams.
    pub streams: usize,
    /// Where it says how far it is.
    pub progress: Progress,
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "messages-1",
        about: "256 people in pairs, each with 1 message unanswered",
        run: |options| Box::pin(messages::closed(options, 1)),
    },
    Scenario {
        name: "messages-16",
        about: "256 people in pairs, each with 16 messages unanswered",
        run: |options| Box::pin(messages::closed(options, 16)),
    },
    Scenario {
        name: "open",
        about: "256 people in pairs, so many messages a second whatever becomes of them",
        run: |options| Box::pin(messages::open(options)),
    },
    Scenario {
        name: "fan-out",
        about: "22 groups of 11: one writes, ten read",
        run: |options| Box::pin(fan_out::run(options)),
    },
    Scenario {
        name: "idle",
        about: "Streams on which nothing happens: what they take",
        run: |options| Box::pin(idle::run(options)),
    },
    Scenario {
        name: "never-read",
        about: "128 people in pairs, beside 1,000 others who never read",
        run: |options| Box::pin(never_read::run(options)),
    },
    Scenario {
        name: "login",
        about: "Log-ins with a wrong password, of people who are there and of nobody",
        run: |options| Box::pin(login::run(options)),
    },
    Scenario {
        name: "resume",
        about: "1,000 people come back at once, and have missed 50 messages each",
        run: |options| Box::pin(resume::run(options)),
    },
    Scenario {
        name: "media",
        about: "1 GiB: 64 uploads of 16 MiB at once",
        run: |options| Box::pin(media::run(options)),
    },
    Scenario {
        name: "history",
        about: "1,000,000 lines of histories, held against the guarantees",
        run: |options| Box::pin(history::run(options)),
    },
];

/// Where servers keep their data, for as long as it is held: beside the program, as what is for passing files may lie in
/// memory.
fn folder() -> Result<TempDir> {
    let own: PathBuf = std::env::current_exe()?;
    Ok(tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(own.parent().context("a program lies in a folder")?)?)
}
