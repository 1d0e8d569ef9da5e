//! What part of the messages is on the screen.
//!
//! The place is held by the message at the bottom, not by a number of lines: what comes above or below moves nothing.

use super::{Block, Key, block};
use crate::state::State;

/// What stands at the bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The newest, and whatever comes.
    Bottom,
    /// This message, without so many of its last lines.
    Above(Key, usize),
}

/// A message on the screen.
#[derive(Debug)]
pub struct Placed {
    /// Which.
    pub index: usize,
    /// What it looks like.
    pub block: Block,
    /// Its first line on the screen; before it where this is negative.
    pub top: isize,
}

/// The messages that are on a screen of this size, from above.
#[must_use]
pub fn visible(state: &State, (columns, rows): (u16, u16)) -> Vec<Placed> {
    let Some(thread) = &state.thread else { return Vec::new() };
    let (last, cut) = resolve(state, thread.anchor);
    let mut bottom = rows as isize + cut as isize;
    let mut placed = Vec::new();
    for index in (0..=last.min(thread.len().wrapping_sub(1))).rev().take(thread.len()) {
        if bottom <= 0 {
            break;
        }
        let block = block(state, index, columns);
        bottom -= block.lines.len() as isize;
        placed.push(Placed { index, block, top: bottom });
    }
    if bottom > 0 && !placed.is_empty() {
        placed.iter_mut().for_each(|placed| placed.top -= bottom); // few messages begin at the top
    }
    placed.reverse();
    placed
}

fn resolve(state: &State, anchor: Anchor) -> (usize, usize) {
    let Some(thread) = &state.thread else { return (0, 0) };
    let last = thread.len().saturating_sub(1);
    match anchor {
        Anchor::Bottom => (last, 0),
        Anchor::Above(key, cut) => thread.index(key).map_or((last, 0), |index| (index, cut)),
    }
}

/// Moves by so many lines, up where they are negative.
pub fn scroll(state: &mut State, size: (u16, u16), lines: isize) {
    let Some(thread) = &state.thread else { return };
    if thread.is_empty() {
        return;
    }
    let height = |index| block(state, index, size.0).lines.len();
    let (mut index, mut cut) = resolve(state, thread.anchor);
    let mut left = lines.unsigned_abs();
    while left > 0 {
        if lines < 0 {
            if cut + 1 < height(index).max(1) {
                cut += 1;
                left -= 1;
            } else if index == 0 {
                break;
            } else {
                left -= usize::from(height(index) > 0);
                (index, cut) = (index - 1, 0);
            }
        } else if cut > 0 {
            cut -= 1;
            left -= 1;
        } else if index + 1 < thread.len() {
            index += 1;
            let lines = height(index);
            cut = lines.saturating_sub(1);
            left -= usize::from(lines > 0);
        } else {
            break;
        }
    }
    let at_end = cut == 0 && index + 1 == thread.len() && thread.has_newest();
    let key = thread.key(index);
    let anchor = match key {
        Some(key) if !at_end => Anchor::Above(key, cut),
        _ => Anchor::Bottom,
    };
    let before = thread.anchor;
    set(state, anchor);
    if lines < 0 && !fills(state, size) {
        set(state, before);
        to_top(state, size);
    }
}

fn set(state: &mut State, anchor: Anchor) {
    if let Some(thread) = &mut state.thread {
        thread.anchor = anchor;
    }
}

/// Whether there is something on the first line of the screen because there is something before it, or exactly enough.
fn fills(state: &State, size: (u16, u16)) -> bool {
    let Some(thread) = &state.thread else { return false };
    let (last, cut) = resolve(state, thread.anchor);
    let mut lines = 0;
    for index in (0..=last).rev() {
        lines += block(state, index, size.0).lines.len();
        if lines >= usize::from(size.1) + cut {
            return true;
        }
    }
    false
}

/// The first message at the top of the screen.
fn to_top(state: &mut State, size: (u16, u16)) {
    let Some(thread) = &state.thread else { return };
    let mut lines = 0;
    for index in 0..thread.len() {
        lines += block(state, index, size.0).lines.len();
        if lines >= usize::from(size.1) {
            let key = thread.key(index);
            let cut = lines - usize::from(size.1);
            let at_end = cut == 0 && index + 1 == thread.len() && thread.has_newest();
            set(state, key.filter(|_| !at_end).map_or(Anchor::Bottom, |key| Anchor::Above(key, cut)));
            return;
        }
    }
    set(state, Anchor::Bottom);
}

/// To the newest message that is there.
pub fn to_bottom(state: &mut State) {
    set(state, Anchor::Bottom);
}

/// Moves as little as needed for a message to be on the screen; one that is far away comes into the middle.
pub fn to_key(state: &mut State, size: (u16, u16), key: Key) {
    let Some(index) = state.thread.as_ref().and_then(|thread| thread.index(key)) else { return };
    let rows = size.1 as isize;
    let on_screen = |state: &State| {
        visible(state, size).into_iter().find(|placed| placed.index == index).map(|placed| {
            let bottom = placed.top + placed.block.lines.len() as isize;
            (placed.top, bottom)
        })
    };
    match on_screen(state) {
        Some((top, bottom)) if top >= 0 && bottom <= rows => {}
        Some((top, _)) if top < 0 => scroll(state, size, top),
        Some((top, bottom)) => scroll(state, size, (bottom - rows).min(top)),
        None => {
            set(state, Anchor::Above(key, 0));
            scroll(state, size, rows / 2);
            if !fills(state, size) {
                to_top(state, size);
            }
        }
    }
}
