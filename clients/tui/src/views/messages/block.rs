//! One message, as the lines it takes.

use parlor_client::core::Delivery;
use parlor_types::{Id as _, MediaId, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Entry, Marks};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::{Thread, Waiting};
use crate::content::{self, Ids, Said, said};
use crate::picture::Drawing;
use crate::state::State;
use crate::text::{cut, is_rtl, visual, width, wrap};
use crate::theme::Styles;

/// Columns before the text.
pub const INDENT: u16 = 2;
/// Columns for the time and the ticks.
const ASIDE: u16 = 11;
/// Messages of one sender stand together for so many seconds.
const TOGETHER: i64 = 5 * 60;

/// The lines of a message, with what stands above it.
#[derive(Debug, Default)]
pub struct Block {
    /// From above.
    pub lines: Vec<Line<'static>>,
    /// Pictures: the line each begins at.
    pub pictures: Vec<(usize, MediaId)>,
}

/// The message at this place, `columns` wide. Changes of other messages take no lines.
#[must_use]
pub fn block(state: &State, index: usize, columns: u16) -> Block {
    let Some(thread) = &state.thread else { return Block::default() };
    let mut canvas =
        Canvas { state, styles: state.settings.theme.styles(), columns, block: Block::default() };
    if let Some(entry) = thread.entries.get(index) {
        canvas.entry(thread, index, entry);
    } else if let Some(waiting) = thread.waiting.get(index - thread.entries.len()) {
        canvas.waiting(thread, index, waiting);
    }
    canvas.block
}

struct Canvas<'a> {
    state: &'a State,
    styles: Styles,
    columns: u16,
    block: Block,
}

