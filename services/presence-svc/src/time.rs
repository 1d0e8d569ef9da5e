//! Time as rules are handed it, and as stores keep it.

use std::time::{Instant, SystemTime};

use parlor_runtime::time::{from_millis, to_millis};

/// Milliseconds in a minute.
const MINUTE: i64 = 60_000;

/// One reading of both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For what is measured.
    pub instant: Instant,
    /// For what is shown and stored.
    pub wall: SystemTime,
}

/// A whole minute, counted from 1970, UTC: all that is ever kept of when somebody was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(pub i64);

impl Minute {
    /// The minute that `time` lies in.
    #[must_use]
    pub fn of(time: SystemTime) -> Self {
        Self(to_millis(time).div_euclid(MINUTE))
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self) -> SystemTime {
        from_millis(self.0.saturating_mul(MINUTE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_rounded_down_on_both_sides_of_1970() {
        let at = |millis: i64| Minute::of(from_millis(millis));
        assert_eq!((at(0), at(59_999), at(60_000)), (Minute(0), Minute(0), Minute(1)));
        assert_eq!((at(-1), at(-60_000), at(-60_001)), (Minute(-1), Minute(-1), Minute(-2)));
        assert_eq!(to_millis(Minute(-2).start()), -120_000);
    }
}
