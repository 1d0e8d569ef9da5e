//! The client's core and chat-svc together in one thread, under one seeded scheduler, clock, network and disk.
//!
//! What runs is what ships: [`parlor_client::core`] over its store, and of chat-svc the streams, sessions, appenders and
//! router, joined as its `App` joins them. Simulated is what they stand on: `chat_svc::store::Store` is the model store
//! behind a disk that fails, the transport a queue that delays, breaks and goes half-open, the clock one that is moved by
//! hand, and auth-svc and media-svc are not needed.
//!
//! # Why the same seed does the same
//!
//! There is one thread. The world goes in ticks, and in each does everything in a fixed order; within chat-svc tasks run on
//! a Tokio runtime of one thread whose time is paused: it goes on when every task waits, by as much as the tick. Chance
//! comes from generators made of the seed, one for each part, so that leaving a step out moves the others as little as may
//! be. Nothing here asks the machine's clock or iterates over a map with random keys; that chat-svc's maps have such keys
//! is no matter as long as no order comes from them, which the test of the trace would show.
//!
//! A run ends with heal, convergence of all clients with the store, and [`parlor_history`].

mod around;
mod disk;
mod liar;
mod net;
mod panics;
mod phone;
mod planted;
mod points;
mod record;
mod schedule;
mod service;
mod shrink;
mod world;

pub use planted::Planted;
pub use points::{Point, Points};
pub use schedule::{Planned, Step, plan};
pub use shrink::shrunk;
pub use world::Ended;

use world::World;

/// Runs steps in the world of a seed.
#[must_use]
pub fn run(seed: u64, steps: &[Planned], planted: Option<Planted>) -> Ended {
    let (ended, panics) = panics::caught(|| World::new(seed, planted).run(steps));
    let mut ended = ended.unwrap_or_else(|| Ended { trace: 0, points: Points::default(), wrong: None });
    if !panics.is_empty() {
        ended.wrong = Some(panics.join("\n"));
    }
    ended
}
