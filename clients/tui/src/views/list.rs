//! The conversation list.

use std::time::SystemTime;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use parlor_client::store::Chat;
use parlor_types::{ConversationId, Id as _, UserId};
use parlor_wire::chat::v1::{ConversationKind, PreferenceChanges};
use parlor_wire::presence::v1::Availability;
use prost_types::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::members::Members;
use super::messages::in_order;
use super::people::PeopleSearch;
use crate::content;
use crate::effect::Effect;
use crate::layout::areas;
use crate::state::{Focus, Overlay, State};
use crate::text::{cut, one_line, width};
use crate::update::open;

/// A mute that ends then never ends: the last second of the year 9999.
const FOREVER: Timestamp = Timestamp { seconds: 253_402_300_799, nanos: 0 };
/// Rows of a conversation.
const ROWS: u16 = 2;

/// What the list remembers.
#[derive(Debug, Default)]
pub struct List {
    /// The conversation that keys are about.
    pub chosen: Option<ConversationId>,
    /// The archive is shown.
    pub archive: bool,
}

/// The conversations that the list shows.
#[must_use]
pub fn shown(state: &State) -> &[Chat] {
    if state.list.archive { &state.chats.archived } else { &state.chats.shown }
}

fn place(state: &State) -> usize {
    shown(state).iter().position(|chat| Some(chat.id) == state.list.chosen).unwrap_or_default()
}

fn chosen(state: &State) -> Option<&Chat> {
    shown(state).get(place(state))
}

/// One key. `false`: it means something elsewhere.
pub fn on_key(state: &mut State, key: KeyEvent, fx: &mut Vec<Effect>) -> bool {
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return false;
    }
    let page = usize::from(areas(state).list.height / ROWS).max(1);
    match key.code {
        KeyCode::Up | KeyCode::Char('k') => choose(state, |at, _| at.saturating_sub(1)),
        KeyCode::Down | KeyCode::Char('j') => choose(state, |at, _| at + 1),
        KeyCode::PageUp => choose(state, |at, _| at.saturating_sub(page)),
        KeyCode::PageDown => choose(state, |at, _| at + page),
        KeyCode::Home => choose(state, |_, _| 0),
        KeyCode::End => choose(state, |_, len| len),
        KeyCode::Enter | KeyCode::Right | KeyCode::Char('l') => {
            let id = chosen(state).map(|chat| chat.id);
            id.into_iter().for_each(|id| open(state, id, fx));
        }
        KeyCode::Char('m') => prefer(state, fx, |chat, now| PreferenceChanges {
            muted_until: Some(if chat.is_muted(now) { Timestamp::default() } else { FOREVER }),
            ..PreferenceChanges::default()
        }),
        KeyCode::Char('p') => prefer(state, fx, |chat, _| PreferenceChanges {
            pinned: Some(!chat.is_pinned()),
            ..PreferenceChanges::default()
        }),
        KeyCode::Char('a') => prefer(state, fx, |chat, _| PreferenceChanges {
            archived: Some(!chat.preferences.archived),
            ..PreferenceChanges::default()
        }),
        KeyCode::Char('U') => prefer(state, fx, |chat, _| PreferenceChanges {
            marked_unread: Some(!chat.preferences.marked_unread),
            ..PreferenceChanges::default()
        }),
        KeyCode::Char('A') => {
            state.list.archive = !state.list.archive;
            state.list.chosen = None;
        }
        KeyCode::Char('n') => state.overlay = Some(Overlay::People(PeopleSearch::to_talk())),
        KeyCode::Char('i') => {
            let id = chosen(state).map(|chat| chat.id);
            state.overlay = id.map(Members::new).map(Overlay::Members);
        }
        KeyCode::Esc if state.list.archive => state.list.archive = false,
        _ => return false,
    }
    true
}

fn choose(state: &mut State, to: impl Fn(usize, usize) -> usize) {
    let last = shown(state).len().saturating_sub(1);
    let next = to(place(state), last).min(last);
    state.list.chosen = shown(state).get(next).map(|chat| chat.id);
}

fn prefer(state: &mut State, fx: &mut Vec<Effect>, change: impl Fn(&Chat, SystemTime) -> PreferenceChanges) {
    if let Some(chat) = chosen(state) {
        fx.push(Effect::Prefer(chat.id, Box::new(change(chat, state.clock.now))));
    }
}

/// The conversation so many places on, opened. `unread`: the next with something new.
pub fn go(state: &mut State, down: bool, unread: bool, fx: &mut Vec<Effect>) {
    let at = state.thread.as_ref().map(|thread| thread.id);
    let all = shown(state);
    let here = all.iter().position(|chat| Some(chat.id) == at);
    let id = if unread {
        let after = all.iter().cycle().skip(here.map_or(0, |here| here + 1)).take(all.len());
        after.filter(|chat| Some(chat.id) != at).find(|chat| chat.is_unread()).map(|chat| chat.id)
    } else {
        let next = match (here, down) {
            (None, _) => 0,
            (Some(here), true) => (here + 1).min(all.len().saturating_sub(1)),
            (Some(here), false) => here.saturating_sub(1),
        };
        all.get(next).map(|chat| chat.id).filter(|id| Some(*id) != at)
    };
    match id {
        Some(id) => open(state, id, fx),
        None if unread => state.say("nothing is unread"),
        None => {}
    }
}

/// The mouse was pressed on the list.
pub fn click(state: &mut State, area: Rect, row: u16, fx: &mut Vec<Effect>) {
    let offset = first(state, area) + usize::from(row.saturating_sub(area.y + 1) / ROWS);
    if row > area.y
        && let Some(id) = shown(state).get(offset).map(|chat| chat.id)
    {
        open(state, id, fx);
    }
}

