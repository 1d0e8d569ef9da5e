//! Lines that are read from right to left, put into the order in which a terminal shows cells.
//!
//! A terminal is told not to do this itself (`CSI 8 l`, <https://terminal-wg.pages.freedesktop.org/bidi/>), so that borders
//! and columns stay where they are, and what is shown is the same on terminals that could and on those that could not.

use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};
use unicode_segmentation::UnicodeSegmentation as _;

use super::width;

/// What one or two cells show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyph<'a> {
    /// The character with all that belongs to it.
    pub text: &'a str,
    /// Where it begins in the line, in bytes.
    pub at: usize,
    /// Columns that it takes.
    pub columns: usize,
}

/// Whether a paragraph begins, in its first strong character, from the right.
#[must_use]
pub fn is_rtl(paragraph: &str) -> bool {
    let strong = |c| match bidi_class(c) {
        BidiClass::L => Some(false),
        BidiClass::R | BidiClass::AL => Some(true),
        _ => None,
    };
    !paragraph.is_ascii() && paragraph.chars().find_map(strong).unwrap_or(false)
}

/// The glyphs of one line from left to right, as they are seen. `rtl` is the direction of its paragraph.
#[must_use]
pub fn visual(line: &str, rtl: bool) -> Vec<Glyph<'_>> {
    let turns = |c| matches!(bidi_class(c), BidiClass::R | BidiClass::AL | BidiClass::AN);
    if line.is_ascii() || !(rtl || line.chars().any(turns)) {
        return glyphs(line, 0).collect();
    }
    let base = if rtl { Level::rtl() } else { Level::ltr() };
    let info = BidiInfo::new(line, Some(base));
    let mut seen = Vec::new();
    for paragraph in &info.paragraphs {
        let (levels, runs) = info.visual_runs(paragraph, paragraph.range.clone());
        for run in runs {
            let from_right = levels[run.start].is_rtl();
            let in_order = glyphs(&line[run.clone()], run.start);
            if from_right {
                let mut turned: Vec<_> = in_order.map(mirrored).collect();
                turned.reverse();
                seen.extend(turned);
            } else {
                seen.extend(in_order);
            }
        }
    }
    seen
}

fn glyphs(text: &str, offset: usize) -> impl Iterator<Item = Glyph<'_>> {
    let all = text.grapheme_indices(true);
    all.map(move |(at, text)| Glyph { text, at: offset + at, columns: width(text) })
}

/// Brackets open the other way round.
fn mirrored(glyph: Glyph<'_>) -> Glyph<'_> {
    const PAIRS: [(&str, &str); 5] = [("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ("«", "»")];
    let text = PAIRS.iter().find_map(|(open, close)| match glyph.text {
        text if text == *open => Some(*close),
        text if text == *close => Some(*open),
        _ => None,
    });
    Glyph { text: text.unwrap_or(glyph.text), ..glyph }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        visual(line, is_rtl(line)).into_iter().map(|glyph| glyph.text).collect()
    }

    #[test]
    fn right_to_left_is_turned_and_the_rest_stays() {
        assert_eq!(shown("hello"), "hello");
        assert_eq!(shown("שלום"), "םולש");
        assert_eq!(shown("abc שלום def"), "abc םולש def");
        assert_eq!(shown("שלום 123 עולם"), "םלוע 123 םולש");
        assert_eq!(shown("(שלום)"), "(םולש)");
    }

    #[test]
    fn marks_stay_with_their_letter() {
        // Shin with a dot and a vowel.
        let line = "שׁ\u{5b8}ם";
        let glyphs = visual(line, true);
        assert_eq!(glyphs.len(), 2);
        assert_eq!((glyphs[0].text, glyphs[0].columns), ("ם", 1));
        assert_eq!(glyphs[1].at, 0);
    }

    #[test]
    fn nothing_is_lost() {
        for line in ["a ב c ד", "مرحبا بالعالم 42!", "你好 שלום", ""] {
            let mut glyphs = visual(line, is_rtl(line));
            glyphs.sort_by_key(|glyph| glyph.at);
            assert_eq!(glyphs.iter().map(|glyph| glyph.text).collect::<String>(), line);
        }
    }
}
