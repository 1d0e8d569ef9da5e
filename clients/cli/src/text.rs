//! Text for terminals: what others wrote cannot do anything to them; times as people read them.

use std::borrow::Cow;
use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// Text of others, on one line or several, with every control character made visible. Marks that change the direction of
/// what follows are control characters too: they could make a line look as if somebody else had said it.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| is_harmful(c) && c != '\n') {
        Cow::Owned(text.chars().map(|c| if is_harmful(c) && c != '\n' { visible(c) } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The same, on one line.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { visible(c) } else { c }).collect()
}

/// A character that would steer a terminal, or make others look other than they are.
pub fn is_harmful(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\t') || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Unicode has pictures of the first control characters; the others get a box.
fn visible(c: char) -> char {
    match u32::from(c) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
        0x7f => '\u{2421}',
        _ => '\u{fffd}',
    }
}

/// Bytes as people read them: thousands, not 1,024s.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

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
    fn what_others_write_cannot_steer_the_terminal() {
        assert_eq!(harmless("plain ä 漢 👋\ttab\nline"), "plain ä 漢 👋\ttab\nline");
        assert_eq!(harmless("\u{1b}[2Jgone\r\u{7}"), "\u{241b}[2Jgone\u{240d}\u{2407}");
        assert_eq!(harmless("\u{9b}31m \u{7f} \u{202e}x"), "\u{fffd}31m \u{2421} \u{fffd}x");
        assert_eq!(one_line("a\nb\u{2028}c"), "a\u{240a}b\u{fffd}c");
    }

    #[test]
    fn sizes_are_read_at_a_glance() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (3_250_000, "3.2 MB"),
            (999_999, "999.9 kB"),
            (5_368_709_120, "5.3 GB"),
            (u64::MAX, "18446.7 PB"),
        ] {
            assert_eq!(size(bytes), text);
        }
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
