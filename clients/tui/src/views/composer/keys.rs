//! Keys while something is written.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use parlor_client::core::Draft;
use parlor_types::limits::{MAX_ENTRY_BYTES, MAX_MENTIONS};
use parlor_types::{Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{self as chat, Activity, PreferenceChanges, Text};

use super::{Composer, emoji, text_columns};
use crate::effect::Effect;
use crate::layout::areas;
use crate::state::{Focus, State};
use crate::views::messages;

/// One key. `false`: it means something elsewhere.
pub fn on_key(state: &mut State, key: KeyEvent, fx: &mut Vec<Effect>) -> bool {
    let columns = text_columns(areas(state).composer.width);
    let before = state.composer.editor.text().len();
    if !suggestion_key(state, key) && !cursor_key(state, key, columns) && !text_key(state, key) {
        match (key.code, key.modifiers) {
            (KeyCode::Enter, _) => send(state, fx),
            (KeyCode::Esc, _) => escape(state, fx),
            (KeyCode::Up, KeyModifiers::NONE) => {
                state.focus = Focus::Messages;
                messages::on_key(state, key, fx);
            }
            (KeyCode::PageUp | KeyCode::PageDown, _) => return messages::on_key(state, key, fx),
            _ => return false,
        }
        return true;
    }
    if state.composer.editor.text().len() != before {
        edited(state, fx);
    }
    true
}

/// Puts text where the cursor is.
pub fn write(state: &mut State, text: &str, fx: &mut Vec<Effect>) {
    state.composer.editor.insert(text);
    edited(state, fx);
}

fn suggestion_key(state: &mut State, key: KeyEvent) -> bool {
    let suggestions = state.composer.suggestions();
    let Some(last) = suggestions.len().checked_sub(1) else { return false };
    let composer = &mut state.composer;
    composer.suggestion = composer.suggestion.min(last);
    match key.code {
        KeyCode::Tab => {
            let (_, emoji) = suggestions[composer.suggestion];
            let begun = emoji::begun(composer.editor.before()).map_or(0, str::len);
            composer.editor.replace_before(begun + 1, emoji);
            composer.suggestion = 0;
        }
        KeyCode::Down => composer.suggestion = (composer.suggestion + 1) % suggestions.len(),
        KeyCode::Up => composer.suggestion = composer.suggestion.checked_sub(1).unwrap_or(last),
        _ => return false,
    }
    true
}

fn cursor_key(state: &mut State, key: KeyEvent, columns: usize) -> bool {
    let editor = &mut state.composer.editor;
    let word = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Left if word => editor.previous_word(),
        KeyCode::Right if word => editor.next_word(),
        KeyCode::Left => editor.left(),
        KeyCode::Right => editor.right(),
        KeyCode::Home => editor.home(),
        KeyCode::End => editor.end(),
        KeyCode::Char('a') if key.modifiers == KeyModifiers::CONTROL => editor.home(),
        KeyCode::Char('e') if key.modifiers == KeyModifiers::CONTROL => editor.end(),
        KeyCode::Up if key.modifiers.is_empty() => return editor.up(columns),
        KeyCode::Down if key.modifiers.is_empty() => {
            editor.down(columns);
        }
        _ => return false,
    }
    true
}

fn text_key(state: &mut State, key: KeyEvent) -> bool {
    let composer = &mut state.composer;
    let held = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
    match (key.code, held) {
        (KeyCode::Enter, _) if key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SHIFT) => {
            composer.editor.insert("\n");
        }
        (KeyCode::Char('j'), KeyModifiers::CONTROL) => composer.editor.insert("\n"),
        (KeyCode::Char('w'), KeyModifiers::CONTROL) => composer.editor.delete_word(),
        (KeyCode::Backspace, held) if !held.is_empty() => composer.editor.delete_word(),
        (KeyCode::Char('u'), KeyModifiers::CONTROL) => composer.editor.delete_to_line_start(),
        (KeyCode::Char('k'), KeyModifiers::CONTROL) => composer.editor.delete_to_line_end(),
        (KeyCode::Backspace, _) => composer.editor.backspace(),
        (KeyCode::Delete, _) => composer.editor.delete(),
        (KeyCode::Char(c), held) if held.is_empty() => {
            composer.editor.insert(c.encode_utf8(&mut [0; 4]));
            if let Some((bytes, emoji)) = emoji::closed(composer.editor.before()) {
                composer.editor.replace_before(bytes, emoji);
            }
        }
        _ => return false,
    }
    true
}

