//! Keys and the mouse on the messages.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use parlor_client::core::Draft;
use parlor_types::{Id as _, MediaId, Seq};
use ratatui::layout::Rect;

use super::{Key, Search, scroll, to_bottom, to_key, visible};
use crate::content;
use crate::effect::{Effect, Part};
use crate::layout::areas;
use crate::state::{Focus, Overlay, State};
use crate::views::composer::{Composer, Editor};
use crate::views::confirm::Confirm;
use crate::views::prompt::{Prompt, Purpose};

/// One key. `false`: it means something elsewhere.
pub fn on_key(state: &mut State, key: KeyEvent, fx: &mut Vec<Effect>) -> bool {
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return false;
    }
    let area = areas(state).messages;
    let page = area.height.saturating_sub(1).max(1) as isize;
    match key.code {
        KeyCode::Up | KeyCode::Char('k') => choose(state, -1),
        KeyCode::Down | KeyCode::Char('j') => choose(state, 1),
        KeyCode::PageUp => scroll(state, (area.width, area.height), -page),
        KeyCode::PageDown | KeyCode::Char(' ') => scroll(state, (area.width, area.height), page),
        KeyCode::Home => top(state),
        KeyCode::End | KeyCode::Char('G') => end(state, fx),
        KeyCode::Enter | KeyCode::Char('i') => state.focus = Focus::Composer,
        KeyCode::Esc => escape(state),
        KeyCode::Char('r') => answer(state),
        KeyCode::Char('e') => edit(state),
        KeyCode::Char('d') => delete(state),
        KeyCode::Char('s') => save(state, fx),
        KeyCode::Char('x') => discard(state, fx),
        KeyCode::Char('u') => to_unread(state),
        KeyCode::Char('g') => state.overlay = Some(Overlay::Prompt(Prompt::new(Purpose::Day))),
        KeyCode::Char('/') => state.overlay = Some(Overlay::Prompt(Prompt::new(Purpose::Search))),
        KeyCode::Char('n') => find_next(state, fx),
        KeyCode::Char('N') => find_again(state, fx),
        _ => return false,
    }
    true
}

fn size(state: &State) -> (u16, u16) {
    let area = areas(state).messages;
    (area.width, area.height)
}

/// The next message that says anything, in a direction; the first time the lowest on the screen.
fn choose(state: &mut State, step: isize) {
    let screen = size(state);
    let Some(thread) = &state.thread else { return };
    let says = |index: &usize| !super::block(state, *index, screen.0).lines.is_empty();
    let at = thread.chosen.and_then(|key| thread.index(key));
    let next = match at {
        None => visible(state, screen).iter().rev().map(|placed| placed.index).find(says),
        Some(at) if step < 0 => (0..at).rev().find(says),
        Some(at) => (at + 1..thread.len()).find(says),
    };
    let Some(key) = next.and_then(|index| thread.key(index)) else {
        if step > 0 && at.is_some() {
            state.focus = Focus::Composer;
            unchoose(state);
            to_bottom(state);
        } else if step < 0 {
            scroll(state, screen, -1);
        }
        return;
    };
    if let Some(thread) = &mut state.thread {
        thread.chosen = Some(key);
    }
    to_key(state, screen, key);
}

fn unchoose(state: &mut State) {
    if let Some(thread) = &mut state.thread {
        thread.chosen = None;
    }
}

fn top(state: &mut State) {
    let key = state.thread.as_ref().and_then(|thread| thread.key(0));
    if let Some(key) = key {
        to_key(state, size(state), key);
    }
}

fn end(state: &mut State, fx: &mut Vec<Effect>) {
    unchoose(state);
    to_bottom(state);
    if let Some(thread) = state.thread.as_ref().filter(|thread| !thread.has_newest()) {
        fx.push(Effect::Load(thread.id, Part::Newest));
    }
}

fn escape(state: &mut State) {
    let searching = state.thread.as_mut().and_then(|thread| thread.search.take()).is_some();
    let choosing = state.thread.as_mut().and_then(|thread| thread.chosen.take()).is_some();
    if !searching && !choosing {
        state.focus = Focus::List;
    }
}

fn answer(state: &mut State) {
    let Some(seq) =
        state.thread.as_ref().and_then(|thread| thread.chosen_entry()).map(|entry| Seq(entry.seq))
    else {
        return state.say("choose the message to answer with ↑");
    };
    state.composer.reply_to = Some(seq);
    state.composer.changed = true;
    state.focus = Focus::Composer;
}

