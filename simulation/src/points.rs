//! The places where faults hurt, counted: a run over many seeds in which one of them was never met proves less than it says.

use std::collections::BTreeMap;
use std::fmt;

/// A place that a seed can get to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// chat-svc ended when a batch was stored and nobody had been told.
    CrashBetweenCommitAndAck,
    /// chat-svc ended when a batch had been handed to the store and was not stored.
    CrashBeforeCommit,
    /// A batch was stored, and the store could not say so.
    CommitAnswerLost,
    /// A batch was not stored, and the store could not say so.
    CommitFailed,
    /// The store had no room.
    StoreFull,
    /// The store had too much to do.
    StoreBusy,
    /// The store stopped for good.
    StoreStopped,
    /// The store could not be read.
    StoreUnreadable,
    /// What was sent again was there already.
    RetryFoundItsOp,
    /// A `base_seq` above the head.
    BaseAhead,
    /// An append behind one that was refused.
    LaneBroken,
    /// A client was told of a head instead of the entries.
    OverflowToHeads,
    /// A client fetched what it had missed.
    GapFetched,
    /// A stream was displaced by a newer one of its session.
    Displaced,
    /// A stream ended because nothing came from its client.
    SilentClient,
    /// A client gave up a stream on which nothing came.
    SilentServer,
    /// A client was told of a new life of the store.
    Restored,
    /// A client began again between two of its steps.
    ClientCrashed,
    /// A client went on from an older copy of what it had saved.
    ClientPutBack,
    /// chat-svc stood still.
    ServiceFrozen,
    /// A client stood still.
    ClientFrozen,
    /// The time of day went back.
    ClockWentBack,
    /// The time of day went forth.
    ClockWentForth,
    /// What was on its way came late.
    Late,
    /// A connection broke, and what was on its way was lost.
    LostOnTheWay,
    /// A connection went half-open.
    HalfOpen,
    /// A push came before one that was sent earlier.
    Overtaken,
    /// A push came twice.
    Doubled,
    /// A stream ended because its session did.
    SessionEnded,
    /// A session that had ended came for another stream.
    EndedAtTheDoor,
    /// A client broke the rules and was shown out.
    LiarShownOut,
    /// Somebody was removed, and took part again later.
    CameBack,
}

impl Point {
    /// All of them.
    pub const ALL: [Self; 32] = [
        Self::CrashBetweenCommitAndAck,
        Self::CrashBeforeCommit,
        Self::CommitAnswerLost,
        Self::CommitFailed,
        Self::StoreFull,
        Self::StoreBusy,
        Self::StoreStopped,
        Self::StoreUnreadable,
        Self::RetryFoundItsOp,
        Self::BaseAhead,
        Self::LaneBroken,
        Self::OverflowToHeads,
        Self::GapFetched,
        Self::Displaced,
        Self::SilentClient,
        Self::SilentServer,
        Self::Restored,
        Self::ClientCrashed,
        Self::ClientPutBack,
        Self::ServiceFrozen,
        Self::ClientFrozen,
        Self::ClockWentBack,
        Self::ClockWentForth,
        Self::Late,
        Self::LostOnTheWay,
        Self::HalfOpen,
        Self::Overtaken,
        Self::Doubled,
        Self::SessionEnded,
        Self::EndedAtTheDoor,
        Self::LiarShownOut,
        Self::CameBack,
    ];
}

/// How often each was met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Points(BTreeMap<Point, u64>);

impl Points {
    /// It was met once more.
    pub fn meet(&mut self, point: Point) {
        *self.0.entry(point).or_default() += 1;
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (point, times) in &other.0 {
            *self.0.entry(*point).or_default() += times;
        }
    }

    /// Those that were never met.
    #[must_use]
    pub fn missing(&self) -> Vec<Point> {
        Point::ALL.into_iter().filter(|point| !self.0.contains_key(point)).collect()
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for point in Point::ALL {
            let times = self.0.get(&point).copied().unwrap_or(0);
            writeln!(f, "{times:>9}  {point:?}")?;
        }
        Ok(())
    }
}
