//! What clients saw, for the checker, and the trace of a run: a number that is the same when everything happened the same.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;

use parlor_history::{Event, History, Line};

use crate::points::{Point, Points};

/// See the module.
#[derive(Default)]
pub struct Record {
    lines: Vec<Line>,
    /// Its keys are fixed, as those of a `HashMap` are not.
    hasher: DefaultHasher,
    /// What was met.
    pub points: Points,
    /// The latest time it was told.
    pub now: Duration,
}

impl Record {
    /// A client saw or did this.
    pub fn line(&mut self, client: &str, event: Event) {
        let at = u64::try_from(self.now.as_nanos()).unwrap_or(u64::MAX);
        self.trace(&(at, client));
        self.trace(&format!("{event:?}"));
        self.lines.push(Line { at, client: client.into(), event });
    }

    /// Something happened of which nobody tells the checker.
    pub fn trace(&mut self, what: &(impl Hash + ?Sized)) {
        what.hash(&mut self.hasher);
    }

    /// A point was met.
    pub fn meet(&mut self, point: Point) {
        self.points.meet(point);
    }

    /// The run as a number.
    pub fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// All of it.
    pub fn history(&self) -> History {
        History::new(self.lines.clone())
    }
}
