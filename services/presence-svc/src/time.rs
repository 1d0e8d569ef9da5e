//! Time as rules are handed it, and as stores keep it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// Whole milliseconds since 1970, rounded down; stops at the ends.
#[must_use]
pub fn to_millis(time: SystemTime) -> i64 {
    let millis = |distance: Duration| i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => {
            let before = before.duration();
            let partial = i64::from(before.subsec_nanos() % 1_000_000 > 0);
            (-millis(before)).saturating_sub(partial)
        }
    }
}

/// The moment this many milliseconds after 1970.
#[must_use]
pub fn from_millis(millis: i64) -> SystemTime {
    let distance = Duration::from_millis(millis.unsigned_abs());
    let moment = if millis < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    moment.unwrap_or(UNIX_EPOCH)
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

    #[test]
    fn milliseconds_are_rounded_down() {
        let micros = Duration::from_micros(1500);
        assert_eq!((to_millis(UNIX_EPOCH + micros), to_millis(UNIX_EPOCH - micros)), (1, -2));
        assert_eq!(to_millis(from_millis(-7)), -7);
    }
}
