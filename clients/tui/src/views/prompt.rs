//! A line to be written for something: a search, a day, a name.

use crossterm::event::{KeyCode, KeyEvent};
use parlor_client::core::Draft;
use parlor_types::{ConversationId, UserId};
use parlor_wire::chat::v1::Rename;
use parlor_wire::chat::v1::content::Kind;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::field::Field;
use super::messages;
use crate::effect::Effect;
use crate::layout;
use crate::state::State;

/// What it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A search in the conversation.
    Search,
    /// A day to go to.
    Day,
    /// The name of a new group of these people.
    GroupName(Vec<UserId>),
    /// Another name of a group.
    Rename(ConversationId),
    /// Another display name.
    DisplayName,
    /// What others see one say of oneself.
    StatusText,
}

/// The line.
#[derive(Debug)]
pub struct Prompt {
    purpose: Purpose,
    /// What is written.
    pub field: Field,
}

impl Prompt {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(purpose: Purpose) -> Self {
        Self { purpose, field: Field::default() }
    }

    /// Something stands there already.
    #[must_use]
    pub fn with(purpose: Purpose, text: &str) -> Self {
        Self { purpose, field: Field::new(text) }
    }

    fn title(&self) -> (&'static str, &'static str) {
        match self.purpose {
            Purpose::Search => ("Search in this conversation", "older hits: n"),
            Purpose::Day => ("Go to a day", "2026-11-23, 23.11., yesterday, 3d, 2w"),
            Purpose::GroupName(_) => ("Name of the group", "1 to 100 characters"),
            Purpose::Rename(_) => ("Another name for the group", "1 to 100 characters"),
            Purpose::DisplayName => ("How you want to be called", "1 to 64 characters"),
            Purpose::StatusText => ("A few words about now", "at most 100 characters; empty for none"),
        }
    }
}

/// One key; `true` when it is done with.
pub fn on_key(state: &mut State, prompt: &mut Prompt, key: KeyEvent, fx: &mut Vec<Effect>) -> bool {
    match key.code {
        KeyCode::Esc => true,
        KeyCode::Enter => {
            let text = prompt.field.text().trim().to_owned();
            done(state, &prompt.purpose, &text, fx)
        }
        _ => {
            prompt.field.on_key(key);
            false
        }
    }
}

fn done(state: &mut State, purpose: &Purpose, text: &str, fx: &mut Vec<Effect>) -> bool {
    match purpose {
        Purpose::Search => messages::find(state, text, fx),
        Purpose::Day => {
            let day = state.clock.read_day(text).and_then(|day| state.clock.begin_of(day));
            let Some(day) = day else {
                state.complain("that is no day");
                return false;
            };
            fx.extend(state.thread.as_ref().map(|thread| Effect::FindTime(thread.id, day)));
        }
        Purpose::GroupName(_) | Purpose::Rename(_) | Purpose::DisplayName if text.is_empty() => return false,
        Purpose::GroupName(members) => fx.push(Effect::NewGroup(text.to_owned(), members.clone())),
        Purpose::Rename(group) => {
            let rename = Kind::Rename(Rename { name: text.to_owned() });
            fx.push(Effect::Send(Draft::new(*group, rename)));
        }
        Purpose::DisplayName => fx.push(Effect::SetName(text.to_owned())),
        Purpose::StatusText => super::settings::set_text(state, text, fx),
    }
    true
}

/// Draws it.
pub fn draw(state: &State, prompt: &Prompt, frame: &mut Frame<'_>) {
    let styles = state.settings.theme.styles();
    let (title, hint) = prompt.title();
    let area = layout::window(state, 56, 5);
    let inner = super::window(state, frame, area, title);
    prompt.field.draw(state, frame, Rect { height: 1.min(inner.height), ..inner }, "›", true);
    let place = Rect { y: inner.y + inner.height.saturating_sub(1), height: 1.min(inner.height), ..inner };
    frame.render_widget(Line::styled(hint, styles.quiet), place);
}
