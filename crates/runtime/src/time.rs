//! Time as stores keep it: milliseconds since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    fn milliseconds_are_rounded_down() {
        let micros = Duration::from_micros(1500);
        assert_eq!((to_millis(UNIX_EPOCH + micros), to_millis(UNIX_EPOCH - micros)), (1, -2));
        assert_eq!(to_millis(from_millis(-7)), -7);
    }
}
