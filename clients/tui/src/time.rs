//! Days and times as people read them, in a time zone and by a clock that are handed in.

use std::time::SystemTime;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// What a clock says, and where it hangs.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Now.
    pub now: SystemTime,
    /// Where.
    pub zone: TimeZone,
}

impl Clock {
    fn zoned(&self, at: Option<prost_types::Timestamp>) -> Option<Zoned> {
        let at = at?;
        Some(Timestamp::new(at.seconds, at.nanos).ok()?.to_zoned(self.zone.clone()))
    }

    fn today(&self) -> Option<Date> {
        Some(Timestamp::try_from(self.now).ok()?.to_zoned(self.zone.clone()).date())
    }

    /// The day of something.
    #[must_use]
    pub fn day(&self, at: Option<prost_types::Timestamp>) -> Option<Date> {
        self.zoned(at).map(|at| at.date())
    }

    /// `14:02`.
    #[must_use]
    pub fn time(&self, at: Option<prost_types::Timestamp>) -> String {
        self.zoned(at).map_or_else(|| "--:--".to_owned(), |at| at.strftime("%H:%M").to_string())
    }

    /// As short as it can be said: the time today, the weekday within a week, else the date.
    #[must_use]
    pub fn short(&self, at: Option<prost_types::Timestamp>) -> String {
        let (Some(at), Some(today)) = (self.zoned(at), self.today()) else { return String::new() };
        let ago = days(at.date(), today);
        let format = match ago {
            0 => "%H:%M",
            1..7 => "%a",
            _ if at.year() == today.year() => "%d %b",
            _ => "%b %Y",
        };
        at.strftime(format).to_string()
    }

    /// The line above the messages of a day.
    #[must_use]
    pub fn heading(&self, day: Date) -> String {
        let ago = self.today().map(|today| days(day, today));
        let said = day.strftime("%A, %-d %B %Y").to_string();
        match ago {
            Some(0) => format!("Today, {}", day.strftime("%-d %B %Y")),
            Some(1) => format!("Yesterday, {}", day.strftime("%-d %B %Y")),
            _ => said,
        }
    }

    /// `last seen 5 min ago`.
    #[must_use]
    pub fn last_seen(&self, at: prost_types::Timestamp) -> String {
        let now = Timestamp::try_from(self.now).map_or(0, Timestamp::as_second);
        let minutes = now.saturating_sub(at.seconds).max(0) / 60;
        let at = Some(at);
        match minutes {
            0 => "last seen just now".to_owned(),
            1..60 => format!("last seen {minutes} min ago"),
            _ if self.day(at) == self.today() => format!("last seen {}", self.time(at)),
            _ => format!("last seen {} {}", self.short(at), self.time(at)),
        }
    }

    /// Reads a day as people write it: `2026-11-23`, `23.11.`, `today`, `yesterday`, `3d`, `2w`.
    #[must_use]
    pub fn read_day(&self, text: &str) -> Option<Date> {
        let (text, today) = (text.trim().to_lowercase(), self.today()?);
        let back = |number: &str, unit: i32| {
            let count = number.parse::<i32>().ok()?.checked_mul(unit)?;
            today.checked_sub(Span::new().try_days(count).ok()?).ok()
        };
        match text.as_str() {
            "today" => Some(today),
            "yesterday" => back("1", 1),
            other if other.ends_with('d') => back(other.trim_end_matches('d'), 1),
            other if other.ends_with('w') => back(other.trim_end_matches('w'), 7),
            other if other.contains('.') => {
                let mut parts = other.split('.').map(str::trim).filter(|part| !part.is_empty());
                let (day, month) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
                let year = parts.next().map_or(Some(today.year()), |year| year.parse().ok())?;
                Date::new(year, month, day).ok()
            }
            other => other.parse().ok(),
        }
    }

    /// When a day begins here.
    #[must_use]
    pub fn begin_of(&self, day: Date) -> Option<SystemTime> {
        Some(day.to_zoned(self.zone.clone()).ok()?.timestamp().into())
    }
}

fn days(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn clock() -> Clock {
        // 2027-01-15 08:00:00 UTC, a Friday.
        Clock { now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000), zone: TimeZone::UTC }
    }

    fn ago(seconds: i64) -> Option<prost_types::Timestamp> {
        Some(prost_types::Timestamp { seconds: 1_800_000_000 - seconds, nanos: 0 })
    }

    #[test]
    fn times_are_as_short_as_they_can_be() {
        for (seconds, text) in [
            (60, "07:59"),
            (86_400, "Thu"),
            (6 * 86_400, "Sat"),
            (7 * 86_400, "08 Jan"),
            (60 * 86_400, "Nov 2026"),
            (-60, "08:01"),
        ] {
            assert_eq!(clock().short(ago(seconds)), text);
        }
        assert_eq!(clock().time(None), "--:--");
    }

    #[test]
    fn last_seen_is_said_as_people_say_it() {
        for (seconds, text) in [
            (5, "last seen just now"),
            (300, "last seen 5 min ago"),
            (7_200, "last seen 06:00"),
            (86_400, "last seen Thu 08:00"),
        ] {
            assert_eq!(clock().last_seen(ago(seconds).unwrap()), text);
        }
    }

    #[test]
    fn days_are_read_in_many_ways() {
        let day = |text| clock().read_day(text).map(|day| day.to_string());
        for (text, expected) in [
            ("today", "2027-01-15"),
            ("Yesterday", "2027-01-14"),
            ("3d", "2027-01-12"),
            ("2w", "2027-01-01"),
            ("2026-11-23", "2026-11-23"),
            ("5.1.", "2027-01-05"),
            ("24.12.2026", "2026-12-24"),
        ] {
            assert_eq!(day(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(day("soon"), None);
        assert_eq!(day("99999999999999999999d"), None);
        assert_eq!(day("9223372036854775807w"), None);
    }
}
