//! When something between two users is said to have changed.
//!
//! Whoever did it knows when. The other is told no more than the day: the moment would say when somebody was there whose
//! last seen they may not see.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Times are kept in milliseconds.
const LEAST: Duration = Duration::from_millis(1);

/// Whose side of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Of the one who did it.
    Oneself,
    /// Of the other.
    TheOther,
}

/// When a side that changes at `now` is said to have changed, after it was said to have changed at `before`: always later,
/// as clients take the later of two answers.
#[must_use]
pub fn changed_at(now: SystemTime, before: Option<SystemTime>, by: By) -> SystemTime {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let told = match by {
        By::Oneself => since,
        By::TheOther => Duration::from_secs(since.as_secs() / DAY.as_secs() * DAY.as_secs()),
    };
    let told = UNIX_EPOCH + told;
    before.map_or(told, |before| told.max(before + LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: u64, millis: u64) -> SystemTime {
        UNIX_EPOCH + DAY * u32::try_from(days).unwrap() + Duration::from_millis(millis)
    }

    #[test]
    fn only_who_did_it_is_told_when() {
        assert_eq!(changed_at(at(7, 50_001), None, By::Oneself), at(7, 50_001));
        assert_eq!(changed_at(at(7, 50_001), None, By::TheOther), at(7, 0));
        assert_eq!(changed_at(at(7, 50_001), Some(at(6, 99)), By::TheOther), at(7, 0));
    }

    #[test]
    fn it_never_goes_back_and_says_no_more_than_was_known() {
        let own = Some(at(7, 40_000));
        assert_eq!(changed_at(at(7, 50_000), own, By::TheOther), at(7, 40_001));
        assert_eq!(changed_at(at(7, 40_001), Some(at(7, 40_001)), By::Oneself), at(7, 40_002));
        assert_eq!(changed_at(at(6, 0), own, By::Oneself), at(7, 40_001), "the clock was put back");
    }
}
