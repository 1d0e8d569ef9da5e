//! What clients saw of a server, line by line, and whether the server kept its promises.
//!
//! A [`Recorder`] takes down what a client asks, is answered and takes in; a client in another language writes the same
//! lines of JSON itself (`docs/histories.md` has the format). [`History::check`] holds any number of such files against
//! the guarantees. It knows nothing of how a server works: what it says is seen from outside alone.

mod check;
mod event;
mod file;
mod flat;
mod history;
mod id;
mod recorder;
mod seen;
mod stretches;

pub use check::{Evidence, Guarantee, Violation};
pub use event::{Event, Line};
pub use file::{FileError, read, write};
pub use history::{History, Place, Summary};
pub use recorder::Recorder;
pub use seen::{NoId, Seen, digest};

/// A moment, in nanoseconds on a clock that never goes back and is the same for all clients of a history.
pub type Nanos = u64;
