//! Text being written: several lines, a cursor, and where both are on the screen.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::text::{Glyph, is_harmful, is_rtl, visual, wrap};

/// What is being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Editor {
    text: String,
    /// In bytes, between two characters.
    cursor: usize,
}

impl Editor {
    /// With the cursor at the end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Writes at the cursor. Line ends of other systems become ours, and what would steer a terminal stays out.
    pub fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text: String = text.chars().filter(|c| *c == '\n' || !is_harmful(*c)).collect();
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
    }

    /// Puts `text` where the last `bytes` before the cursor were.
    pub fn replace_before(&mut self, bytes: usize, text: &str) {
        let from = self.text.floor_char_boundary(self.cursor.saturating_sub(bytes));
        self.text.replace_range(from..self.cursor, text);
        self.cursor = from + text.len();
    }

    /// Removes the character before the cursor.
    pub fn backspace(&mut self) {
        let before = self.left_of(self.cursor);
        self.remove(before..self.cursor);
    }

    /// Removes the character after the cursor.
    pub fn delete(&mut self) {
        self.remove(self.cursor..self.right_of(self.cursor));
    }

    /// Removes the word before the cursor.
    pub fn delete_word(&mut self) {
        self.remove(self.word_left()..self.cursor);
    }

    /// Removes from the beginning of the line to the cursor.
    pub fn delete_to_line_start(&mut self) {
        self.remove(self.line().start..self.cursor);
    }

    /// Removes from the cursor to the end of the line.
    pub fn delete_to_line_end(&mut self) {
        self.remove(self.cursor..self.line().end);
    }

    fn remove(&mut self, range: Range<usize>) {
        self.cursor = range.start;
        self.text.replace_range(range, "");
    }

    /// One character back.
    pub fn left(&mut self) {
        self.cursor = self.left_of(self.cursor);
    }

    /// One character on.
    pub fn right(&mut self) {
        self.cursor = self.right_of(self.cursor);
    }

    /// One word back.
    pub fn previous_word(&mut self) {
        self.cursor = self.word_left();
    }

    /// One word on.
    pub fn next_word(&mut self) {
        let words = self.text[self.cursor..].unicode_word_indices();
        let end = words.map(|(at, word)| at + word.len()).next();
        self.cursor += end.unwrap_or(self.text.len() - self.cursor);
    }

    /// To the beginning of the line.
    pub fn home(&mut self) {
        self.cursor = self.line().start;
    }

    /// To the end of the line.
    pub fn end(&mut self) {
        self.cursor = self.line().end;
    }

    /// One line of the screen up; `false` if there is none.
    pub fn up(&mut self, columns: usize) -> bool {
        self.vertically(columns, |row, _| row.checked_sub(1))
    }

    /// One line of the screen down; `false` if there is none.
    pub fn down(&mut self, columns: usize) -> bool {
        self.vertically(columns, |row, rows| Some(row + 1).filter(|next| *next < rows))
    }

    fn vertically(&mut self, columns: usize, to: impl Fn(usize, usize) -> Option<usize>) -> bool {
        let lines = wrap(&self.text, columns);
        let row = self.row(&lines);
        let Some(target) = to(row, lines.len()) else { return false };
        let wanted = self.text[lines[row].start..self.cursor].graphemes(true).count();
        let line = lines[target].clone();
        let ends = self.text[line.clone()].grapheme_indices(true).map(|(at, _)| at).nth(wanted);
        self.cursor = ends.map_or(line.end, |at| line.start + at);
        true
    }

    /// The lines on a screen of so many columns, and the place of the cursor in them: row and column.
    #[must_use]
    pub fn layout(&self, columns: usize) -> (Vec<Vec<Glyph<'_>>>, (usize, usize)) {
        let lines = wrap(&self.text, columns);
        let row = self.row(&lines);
        let rtl = |line: &Range<usize>| {
            let paragraph = self.text[..line.start].rfind('\n').map_or(0, |end| end + 1);
            is_rtl(&self.text[paragraph..])
        };
        let shown: Vec<_> = lines.iter().map(|line| visual(&self.text[line.clone()], rtl(line))).collect();
        let at = self.cursor - lines[row].start;
        let end_is_left = rtl(&lines[row]);
        let mut column = 0;
        for glyph in &shown[row] {
            if glyph.at == at {
                return (shown, (row, column));
            }
            column += glyph.columns;
        }
        (shown, (row, if end_is_left { 0 } else { column }))
    }

    /// At the end of a line that goes on the cursor stands at the beginning of the next.
    fn row(&self, lines: &[Range<usize>]) -> usize {
        lines.iter().rposition(|line| line.start <= self.cursor).unwrap_or_default()
    }

    fn line(&self) -> Range<usize> {
        let start = self.before().rfind('\n').map_or(0, |end| end + 1);
        let end = self.text[self.cursor..].find('\n').map_or(self.text.len(), |end| self.cursor + end);
        start..end
    }

    fn left_of(&self, at: usize) -> usize {
        self.text[..at].grapheme_indices(true).next_back().map_or(0, |(before, _)| before)
    }

    fn right_of(&self, at: usize) -> usize {
        self.text[at..].graphemes(true).next().map_or(at, |next| at + next.len())
    }

    fn word_left(&self) -> usize {
        self.before().unicode_word_indices().next_back().map_or(0, |(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_what_people_take_for_one() {
        let mut editor = Editor::new("ae\u{301}👩‍👩‍👧");
        editor.backspace();
        assert_eq!(editor.text(), "ae\u{301}");
        editor.left();
        editor.insert("x");
        assert_eq!(editor.text(), "axe\u{301}");
        editor.delete();
        assert_eq!((editor.text(), editor.before()), ("ax", "ax"));
    }

    #[test]
    fn words_and_lines_are_removed_at_once() {
        let mut editor = Editor::new("one two\nthree four");
        editor.delete_word();
        assert_eq!(editor.text(), "one two\nthree ");
        editor.delete_to_line_start();
        assert_eq!(editor.text(), "one two\n");
        editor.backspace();
        editor.previous_word();
        assert_eq!(editor.before(), "one ");
        editor.delete_to_line_end();
        assert_eq!(editor.text(), "one ");
    }

    #[test]
    fn the_cursor_goes_over_the_lines_of_the_screen() {
        let mut editor = Editor::new("abc def ghi");
        assert!(editor.up(4));
        assert_eq!(editor.layout(4).1, (1, 3));
        assert!(editor.up(4) && !editor.up(4));
        assert!(editor.down(4) && editor.down(4) && !editor.down(4));
        assert_eq!(editor.before(), "abc def ghi");
    }

    #[test]
    fn the_cursor_stands_where_it_is_seen() {
        let editor = Editor::new("你好");
        assert_eq!(editor.layout(10).1, (0, 4));
        let mut hebrew = Editor::new("שלום");
        assert_eq!(hebrew.layout(10).1, (0, 0), "what comes next stands to the left");
        hebrew.home();
        assert_eq!(hebrew.layout(10).1, (0, 3));
        let mut after = Editor::new("a\n");
        assert_eq!(after.layout(10).1, (1, 0));
        after.up(10);
        assert_eq!(after.layout(10).1, (0, 0));
    }

    #[test]
    fn nothing_that_is_pasted_steers_the_terminal() {
        let mut editor = Editor::default();
        editor.insert("a\r\nb\rc\u{1b}[2J\td");
        assert_eq!(editor.text(), "a\nb\nc[2J\td");
    }
}
