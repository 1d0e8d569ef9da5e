//! Lines as wide as there is room, in columns of the terminal: Chinese takes two, combining marks none.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Where each line of `text` lies in it, none wider than `columns` but for the spaces at its end. Words stay whole where
/// they fit on a line of their own. An empty text is one empty line.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<Range<usize>> {
    let columns = columns.max(2);
    let mut lines = Vec::new();
    let mut start = 0;
    for paragraph in text.split('\n') {
        wrap_paragraph(paragraph, start, columns, &mut lines);
        start += paragraph.len() + 1;
    }
    lines
}

fn wrap_paragraph(paragraph: &str, offset: usize, columns: usize, lines: &mut Vec<Range<usize>>) {
    let (mut begin, mut taken) = (0, 0);
    for (at, word) in words(paragraph) {
        let wide = width(word.trim_end());
        if taken + wide <= columns {
            taken += width(word);
            continue;
        }
        if taken > 0 {
            lines.push(offset + begin..offset + at);
            (begin, taken) = (at, 0);
        }
        for (inner, grapheme) in word.grapheme_indices(true) {
            let wide = width(grapheme);
            if taken + wide > columns && taken > 0 && !grapheme.trim().is_empty() {
                lines.push(offset + begin..offset + at + inner);
                (begin, taken) = (at + inner, 0);
            }
            taken += wide;
        }
    }
    lines.push(offset + begin..offset + paragraph.len());
}

/// What stays together, each with the spaces after it. Between characters of two columns, which know no spaces, a line may end
/// anywhere, but not before a mark that ends a sentence.
fn words(paragraph: &str) -> Vec<(usize, &str)> {
    let is_wide = |piece: Option<&str>| piece.is_some_and(|piece| width(piece) == 2);
    let is_mark = |piece: &str| piece.chars().all(|c| !c.is_alphanumeric());
    let mut words: Vec<(usize, &str)> = Vec::new();
    let mut begin = 0;
    let mut before: Option<&str> = None;
    for (at, piece) in paragraph.split_word_bound_indices() {
        let is_space = piece.trim().is_empty();
        let after_space = before.is_some_and(|before| before.trim().is_empty());
        let first = piece.graphemes(true).next();
        let last = before.and_then(|before| before.graphemes(true).next_back());
        let between_wide = (is_wide(first) || is_wide(last)) && !is_mark(piece);
        if before.is_some() && !is_space && (after_space || between_wide) {
            words.push((begin, &paragraph[begin..at]));
            begin = at;
        }
        before = Some(piece);
    }
    words.push((begin, &paragraph[begin..]));
    words
}

/// At most `columns` columns of a text on one line, with an ellipsis where something is missing.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (mut kept, mut taken) = (String::new(), 0);
    for grapheme in text.graphemes(true) {
        let wide = width(grapheme);
        if taken + wide + 1 > columns {
            break;
        }
        taken += wide;
        kept.push_str(grapheme);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, columns: usize) -> Vec<&str> {
        wrap(text, columns).into_iter().map(|line| text[line].trim_end()).collect()
    }

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(lines("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(lines("a abcdefghijkl b", 5), ["a", "abcde", "fghij", "kl b"]);
        assert_eq!(lines("one\n\ntwo\n", 10), ["one", "", "two", ""]);
        assert_eq!(lines("", 10), [""]);
        assert_eq!(lines("on Saturday?", 11), ["on", "Saturday?"]);
        assert_eq!(lines("(see a/b)", 6), ["(see", "a/b)"]);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(lines("你好世界再见", 5), ["你好", "世界", "再见"]);
        assert_eq!(lines("你好，世界", 4), ["你", "好，", "世界"]);
        assert_eq!(cut("你好世界", 5), "你好…");
        assert_eq!(cut("hello", 5), "hello");
        assert_eq!(cut("hello!", 5), "hell…");
        assert_eq!(cut("hello", 0), "");
    }

    #[test]
    fn every_byte_is_in_one_line() {
        let text = "👩‍👩‍👧 says e\u{301}a\n  indented, and a-rather-long-word/with/parts";
        for columns in 2..40 {
            let joined: String = wrap(text, columns).into_iter().map(|line| &text[line]).collect();
            assert_eq!(joined, text.replace('\n', ""), "{columns}");
        }
    }
}
