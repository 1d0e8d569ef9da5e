//! How much one person may upload and keep.

use std::time::Duration;

use crate::media::Purpose;

/// Milliseconds in an hour: what is begun is counted by the hour.
const HOUR: i64 = 60 * 60 * 1000;
/// Hours that a day has.
const DAY: i64 = 24;

/// What one person may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of a picture of a person or a group.
    pub avatar_bytes: u64,
    /// Bytes of all files and uploads together.
    pub stored_bytes: u64,
    /// Uploads begun in a day.
    pub uploads_per_day: u32,
    /// Bytes of these.
    pub bytes_per_day: u64,
    /// Uploads that are not finished.
    pub unfinished: u32,
}

/// What one person has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of all files and uploads; declared ones from the beginning of the upload on.
    pub stored_bytes: u64,
    /// Uploads that are not finished.
    pub unfinished: u32,
    /// Uploads begun in the last day.
    pub uploads_today: u32,
    /// Bytes of these.
    pub bytes_today: u64,
    /// The hour in which the first of these was begun.
    pub first_hour: Option<Hour>,
}

/// Why an upload may not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// The file is larger than one may be: this many bytes.
    File(u64),
    /// There is no room for it beside what is kept.
    Stored,
    /// Too much was begun in the last day; some of it leaves it after this time.
    Day(Duration),
    /// Too many uploads are not finished.
    Unfinished,
}

/// A whole hour, counted from 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour(pub i64);

impl Hour {
    /// The hour of a time in milliseconds.
    #[must_use]
    pub fn of(millis: i64) -> Self {
        Self(millis.div_euclid(HOUR))
    }

    /// The first hour of the day that ends with this one.
    #[must_use]
    pub fn day_begins(self) -> Self {
        Self(self.0.saturating_sub(DAY - 1))
    }
}

impl Quota {
    /// Whether a file may be as large.
    ///
    /// # Errors
    /// It may not.
    pub fn check_size(&self, size: u64, purpose: Purpose) -> Result<(), Exceeded> {
        let most = match purpose {
            Purpose::Avatar => self.avatar_bytes.min(self.file_bytes),
            Purpose::Image | Purpose::File | Purpose::Voice | Purpose::Video => self.file_bytes,
        };
        if size > most { Err(Exceeded::File(most)) } else { Ok(()) }
    }

    /// Whether somebody who has `usage` may begin to upload this many bytes at a time in milliseconds.
    ///
    /// # Errors
    /// They may not.
    pub fn check(&self, usage: &Usage, size: u64, now: i64) -> Result<(), Exceeded> {
        if usage.unfinished >= self.unfinished {
            return Err(Exceeded::Unfinished);
        }
        let within = |has: u64, most: u64| has.checked_add(size).is_some_and(|sum| sum <= most);
        if !within(usage.stored_bytes, self.stored_bytes) {
            return Err(Exceeded::Stored);
        }
        if usage.uploads_today >= self.uploads_per_day || !within(usage.bytes_today, self.bytes_per_day) {
            let first = usage.first_hour.unwrap_or_else(|| Hour::of(now));
            let leaves = first.0.saturating_add(DAY).saturating_mul(HOUR);
            let wait = u64::try_from(leaves.saturating_sub(now)).unwrap_or_default();
            return Err(Exceeded::Day(Duration::from_millis(wait)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        file_bytes: 100,
        avatar_bytes: 10,
        stored_bytes: 250,
        uploads_per_day: 3,
        bytes_per_day: 500,
        unfinished: 2,
    };

    #[test]
    fn each_limit_holds_and_no_less() {
        let has = Usage::default();
        assert_eq!(QUOTA.check_size(100, Purpose::File), Ok(()));
        assert_eq!(QUOTA.check_size(101, Purpose::File), Err(Exceeded::File(100)));
        assert_eq!(QUOTA.check_size(11, Purpose::Avatar), Err(Exceeded::File(10)));
        assert_eq!(QUOTA.check(&Usage { stored_bytes: 150, ..has }, 100, 0), Ok(()));
        assert_eq!(QUOTA.check(&Usage { stored_bytes: 151, ..has }, 100, 0), Err(Exceeded::Stored));
        assert_eq!(QUOTA.check(&Usage { stored_bytes: u64::MAX, ..has }, 100, 0), Err(Exceeded::Stored));
        assert_eq!(QUOTA.check(&Usage { unfinished: 2, ..has }, 1, 0), Err(Exceeded::Unfinished));
        assert_eq!(QUOTA.check(&Usage { bytes_today: 400, uploads_today: 2, ..has }, 100, 0), Ok(()));
    }

    #[test]
    fn a_day_that_was_too_much_says_when_it_is_over() {
        let now = 100 * HOUR + 1;
        let full = Usage { uploads_today: 3, first_hour: Some(Hour(80)), ..Usage::default() };
        let wait = Duration::from_millis(u64::try_from(4 * HOUR - 1).unwrap());
        assert_eq!(QUOTA.check(&full, 1, now), Err(Exceeded::Day(wait)));
        let full = Usage { bytes_today: 401, first_hour: Some(Hour(100)), ..Usage::default() };
        assert!(
            matches!(QUOTA.check(&full, 100, now), Err(Exceeded::Day(wait)) if wait.as_secs() > 23 * 3600)
        );
        assert_eq!(Hour(100).day_begins(), Hour(77));
        assert_eq!(Hour::of(-1), Hour(-1));
    }
}