/// Whatever is written is kept on this machine at once.
fn edited(state: &mut State, fx: &mut Vec<Effect>) {
    let Some(id) = state.thread.as_ref().map(|thread| thread.id) else { return };
    let composer = &mut state.composer;
    (composer.changed, composer.still, composer.suggestion) = (true, 0, 0);
    if composer.editing.is_none() {
        fx.push(Effect::KeepDraft(id, Some(composer.draft())));
    }
    let activity = if composer.editor.is_empty() { Activity::Unspecified } else { Activity::Typing };
    fx.push(Effect::Typing(id, activity));
}

/// Leaves what it was about, then the composer.
fn escape(state: &mut State, fx: &mut Vec<Effect>) {
    if state.composer.editing.take().is_some() {
        let id = state.thread.as_ref().map(|thread| thread.id);
        state.composer = id.map(|id| super::opened(state, id)).unwrap_or_default();
    } else if state.composer.reply_to.take().is_some() {
        edited(state, fx);
    } else {
        state.focus = Focus::List;
    }
}

/// Sends what is written, if it is anything.
pub fn send(state: &mut State, fx: &mut Vec<Effect>) {
    let Some(thread) = &state.thread else { return };
    let (id, text) = (thread.id, state.composer.editor.text().trim().to_owned());
    if text.is_empty() {
        return;
    }
    if text.len() > MAX_ENTRY_BYTES - 1024 {
        state.complain("too long for one message: shorten it, or send it as a file");
        return;
    }
    let mentions = mentioned(state, &text);
    let draft = match state.composer.editing {
        Some(seq) => Draft { mentions, ..Draft::edit(id, seq, text) },
        None => {
            let reply_to = state.composer.reply_to.unwrap_or_default();
            Draft { reply_to, mentions, ..Draft::new(id, Kind::Text(Text { body: text })) }
        }
    };
    let is_edit = draft.target != Seq::default();
    fx.push(Effect::Send(draft));
    state.composer = Composer::default();
    if is_edit {
        state.composer = super::opened(state, id);
        return;
    }
    forget_draft(state, fx);
    follow(state, fx);
}

/// Goes to the end, where what was sent will be.
pub fn follow(state: &mut State, fx: &mut Vec<Effect>) {
    messages::to_bottom(state);
    let Some(thread) = &mut state.thread else { return };
    thread.read_before = Seq::default();
    thread.chosen = None;
    if !thread.has_newest() {
        fx.push(Effect::Load(thread.id, crate::effect::Part::Newest));
    }
}

/// Forgets what is being written: it was sent.
pub fn clear(state: &mut State, fx: &mut Vec<Effect>) {
    state.composer = Composer::default();
    forget_draft(state, fx);
}

fn forget_draft(state: &mut State, fx: &mut Vec<Effect>) {
    let Some(id) = state.thread.as_ref().map(|thread| thread.id) else { return };
    let told = state.chat(id).is_some_and(|chat| !chat.preferences.draft.is_empty());
    let kept = state.drafts.insert(id, chat::Draft::default()).is_some_and(|draft| !draft.text.is_empty());
    fx.push(Effect::KeepDraft(id, None));
    if told || kept {
        let changes =
            PreferenceChanges { draft: Some(chat::Draft::default()), ..PreferenceChanges::default() };
        fx.push(Effect::Prefer(id, Box::new(changes)));
    }
}

/// The members that a text calls by `@username`.
fn mentioned(state: &State, text: &str) -> Vec<UserId> {
    let Some(thread) = &state.thread else { return Vec::new() };
    let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    let called: Vec<_> = text
        .split('@')
        .skip(1)
        .map(|rest| rest.split(ends).next().unwrap_or_default().trim_end_matches('.').to_lowercase())
        .collect();
    let members = state.members(thread.id).into_iter();
    let is_called = |user: &UserId| {
        state.people.username(*user).is_some_and(|name| called.iter().any(|called| called == name))
    };
    members.filter(is_called).take(MAX_MENTIONS).collect()
}
