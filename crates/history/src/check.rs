//! Holding a history against the promises. Each rule stands in a file of its own, and none stops at the first thing wrong.

mod complete;
mod heard;
mod index;
mod log;
mod marks;
mod once;
mod order;
mod private;
mod readers;
mod unread;

use std::fmt;

use crate::{Event, History, Line};

use index::Index;

/// Violations told of by [`History::assert_good`]; what is broken once is mostly broken often.
const TOLD: usize = 20;

/// What is promised; `docs/guarantees.md` says it in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// What was acked is there.
    G1,
    /// Each append takes effect once.
    G2,
    /// One order without a gap, the same for every reader.
    G3,
    /// Acked before sent means a smaller seq; a lane keeps its order.
    G4,
    /// A member can get everything of its membership, and knows that it has.
    G5,
    /// What is shown is what is so: receipts and unread counts.
    G6,
    /// Nobody gets anything outside their membership, or after the end of their session.
    G7,
}

/// A line, and if it tells of many entries, which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Index in [`History::lines`].
    pub line: usize,
    /// The seq.
    pub seq: Option<u64>,
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub guarantee: Guarantee,
    /// What was seen.
    pub what: String,
    /// No fewer lines show it.
    pub evidence: Vec<Evidence>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.guarantee, self.what)
    }
}

/// Where rules tell what they find.
#[derive(Default)]
struct Report(Vec<Violation>);

impl Report {
    fn broken(&mut self, guarantee: Guarantee, what: String, evidence: impl IntoIterator<Item = Evidence>) {
        let mut evidence: Vec<_> = evidence.into_iter().collect();
        evidence.sort_unstable();
        evidence.dedup();
        self.0.push(Violation { guarantee, what, evidence });
    }
}

impl From<usize> for Evidence {
    fn from(line: usize) -> Self {
        Self { line, seq: None }
    }
}

impl History {
    /// Everything that is wrong, by guarantee.
    #[must_use]
    pub fn check(&self) -> Vec<Violation> {
        let mut report = Report::default();
        let index = Index::of(self.lines(), &mut report);
        for rule in [
            once::check,
            order::check,
            readers::check,
            complete::check,
            heard::check,
            marks::check,
            unread::check,
            private::check,
        ] {
            rule(&index, &mut report);
        }
        report.0.sort_by_key(|violation| violation.guarantee);
        report.0
    }

    /// The lines that show a violation, each with its index in [`History::lines`] and with no more entries than it takes.
    #[must_use]
    pub fn slice(&self, violation: &Violation) -> Vec<(usize, Line)> {
        let lines = violation.evidence.chunk_by(|one, other| one.line == other.line);
        let cut = lines.filter_map(|group| {
            let index = group.first()?.line;
            let mut line = self.lines().get(index)?.clone();
            if let Event::Applied { entries, .. } | Event::Page { entries, .. } = &mut line.event
                && group.iter().any(|evidence| evidence.seq.is_some())
            {
                entries.retain(|entry| group.iter().any(|evidence| evidence.seq == Some(entry.seq)));
            }
            Some((index, line))
        });
        cut.collect()
    }

    /// Panics with what is wrong.
    ///
    /// # Panics
    /// Something is wrong.
    pub fn assert_good(&self) {
        let found = self.check();
        let told = found.iter().take(TOLD).map(|violation| {
            let lines = self.slice(violation);
            let lines =
                lines.iter().map(|(_, line)| format!("\n    {} {}: {:?}", line.at, line.client, line.event));
            format!("{violation}{}", lines.collect::<String>())
        });
        let told: Vec<_> = told.collect();
        assert!(found.is_empty(), "{} violations:\n{}", found.len(), told.join("\n"));
    }
}
