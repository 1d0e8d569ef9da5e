//! Finding people: to talk to one, to make a group of several, to add some to a group.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use parlor_client::core::Draft;
use parlor_types::{ConversationId, UserId};
use parlor_wire::chat::v1::Add;
use parlor_wire::chat::v1::content::Kind;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::field::Field;
use super::messages::in_order;
use super::prompt::{Prompt, Purpose};
use super::{lines, step};
use crate::effect::{Deed, Effect};
use crate::layout;
use crate::people::Name;
use crate::state::{Overlay, State};

/// Somebody that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who.
    pub user: UserId,
    /// What they are called.
    pub name: Name,
}

/// The search.
#[derive(Debug, Default)]
pub struct PeopleSearch {
    /// The group they are to be added to.
    group: Option<ConversationId>,
    /// What their name begins with.
    pub field: Field,
    found: Vec<Found>,
    marked: Vec<Found>,
    at: usize,
}

impl PeopleSearch {
    /// To talk to somebody, or make a group.
    #[must_use]
    pub fn to_talk() -> Self {
        Self::default()
    }

    /// To add people to a group.
    #[must_use]
    pub fn to_add(group: ConversationId) -> Self {
        Self { group: Some(group), ..Self::default() }
    }

    /// What a search brought. One that was asked for before is of no use any more.
    pub fn hear(&mut self, query: &str, found: Vec<Found>) {
        if query == self.field.text().trim() {
            self.found = found;
            // Those marked stand above what was looked for.
            self.at = self.marked.len().min(self.all().len().saturating_sub(1));
        }
    }

    /// Those marked, and those found.
    fn all(&self) -> Vec<(&Found, bool)> {
        let marked = self.marked.iter().map(|found| (found, true));
        let others =
            self.found.iter().filter(|found| !self.marked.contains(found)).map(|found| (found, false));
        marked.chain(others).collect()
    }
}

/// One key. The search goes on if it is given back.
pub fn on_key(
    state: &mut State,
    mut search: PeopleSearch,
    key: KeyEvent,
    fx: &mut Vec<Effect>,
) -> Option<Overlay> {
    let len = search.all().len();
    let chosen = search.all().get(search.at).map(|(found, _)| (*found).clone());
    match (key.code, key.modifiers) {
        (KeyCode::Esc, _) => return None,
        (KeyCode::Down, _) => search.at = step(search.at, len, true),
        (KeyCode::Up, _) => search.at = step(search.at, len, false),
        (KeyCode::Tab, _) => mark(&mut search, chosen),
        (KeyCode::Char('b'), KeyModifiers::CONTROL) => {
            fx.extend(chosen.map(|found| Effect::Person(found.user, Deed::Block)));
        }
        (KeyCode::Char('o'), KeyModifiers::CONTROL) => {
            fx.extend(chosen.map(|found| Effect::Person(found.user, Deed::Befriend)));
        }
        (KeyCode::Enter, _) => return enter(state, search, chosen, fx),
        _ => {
            let before = search.field.text().trim().to_owned();
            search.field.on_key(key);
            let query = search.field.text().trim().to_owned();
            if query.is_empty() {
                search.found.clear();
            } else if query != before {
                fx.push(Effect::SearchPeople(query));
            }
        }
    }
    Some(Overlay::People(search))
}

fn mark(search: &mut PeopleSearch, chosen: Option<Found>) {
    let Some(chosen) = chosen else { return };
    match search.marked.iter().position(|found| *found == chosen) {
        Some(at) => drop(search.marked.remove(at)),
        None => search.marked.push(chosen),
    }
}

fn enter(
    state: &mut State,
    search: PeopleSearch,
    chosen: Option<Found>,
    fx: &mut Vec<Effect>,
) -> Option<Overlay> {
    let marked: Vec<_> = search.marked.iter().map(|found| found.user).collect();
    let together =
        if marked.is_empty() { chosen.map(|found| found.user).into_iter().collect() } else { marked };
    match (search.group, &together[..]) {
        (_, []) => return Some(Overlay::People(search)),
        (Some(group), all) => {
            let user_ids = all.iter().map(ToString::to_string).collect();
            fx.push(Effect::Send(Draft::new(group, Kind::Add(Add { user_ids }))));
        }
        (None, [one]) => {
            fx.push(Effect::Direct(*one));
            state.say("opening…");
        }
        (None, _) => return Some(Overlay::Prompt(Prompt::new(Purpose::GroupName(together)))),
    }
    None
}

/// Draws it.
pub fn draw(state: &State, search: &PeopleSearch, frame: &mut Frame<'_>) {
    let styles = state.settings.theme.styles();
    let area = layout::window(state, 64, 18);
    let title = if search.group.is_some() { "Add people" } else { "Find people" };
    let inner = super::window(state, frame, area, title);
    search.field.draw(state, frame, Rect { height: 1.min(inner.height), ..inner }, "Name begins with", true);
    let all = search.all();
    let list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(4), ..inner };
    let drawn = all.iter().map(|(found, marked)| {
        let box_ = if *marked { "[x] " } else { "[ ] " };
        Line::from(vec![
            Span::styled(box_, styles.accent),
            Span::styled(in_order(&found.name.display), styles.text),
            Span::styled(format!("  @{}", found.name.username), styles.quiet),
            Span::styled(format!("  {}", state.people.presence(found.user, &state.clock)), styles.quiet),
        ])
    });
    let chosen = (!all.is_empty()).then_some(search.at.min(all.len().saturating_sub(1)));
    lines(frame, list, drawn.collect(), chosen, state);
    let keys = match (search.group, search.marked.len()) {
        (Some(_), _) => "Tab: mark   Enter: add   Esc: back",
        (None, 0 | 1) => "Enter: talk  Tab: group  Ctrl-o: contact  Ctrl-b: block",
        (None, _) => "Enter: make a group   Tab: mark   Esc: back",
    };
    let place = Rect { y: inner.y + inner.height.saturating_sub(1), height: 1.min(inner.height), ..inner };
    frame.render_widget(Line::styled(keys, styles.quiet), place);
}
