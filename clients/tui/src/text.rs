//! Text for terminals: what others wrote cannot do anything to them, and takes the room it is given.

mod bidi;
mod wrap;

use std::borrow::Cow;

pub use bidi::{Glyph, is_rtl, visual};
pub use wrap::{cut, width, wrap};

/// Text of others, on one line or several, with every control character made visible. Marks that change the direction of
/// what follows are control characters too: they could make a line look as if somebody else had said it.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| is_harmful(c) && c != '\n') {
        Cow::Owned(text.chars().map(|c| if is_harmful(c) && c != '\n' { visible(c) } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The same, on one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { visible(c) } else { c }).collect()
}

/// A character that would steer a terminal, or make others look other than they are.
#[must_use]
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
#[must_use]
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
    }
}