impl Canvas<'_> {
    fn entry(&mut self, thread: &Thread, index: usize, entry: &Entry) {
        let said = said(entry, &self.state.people);
        if said == Said::Change {
            return;
        }
        let before = thread.entries[..index].iter().rev().find(|entry| entry.target == 0);
        let apart = self.lines_above(thread, before, entry);
        match said {
            Said::Deed(text) => {
                let text = format!("{text} · {}", self.state.clock.time(entry.time));
                self.centred(&text, self.styles.quiet);
            }
            Said::Message(text) => {
                let head = apart || before.is_none_or(|before| !stands_with(before, entry));
                let aside = self.aside(thread, entry);
                self.message(&entry.sender_id, head, entry.reply_to, &text, self.styles.text, aside);
                self.pictures(entry);
            }
            Said::Gone(text) => {
                let head = apart || before.is_none_or(|before| !stands_with(before, entry));
                let aside = (self.state.clock.time(entry.time), String::new(), self.styles.quiet);
                let style = self.styles.quiet.add_modifier(Modifier::ITALIC);
                self.message(&entry.sender_id, head, 0, &text, style, aside);
            }
            Said::Change => {}
        }
    }

    fn waiting(&mut self, thread: &Thread, index: usize, waiting: &Waiting) {
        let Some(kind) = waiting.append.content.as_ref().and_then(|content| content.kind.as_ref()) else {
            return;
        };
        let Some(text) = content::message(kind, Ids::Hidden) else { return };
        let me = self.state.me().map(|me| me.to_string()).unwrap_or_default();
        let head = match index.checked_sub(1) {
            Some(before) if before >= thread.entries.len() => false,
            Some(before) => thread.entries.get(before).is_none_or(|before| before.sender_id != me),
            None => true,
        };
        let (sign, style) = match (&waiting.failed, waiting.stored) {
            (Some(_), _) => ("! ", self.styles.bad),
            (None, true) => ("✓ ", self.styles.quiet),
            (None, false) => ("◷ ", self.styles.quiet),
        };
        let aside = (String::new(), sign.to_owned(), style);
        self.message(&me, head, waiting.append.reply_to, &text, self.styles.text, aside);
        if let Some(why) = &waiting.failed {
            let text = format!("not sent: {why}; x discards it");
            self.indented(&text, self.styles.bad);
        } else if let Some(progress) = self.state.uploads.get(&waiting.op) {
            self.indented(&bar(progress.done, progress.total), self.styles.accent);
        }
    }

    /// The day, where another one begins, and where the unread begin. Whether there was either.
    fn lines_above(&mut self, thread: &Thread, before: Option<&Entry>, entry: &Entry) -> bool {
        let clock = &self.state.clock;
        let day = clock.day(entry.time);
        let new_day = day.filter(|day| before.and_then(|before| clock.day(before.time)) != Some(*day));
        if let Some(day) = new_day {
            let heading = clock.heading(day);
            self.ruled(&heading, self.styles.quiet);
        }
        let read = thread.read_before.0;
        let me = self.state.me().map(|me| me.to_string()).unwrap_or_default();
        let unread_begin = read > 0
            && entry.seq > read
            && entry.sender_id != me
            && before.is_some_and(|before| before.seq <= read);
        if unread_begin {
            self.ruled("unread", self.styles.warning);
        }
        new_day.is_some() || unread_begin
    }

    fn message(
        &mut self,
        sender: &str,
        head: bool,
        reply_to: u64,
        text: &str,
        style: Style,
        aside: (String, String, Style),
    ) {
        if head {
            let user = UserId::parse(sender);
            let style = user.map_or(self.styles.text, |user| self.styles.person(user));
            let name = cut(&self.state.people.said(sender), usize::from(self.columns.saturating_sub(1)));
            self.block.lines.push(Line::from(Span::styled(format!(" {}", in_order(&name)), style)));
        }
        if reply_to != 0 {
            self.quotation(reply_to);
        }
        let room = usize::from(self.columns.saturating_sub(INDENT + ASIDE)).max(4);
        let rtl = is_rtl(text);
        for (number, range) in wrap(text, room).into_iter().enumerate() {
            let line = text[range].trim_end();
            let mut spans = vec![Span::raw(" ".repeat(usize::from(INDENT)))];
            let free = room.saturating_sub(width(line));
            if rtl {
                spans.push(Span::raw(" ".repeat(free)));
            }
            spans.extend(self.found(line, rtl, style));
            if number == 0 {
                let free = if rtl { 0 } else { free };
                let (time, ticks, ticks_style) = &aside;
                let time = format!("{}  {time:>6} ", " ".repeat(free));
                spans.push(Span::styled(time, self.styles.quiet));
                spans.push(Span::styled(ticks.clone(), *ticks_style));
            }
            self.block.lines.push(Line::from(spans));
        }
    }

    /// A line with what is searched for marked.
    fn found(&self, line: &str, rtl: bool, style: Style) -> Vec<Span<'static>> {
        let needle = self.state.thread.as_ref().and_then(|thread| thread.search.as_ref());
        let hits: Vec<_> = needle.map_or_else(Vec::new, |search| hits(line, &search.needle));
        let styled = |at: usize| {
            if hits.iter().any(|hit| hit.contains(&at)) { self.styles.found } else { style }
        };
        let mut spans: Vec<Span<'static>> = Vec::new();
        for glyph in visual(line, rtl) {
            let style = styled(glyph.at);
            match spans.last_mut() {
                Some(last) if last.style == style => last.content.to_mut().push_str(glyph.text),
                _ => spans.push(Span::styled(glyph.text.to_owned(), style)),
            }
        }
        spans
    }

    fn quotation(&mut self, reply_to: u64) {
        let people = &self.state.people;
        let answered = self.state.thread.as_ref().and_then(|thread| thread.entry(Seq(reply_to)));
        let text = match answered {
            Some(entry) => format!("{}: {}", people.said(&entry.sender_id), content::summary(entry, people)),
            None => "an earlier message".to_owned(),
        };
        self.indented(&format!("↪ {text}"), self.styles.quiet);
    }

    fn pictures(&mut self, entry: &Entry) {
        if !self.state.settings.pictures {
            return;
        }
        for media in content::pictures(entry) {
            let Some(id) = MediaId::parse(&media.id) else { continue };
            let room = (self.columns.saturating_sub(INDENT), crate::picture::ROOM.1);
            let likely = crate::picture::expected(media, room);
            let rows = match self.state.gallery.drawing(id) {
                Some(Drawing::Cells(cells)) if cells.columns <= room.0 => {
                    self.block.pictures.push((self.block.lines.len(), id));
                    for line in &cells.lines {
                        let mut spans = vec![Span::raw(" ".repeat(usize::from(INDENT)))];
                        spans.extend(line.spans.iter().cloned());
                        self.block.lines.push(Line::from(spans));
                    }
                    continue;
                }
                Some(Drawing::Sequence { rows, .. }) => *rows,
                Some(Drawing::Cells(_) | Drawing::Failed) => continue,
                None => likely.1,
            };
            self.block.pictures.push((self.block.lines.len(), id));
            self.block.lines.extend((0..rows).map(|_| Line::default()));
        }
    }

    /// The time, whether it was edited, and the ticks of one's own.
    fn aside(&self, thread: &Thread, entry: &Entry) -> (String, String, Style) {
        let edited = if entry.rev > 0 { "✎" } else { " " };
        let time = format!("{edited}{}", self.state.clock.time(entry.time));
        if self.state.me().is_none_or(|me| entry.sender_id != me.to_string()) {
            return (time, String::new(), self.styles.quiet);
        }
        let there = thread.readers.iter().filter(|reader| reader.joined.0 <= entry.seq);
        let marks: Vec<Marks> = there.map(|reader| reader.marks).collect();
        let (ticks, style) = match Delivery::of(Seq(entry.seq), &marks) {
            Delivery::Sent => ("✓ ", self.styles.quiet),
            Delivery::Delivered => ("✓✓", self.styles.quiet),
            Delivery::Read => ("✓✓", self.styles.read),
        };
        (time, ticks.to_owned(), style)
    }

    fn indented(&mut self, text: &str, style: Style) {
        let room = usize::from(self.columns.saturating_sub(INDENT));
        let text = in_order(&cut(text, room));
        let indent = " ".repeat(usize::from(INDENT));
        self.block.lines.push(Line::from(vec![Span::raw(indent), Span::styled(text, style)]));
    }

    fn centred(&mut self, text: &str, style: Style) {
        let columns = usize::from(self.columns);
        let text = cut(text, columns.saturating_sub(2));
        let before = columns.saturating_sub(width(&text)) / 2;
        self.block
            .lines
            .push(Line::from(vec![Span::raw(" ".repeat(before)), Span::styled(in_order(&text), style)]));
    }

    fn ruled(&mut self, text: &str, style: Style) {
        let columns = usize::from(self.columns);
        let text = cut(text, columns.saturating_sub(6));
        let left = columns.saturating_sub(width(&text) + 2) / 2;
        let right = columns.saturating_sub(width(&text) + 2 + left);
        let line = format!("{} {text} {}", "─".repeat(left), "─".repeat(right));
        self.block.lines.push(Line::from(Span::styled(line, style)));
    }
}

