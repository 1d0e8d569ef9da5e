//! The keys.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::text::{Line, Span};

use super::lines;
use crate::layout;
use crate::state::State;

/// Every key and what it does; a heading where there is no key.
const KEYS: &[(&str, &str)] = &[
    ("", "Everywhere"),
    ("F1 or ?", "this help (? outside of the composer)"),
    ("Tab, Shift-Tab", "list, messages, composer"),
    ("Alt-↓, Alt-↑", "next, previous conversation"),
    ("Alt-u", "next unread conversation"),
    ("F2 or Ctrl-n", "find people: talk to one, or make a group"),
    ("F3 or Ctrl-f", "search in the conversation"),
    ("F4", "accounts"),
    ("F5", "settings"),
    ("F6", "members of the conversation"),
    ("Ctrl-c, Ctrl-q", "quit; what you were writing is kept"),
    ("", "List"),
    ("↑ ↓ Enter", "choose, open"),
    ("m  p", "mute, pin; again: undo"),
    ("a  A", "archive; show the archive"),
    ("U", "mark as unread"),
    ("n  i", "new conversation; members"),
    ("", "Messages"),
    ("↑ ↓ PgUp PgDn", "choose a message, scroll"),
    ("u  g  End", "to the first unread, to a day, to the end"),
    ("/  n  N", "search; next older hit; from the end"),
    ("r  e  d", "answer, word anew, delete for everybody"),
    ("s  x", "save files; discard what could not be sent"),
    ("", "Composer"),
    ("Enter", "send"),
    ("Alt-Enter, Ctrl-j", "new line"),
    (":name:", "emoji by name; Tab takes a suggestion"),
    ("@username", "calls somebody by name"),
    ("paste a path", "sends the file"),
    ("Esc", "leave the answer, then the composer"),
];

/// What the help remembers.
#[derive(Debug, Default)]
pub struct Help {
    top: usize,
}

/// One key: it scrolls, or closes.
pub fn on_key(help: &mut Help, key: KeyEvent) -> bool {
    match key.code {
        KeyCode::Down | KeyCode::Char('j') => help.top = (help.top + 1).min(KEYS.len() - 1),
        KeyCode::PageDown | KeyCode::Char(' ') => help.top = (help.top + 10).min(KEYS.len() - 1),
        KeyCode::Up | KeyCode::Char('k') => help.top = help.top.saturating_sub(1),
        KeyCode::PageUp => help.top = help.top.saturating_sub(10),
        _ => return false,
    }
    true
}

/// Draws it.
pub fn draw(state: &State, help: &Help, frame: &mut Frame<'_>) {
    let styles = state.settings.theme.styles();
    let rows = u16::try_from(KEYS.len()).unwrap_or(u16::MAX) + 2;
    let area = layout::window(state, 66, rows);
    let inner = super::window(state, frame, area, "Keys: ↑ ↓ show more");
    let all: Vec<_> = KEYS
        .iter()
        .map(|(keys, deed)| match *keys {
            "" => Line::styled(*deed, styles.accent),
            keys => Line::from(vec![
                Span::styled(format!("  {keys:<18} "), styles.warning),
                Span::styled(*deed, styles.text),
            ]),
        })
        .collect();
    let top = help.top.min(all.len().saturating_sub(usize::from(inner.height)));
    lines(frame, inner, all.into_iter().skip(top).collect(), None, state);
}
