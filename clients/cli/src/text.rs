//! Text for terminals: what others wrote cannot do anything to them; times as people read them.

use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

pub use parlor_tui::text::{harmless, is_harmful, one_line, size};

/// Bytes for programs.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 3339 in UTC, for programs; empty if there is none.
pub fn rfc3339(time: Option<prost_types::Timestamp>) -> String {
    timestamp(time).map(|time| time.to_string()).unwrap_or_default()
}

/// In local time: the time of day, and the date unless it is within the last twelve hours.
pub fn local(time: Option<prost_types::Timestamp>, now: SystemTime) -> String {
    let (Some(time), Ok(now)) = (timestamp(time), Timestamp::try_from(now)) else {
        return "--:--".to_owned();
    };
    let recent = now.checked_sub(12.hours()).is_ok_and(|past| time >= past);
    let format = if recent { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    time.to_zoned(TimeZone::system()).strftime(format).to_string()
}

fn timestamp(time: Option<prost_types::Timestamp>) -> Option<Timestamp> {
    let time = time?;
    Timestamp::new(time.seconds, time.nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_hexadecimal_for_programs() {
        assert_eq!(hex(&[0, 0xab]), "00ab");
    }

    #[test]
    fn times_are_short_when_recent() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
        assert_eq!(local(at(1_800_000_000 - 60), now).len(), "12:34".len());
        assert_eq!(local(at(1_700_000_000), now).len(), "2023-11-14 12:34".len());
        assert_eq!(local(None, now), "--:--");
        assert_eq!(rfc3339(at(1_700_000_000)), "2023-11-14T22:13:20Z");
    }
}