/// The mouse wheel over the list.
pub fn wheel(state: &mut State, down: bool) {
    choose(state, |at, _| if down { at + 1 } else { at.saturating_sub(1) });
}

fn first(state: &State, area: Rect) -> usize {
    let room = usize::from(area.height.saturating_sub(1) / ROWS).max(1);
    (place(state) + 1).saturating_sub(room)
}

/// Draws it.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let styles = state.settings.theme.styles();
    let title = match (state.list.archive, state.chats.archived.len()) {
        (true, _) => " Archive".to_owned(),
        (false, 0) => " Chats".to_owned(),
        (false, archived) => format!(" Chats  (A: {archived} archived)"),
    };
    let style = if state.focus == Focus::List { styles.accent } else { styles.text };
    let title = cut(&title, usize::from(area.width));
    frame.render_widget(Line::styled(title, style.add_modifier(Modifier::BOLD)), Rect { height: 1, ..area });
    let room = usize::from(area.height.saturating_sub(1) / ROWS);
    for (offset, chat) in shown(state).iter().skip(first(state, area)).take(room).enumerate() {
        let y = area.y + 1 + ROWS * u16::try_from(offset).unwrap_or(u16::MAX);
        let place = Rect { y, height: 1, ..area };
        let columns = usize::from(area.width);
        frame.render_widget(head(state, chat, columns), place);
        frame.render_widget(last(state, chat, columns), Rect { y: y + 1, ..place });
        let both = Rect { height: ROWS, ..place };
        let is_open = state.thread.as_ref().is_some_and(|thread| thread.id == chat.id);
        let is_chosen =
            state.focus == Focus::List && chosen(state).is_some_and(|chosen| chosen.id == chat.id);
        if is_open || is_chosen {
            frame.buffer_mut().set_style(both, styles.chosen);
        }
        if is_chosen {
            for row in y..y + ROWS {
                frame.buffer_mut().set_string(area.x, row, "▌", styles.accent.patch(styles.chosen));
            }
        }
    }
}

/// Its name, what holds of it, and when something was said last.
fn head(state: &State, chat: &Chat, columns: usize) -> Line<'static> {
    let styles = state.settings.theme.styles();
    let online = state.people.other(&chat.row).map(|other| state.people.availability(other));
    let (dot, dot_style) = match online {
        Some(Availability::Online) => ("●", styles.good),
        Some(Availability::Away) => ("●", styles.warning),
        Some(Availability::DoNotDisturb) => ("●", styles.bad),
        _ => (" ", styles.quiet),
    };
    let mut signs = String::new();
    for (sign, is_so) in [(" ⚲", chat.is_pinned()), (" ∅", chat.is_muted(state.clock.now))] {
        signs.push_str(if is_so { sign } else { "" });
    }
    let time = format!("{signs} {}", state.clock.short(chat.active_at));
    let room = columns.saturating_sub(4 + width(&time));
    let title = cut(&state.title(chat), room);
    let free = room.saturating_sub(width(&title));
    let style = if chat.is_unread() { styles.text.add_modifier(Modifier::BOLD) } else { styles.text };
    Line::from(vec![
        Span::raw(" "),
        Span::styled(dot, dot_style),
        Span::raw(" "),
        Span::styled(in_order(&title), style),
        Span::raw(" ".repeat(free)),
        Span::styled(time, styles.quiet),
        Span::raw(" "),
    ])
}

/// What was said last, or is being written, and how much is unread.
fn last(state: &State, chat: &Chat, columns: usize) -> Line<'static> {
    let styles = state.settings.theme.styles();
    let badge = match (chat.unread.messages, chat.unread.mentions) {
        (0, _) if chat.preferences.marked_unread => " • ".to_owned(),
        (0, _) => String::new(),
        (messages, 0) => format!(" {messages} "),
        (messages, _) => format!(" @ {messages} "),
    };
    let (text, style) = preview(state, chat);
    let room = columns.saturating_sub(4 + width(&badge) + usize::from(!badge.is_empty()));
    let text = cut(&text, room);
    let free = room.saturating_sub(width(&text)) + usize::from(!badge.is_empty());
    let quiet = chat.is_muted(state.clock.now) && chat.unread.mentions == 0;
    Line::from(vec![
        Span::raw("   "),
        Span::styled(in_order(&text), style),
        Span::raw(" ".repeat(free)),
        Span::styled(badge, if quiet { styles.quiet_badge } else { styles.badge }),
        Span::raw(" "),
    ])
}

fn preview(state: &State, chat: &Chat) -> (String, ratatui::style::Style) {
    let styles = state.settings.theme.styles();
    if let Some(doing) = state.people.doing(chat.id) {
        return (doing, styles.accent);
    }
    let is_open = state.thread.as_ref().is_some_and(|thread| thread.id == chat.id);
    let kept = state.drafts.get(&chat.id).map_or(&chat.preferences.draft, |draft| &draft.text);
    if !kept.trim().is_empty() && !is_open {
        return (format!("Draft: {}", one_line(&content::first_line(kept))), styles.warning);
    }
    let Some(entry) = &chat.last_message else { return (String::new(), styles.quiet) };
    let text = content::summary(entry, &state.people);
    let sender = UserId::parse(&entry.sender_id);
    let direct = chat.row.kind() == ConversationKind::Direct;
    let text = match sender {
        Some(sender) if state.me() == Some(sender) => format!("You: {text}"),
        Some(sender) if !direct => format!("{}: {text}", state.people.name(sender)),
        _ => text,
    };
    (text, styles.quiet)
}
