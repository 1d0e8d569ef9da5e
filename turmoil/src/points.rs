//! The places where the network hurts, counted: a run over many seeds in which one of them was never met proves less than
//! it says.

use std::collections::BTreeMap;
use std::fmt;

/// A place that a seed can get to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A connection ended in silence with a call under way on it.
    CallCut,
    /// The server gave up a connection on which nothing came any more.
    ServerFoundSilence,
    /// A client gave up a connection on which nothing came any more.
    ClientFoundSilence,
    /// The server said on a connection that it will take no more calls on it, and one was under way.
    GoawayMetCall,
    /// A server that was asked to stop did so.
    Stopped,
    /// The server died with calls under way, and its machine told the peers.
    ServerDied,
    /// It died with its machine, and nobody told them.
    MachineDied,
    /// A connection was refused, as nobody listened.
    Refused,
    /// A connection did not come about in time.
    ConnectTimedOut,
    /// A client and the server were cut off from each other.
    Partitioned,
    /// What one of them said was lost, and the other was heard.
    OneWay,
    /// What was said was held, and came later.
    Held,
    /// What was said took long.
    Slow,
    /// A few segments were lost.
    Lost,
    /// Many clients came back from losing their server.
    StormPassed,
}

impl Point {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::CallCut,
        Self::ServerFoundSilence,
        Self::ClientFoundSilence,
        Self::GoawayMetCall,
        Self::Stopped,
        Self::ServerDied,
        Self::MachineDied,
        Self::Refused,
        Self::ConnectTimedOut,
        Self::Partitioned,
        Self::OneWay,
        Self::Held,
        Self::Slow,
        Self::Lost,
        Self::StormPassed,
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
