//! Moments as stores keep them.

use std::time::{Duration, Instant, SystemTime};

use parlor_runtime::time::{from_millis, to_millis};

/// A moment in whole milliseconds since 1970, UTC. Arithmetic stops at the ends instead of wrapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// From milliseconds since 1970.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// This much earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        Self(to_millis(time))
    }
}

impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> Self {
        from_millis(moment.0)
    }
}

/// One reading of both clocks: rules that need the time are given it.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For what is stored.
    pub moment: Moment,
    /// For what is measured.
    pub instant: Instant,
}
