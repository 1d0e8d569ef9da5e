//! Who is in a conversation, and what can be done with them.

use crossterm::event::{KeyCode, KeyEvent};
use parlor_client::core::Draft;
use parlor_client::store::Chat;
use parlor_types::{ConversationId, Id as _, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{ConversationKind, Leave, Member, Remove, Role, SetRole};
use parlor_wire::presence::v1::Availability;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::confirm::Confirm;
use super::messages::in_order;
use super::people::PeopleSearch;
use super::prompt::{Prompt, Purpose};
use super::{lines, step};
use crate::content::role;
use crate::effect::{Deed, Effect};
use crate::layout;
use crate::state::{Overlay, State};
use crate::text::{cut, one_line};

/// Whose members, and which of them keys are about.
#[derive(Debug)]
pub struct Members {
    conversation: ConversationId,
    at: usize,
}

impl Members {
    /// Those of a conversation.
    #[must_use]
    pub fn new(conversation: ConversationId) -> Self {
        Self { conversation, at: 0 }
    }
}

/// One key. The view stays if it is given back.
pub fn on_key(
    state: &mut State,
    mut members: Members,
    key: KeyEvent,
    fx: &mut Vec<Effect>,
) -> Option<Overlay> {
    let id = members.conversation;
    let (all, group) = match state.chat(id) {
        Some(chat) => (chat.row.members.clone(), chat.row.kind() == ConversationKind::Group),
        None => return None,
    };
    members.at = members.at.min(all.len().saturating_sub(1));
    let chosen =
        all.get(members.at).and_then(|member| Some((UserId::parse(&member.user_id)?, member.role())));
    let ask = |question: String, content: Kind| {
        Some(Overlay::Confirm(Confirm::new(question, vec![Effect::Send(Draft::new(id, content))])))
    };
    match key.code {
        KeyCode::Esc | KeyCode::Char('q') => return None,
        KeyCode::Down | KeyCode::Char('j') => members.at = step(members.at, all.len(), true),
        KeyCode::Up | KeyCode::Char('k') => members.at = step(members.at, all.len(), false),
        KeyCode::Enter => {
            let other = chosen.map(|(user, _)| user).filter(|user| state.me() != Some(*user));
            fx.extend(other.map(Effect::Direct));
            return None;
        }
        KeyCode::Char('b') => fx.extend(chosen.map(|(user, _)| Effect::Person(user, Deed::Block))),
        KeyCode::Char('B') => fx.extend(chosen.map(|(user, _)| Effect::Person(user, Deed::Unblock))),
        KeyCode::Char('c') => fx.extend(chosen.map(|(user, _)| Effect::Person(user, Deed::Befriend))),
        KeyCode::Char('a') if group => return Some(Overlay::People(PeopleSearch::to_add(id))),
        KeyCode::Char('n') if group => {
            let name = state.chat(id).map(|chat| one_line(&chat.row.name)).unwrap_or_default();
            return Some(Overlay::Prompt(Prompt::with(Purpose::Rename(id), &name)));
        }
        KeyCode::Char('x') if group => {
            if let Some((user, _)) = chosen {
                let remove = Kind::Remove(Remove { user_ids: vec![user.to_string()] });
                return ask(format!("Remove {} from the group", state.people.name(user)), remove);
            }
        }
        KeyCode::Char('r') if group => {
            if let Some((user, now)) = chosen {
                let next = if now == Role::Admin { Role::Member } else { Role::Admin };
                let set = SetRole { user_id: user.to_string(), role: next.into() };
                fx.push(Effect::Send(Draft::new(id, Kind::SetRole(set))));
            }
        }
        KeyCode::Char('l') if group => {
            return ask("Leave the group".to_owned(), Kind::Leave(Leave::default()));
        }
        _ => {}
    }
    Some(Overlay::Members(members))
}

/// Draws it.
pub fn draw(state: &State, members: &Members, frame: &mut Frame<'_>) {
    let Some(chat) = state.chat(members.conversation) else { return };
    let styles = state.settings.theme.styles();
    let area = layout::window(state, 64, 18);
    let inner = super::window(state, frame, area, &in_order(&state.title(chat)));
    let list = Rect { height: inner.height.saturating_sub(3), ..inner };
    let chosen = members.at.min(chat.row.members.len().saturating_sub(1));
    let drawn = chat.row.members.iter().map(|member| line(state, member, true));
    lines(frame, list, drawn.collect(), Some(chosen), state);
    let keys = match chat.row.kind() {
        ConversationKind::Group => ["a: add  x: remove  r: admin or not  n: name  l: leave", TALK],
        _ => ["", TALK],
    };
    for (offset, keys) in (1..).zip(keys.iter().rev()) {
        let y = inner.y + inner.height.saturating_sub(offset);
        let place = Rect { y, height: 1.min(inner.height), ..inner };
        frame.render_widget(Line::styled(*keys, styles.quiet), place);
    }
}

const TALK: &str = "Enter: talk  c: contact  b: block  B: unblock  Esc: back";

/// Beside the messages, where there is room.
pub fn draw_side(state: &State, chat: &Chat, frame: &mut Frame<'_>, area: Rect) {
    let styles = state.settings.theme.styles();
    for row in 0..area.height {
        frame.buffer_mut().set_string(area.x, area.y + row, "│", styles.line);
    }
    let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(3), ..area };
    let title = format!("Members ({})", chat.row.members.len());
    let title = Line::styled(title, styles.text.add_modifier(Modifier::BOLD));
    frame.render_widget(title, Rect { height: 1.min(inner.height), ..inner });
    let mut drawn = Vec::new();
    for member in &chat.row.members {
        drawn.push(line(state, member, false));
        let presence = UserId::parse(&member.user_id).map(|user| state.people.presence(user, &state.clock));
        if let Some(presence) = presence.filter(|presence| !presence.is_empty()) {
            let text = cut(&presence, usize::from(inner.width.saturating_sub(2)));
            drawn.push(Line::styled(format!("  {}", in_order(&text)), styles.quiet));
        }
    }
    let list = Rect { y: inner.y + 2.min(inner.height), height: inner.height.saturating_sub(2), ..inner };
    lines(frame, list, drawn, None, state);
}

fn line(state: &State, member: &Member, long: bool) -> Line<'static> {
    let styles = state.settings.theme.styles();
    let Some(user) = UserId::parse(&member.user_id) else { return Line::default() };
    let (dot, dot_style) = match state.people.availability(user) {
        Availability::Online => ("● ", styles.good),
        Availability::Away => ("● ", styles.warning),
        Availability::DoNotDisturb => ("● ", styles.bad),
        Availability::Offline | Availability::Unspecified => ("  ", styles.quiet),
    };
    let mut spans = vec![
        Span::styled(dot, dot_style),
        Span::styled(in_order(&state.people.name_or_you(user)), styles.person(user)),
    ];
    if long {
        let username = state.people.username(user).map(|name| format!("  @{name}")).unwrap_or_default();
        spans.push(Span::styled(username, styles.quiet));
    }
    if matches!(member.role(), Role::Owner | Role::Admin) {
        spans.push(Span::styled(format!("  {}", role(member.role())), styles.accent));
    }
    if long {
        spans.push(Span::styled(format!("  {}", state.people.presence(user, &state.clock)), styles.quiet));
    }
    Line::from(spans)
}