fn is_own(state: &State) -> bool {
    let me = state.me().map(|me| me.to_string());
    let chosen = state.thread.as_ref().and_then(|thread| thread.chosen_entry());
    chosen.is_some_and(|entry| Some(&entry.sender_id) == me.as_ref())
}

fn edit(state: &mut State) {
    let chosen = state.thread.as_ref().and_then(|thread| thread.chosen_entry());
    let text = chosen.and_then(|entry| Some((Seq(entry.seq), content::editable(entry)?.to_owned())));
    let Some((seq, text)) = text.filter(|_| is_own(state)) else {
        return state.say("only a message of your own can be worded anew: choose one with ↑");
    };
    if let Some(id) = state.thread.as_ref().map(|thread| thread.id) {
        let draft = state.composer.draft();
        if state.composer.editing.is_none() {
            state.drafts.insert(id, draft);
        }
    }
    state.composer = Composer { editor: Editor::new(&text), editing: Some(seq), ..Composer::default() };
    state.focus = Focus::Composer;
}

fn delete(state: &mut State) {
    let Some(thread) = &state.thread else { return };
    let Some(entry) = thread.chosen_entry() else {
        return state.say("choose the message to delete with ↑");
    };
    let question = format!("Delete for everybody: {}", content::summary(entry, &state.people));
    let effect = Effect::Send(Draft::delete(thread.id, Seq(entry.seq)));
    state.overlay = Some(Overlay::Confirm(Confirm::new(question, vec![effect])));
}

fn save(state: &mut State, fx: &mut Vec<Effect>) {
    let chosen = state.thread.as_ref().and_then(|thread| thread.chosen_entry());
    let files = chosen.map(content::files).unwrap_or_default();
    let known: Vec<_> = files
        .into_iter()
        .filter_map(|media| Some((MediaId::parse(&media.id)?, media.name.clone())))
        .collect();
    if known.is_empty() {
        return state.say("choose a message with a file with ↑");
    }
    fx.extend(known.into_iter().map(|(id, name)| Effect::SaveFile(id, name)));
    state.say("saving…");
}

fn discard(state: &mut State, fx: &mut Vec<Effect>) {
    let Some(thread) = &state.thread else { return };
    let Some(Key::Waiting(op)) = thread.chosen else { return };
    if thread.waiting.iter().any(|waiting| waiting.op == op && waiting.failed.is_some()) {
        fx.push(Effect::Discard(op));
    }
}

fn to_unread(state: &mut State) {
    let Some(thread) = &mut state.thread else { return };
    let first = thread.read_before.next();
    if thread.read_before == Seq::default() || thread.range.is_none_or(|range| first > range.have) {
        return state.say("everything was read");
    }
    thread.going_to = Some((first, true));
}

/// Searches from the end.
pub fn find(state: &mut State, needle: &str, fx: &mut Vec<Effect>) {
    let Some(thread) = &mut state.thread else { return };
    let needle = needle.trim().to_lowercase();
    if needle.is_empty() {
        thread.search = None;
        return;
    }
    fx.push(Effect::Find(thread.id, needle.clone(), Seq::default()));
    thread.search = Some(Search { needle, at: None, fetching: false });
}

/// The next older one.
fn find_next(state: &mut State, fx: &mut Vec<Effect>) {
    let Some(thread) = &state.thread else { return };
    let Some(search) = &thread.search else { return state.say("/ begins a search") };
    fx.push(Effect::Find(thread.id, search.needle.clone(), search.at.unwrap_or_default()));
}

/// From the end again.
fn find_again(state: &mut State, fx: &mut Vec<Effect>) {
    let needle = state.thread.as_ref().and_then(|thread| thread.search.as_ref()).map(|s| s.needle.clone());
    find(state, &needle.unwrap_or_default(), fx);
}

/// The mouse was pressed on the messages.
pub fn click(state: &mut State, area: Rect, row: u16) {
    let row = isize::try_from(row.saturating_sub(area.y)).unwrap_or_default();
    let hit = visible(state, (area.width, area.height))
        .into_iter()
        .find(|placed| placed.top <= row && row < placed.top + placed.block.lines.len() as isize);
    state.focus = Focus::Messages;
    if let Some(thread) = &mut state.thread {
        thread.chosen = hit.and_then(|placed| thread.key(placed.index));
    }
}