/// In the order in which a terminal shows it.
#[must_use]
pub fn in_order(line: &str) -> String {
    visual(line, is_rtl(line)).into_iter().map(|glyph| glyph.text).collect()
}

fn stands_with(before: &Entry, entry: &Entry) -> bool {
    let seconds = |entry: &Entry| entry.time.map_or(0, |at| at.seconds);
    let is_message = before.kind().is_some_and(Kind::is_message);
    is_message && before.sender_id == entry.sender_id && seconds(entry) - seconds(before) < TOGETHER
}

/// Where the needle, which is in lower case, is in the line; in bytes of the line.
fn hits(line: &str, needle: &str) -> Vec<std::ops::Range<usize>> {
    let folded: Vec<(usize, char)> =
        line.char_indices().flat_map(|(at, c)| c.to_lowercase().map(move |c| (at, c))).collect();
    let wanted: Vec<char> = needle.chars().collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let places = folded.windows(wanted.len()).filter(|part| part.iter().map(|(_, c)| c).eq(wanted.iter()));
    places.map(|part| part[0].0..part[part.len() - 1].0 + 1).collect()
}

fn bar(done: u64, total: u64) -> String {
    const LENGTH: u64 = 20;
    let filled = (done * LENGTH).checked_div(total).unwrap_or(LENGTH).min(LENGTH);
    let empty = LENGTH - filled;
    let drawn = "█".repeat(filled as usize) + &"░".repeat(empty as usize);
    format!("{drawn} {} of {}", crate::text::size(done), crate::text::size(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_is_found_in_any_case() {
        assert_eq!(hits("Tea and TEA", "tea"), [0..3, 8..11]);
        assert_eq!(hits("Ärger, arg", "ärg").into_iter().next(), Some(0..4));
        assert!(hits("x", "").is_empty());
    }

    #[test]
    fn a_bar_is_as_long_as_what_is_done() {
        assert!(bar(1, 2).starts_with("██████████░░░░░░░░░░ 1 B of 2 B"));
        assert!(bar(0, 0).starts_with(&"█".repeat(20)));
    }
}
