//! Where everything stands.

use ratatui::layout::Rect;

use crate::state::{Focus, State};
use crate::views::composer;

/// Below so many columns only one of list and messages is shown.
const NARROW: u16 = 60;
/// From so many columns on the members stand beside the messages.
const WIDE: u16 = 140;
/// Messages take no more columns: longer lines are hard to read.
const MEASURE: u16 = 100;
/// Columns of the members.
const SIDE: u16 = 32;

/// Where everything stands. What has no room is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Areas {
    /// The conversation list.
    pub list: Rect,
    /// Between list and messages.
    pub rule: Rect,
    /// The conversation's name.
    pub header: Rect,
    /// The messages.
    pub messages: Rect,
    /// What is being written.
    pub composer: Rect,
    /// The members.
    pub side: Rect,
    /// The last line.
    pub status: Rect,
}

/// Where everything stands now.
#[must_use]
pub fn areas(state: &State) -> Areas {
    let (columns, rows) = state.size;
    let body = rows.saturating_sub(1);
    let status = Rect::new(0, body, columns, rows.min(1));
    let narrow = columns < NARROW;
    if narrow && state.focus == Focus::List {
        return Areas { list: Rect::new(0, 0, columns, body), status, ..Areas::default() };
    }
    let list = if narrow { 0 } else { (columns * 3 / 10).clamp(24, 44) };
    let rule = u16::from(!narrow);
    let side = if columns >= WIDE && state.thread.is_some() { SIDE } else { 0 };
    let left = list + rule;
    let middle = columns.saturating_sub(left + side);
    let header = 2.min(body);
    let composer = if state.thread.is_some() { composer::rows(state, middle, body) } else { 0 };
    let messages = body.saturating_sub(header + composer);
    let measure = if state.thread.is_some() { MEASURE } else { middle };
    Areas {
        list: Rect::new(0, 0, list, body),
        rule: Rect::new(list, 0, rule, body),
        header: Rect::new(left, 0, middle, header),
        messages: Rect::new(left, header, middle.min(measure), messages),
        composer: Rect::new(left, header + messages, middle, composer),
        side: Rect::new(left + middle, 0, side, body),
        status,
    }
}

/// A window over the rest, at most this large.
#[must_use]
pub fn window(state: &State, columns: u16, rows: u16) -> Rect {
    let (width, height) = (columns.min(state.size.0), rows.min(state.size.1.saturating_sub(1)));
    Rect::new((state.size.0 - width) / 2, (state.size.1.saturating_sub(1) - height) / 2, width, height)
}
