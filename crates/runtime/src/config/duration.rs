//! `#[serde(with = "parlor_runtime::config::duration")]`: a [`Duration`] written as `60days`, `1m 30s`, `500ms`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

/// Days are the largest unit written: months and years have no length that everybody agrees on.
const DAY: u64 = 24 * 60 * 60;

/// Writes it with units.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&text(*value))
}

fn text(value: Duration) -> String {
    let days = value.as_secs() / DAY;
    let rest = value - Duration::from_secs(days * DAY);
    let unit = if days == 1 { "day" } else { "days" };
    match (days, rest) {
        (0, rest) => humantime::format_duration(rest).to_string(),
        (days, Duration::ZERO) => format!("{days}{unit}"),
        (days, rest) => format!("{days}{unit} {}", humantime::format_duration(rest)),
    }
}

/// Reads it; a number without a unit is refused.
///
/// # Errors
/// The text is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        de::Error::custom(format!("is {text:?}, expected a duration such as \"10s\": {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_short_and_reads_as_the_same() {
        let (ms, s) = (Duration::from_millis, Duration::from_secs);
        let texts = [
            (Duration::ZERO, "0s"),
            (ms(1500), "1s 500ms"),
            (s(86_399), "23h 59m 59s"),
            (s(86_400), "1day"),
            (s(60 * 86_400), "60days"),
            (s(365 * 86_400 + 90), "365days 1m 30s"),
        ];
        for (value, written) in texts {
            assert_eq!(text(value), written);
            assert_eq!(humantime::parse_duration(written), Ok(value));
        }
    }
}
