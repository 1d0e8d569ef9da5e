//! A question before something that cannot be undone, and before files are sent.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::effect::Effect;
use crate::layout;
use crate::state::State;
use crate::text::wrap;
use crate::views::messages::in_order;

/// A question.
#[derive(Debug)]
pub struct Confirm {
    question: String,
    yes: Vec<Effect>,
    /// What was pasted, if it can be taken as text as well.
    pub text: Option<String>,
    /// What is being written goes along as the caption.
    pub takes_text: bool,
}

impl Confirm {
    /// What yes does.
    #[must_use]
    pub fn new(question: String, yes: Vec<Effect>) -> Self {
        Self { question, yes, text: None, takes_text: false }
    }

    /// Files whose paths were pasted.
    #[must_use]
    pub fn files(question: String, yes: Effect, text: String) -> Self {
        Self { question, yes: vec![yes], text: Some(text), takes_text: true }
    }
}

/// What was answered.
#[derive(Debug)]
pub enum Answer {
    /// Yes: do this.
    Yes(Vec<Effect>),
    /// The text that was pasted is meant.
    Text(String),
    /// No.
    No,
    /// Nothing yet.
    None,
}

/// One key.
pub fn on_key(confirm: &mut Confirm, key: KeyEvent) -> Answer {
    match key.code {
        KeyCode::Enter | KeyCode::Char('y') => Answer::Yes(std::mem::take(&mut confirm.yes)),
        KeyCode::Char('t') => confirm.text.take().map_or(Answer::None, Answer::Text),
        KeyCode::Esc | KeyCode::Char('n') => Answer::No,
        _ => Answer::None,
    }
}

/// Draws it.
pub fn draw(state: &State, confirm: &Confirm, frame: &mut Frame<'_>) {
    let styles = state.settings.theme.styles();
    let columns = 60.min(state.size.0);
    let ranges = wrap(&confirm.question, usize::from(columns.saturating_sub(4)));
    let rows = u16::try_from(ranges.len()).unwrap_or(u16::MAX).min(12) + 4;
    let area = layout::window(state, columns, rows);
    let inner = super::window(state, frame, area, "Sure?");
    let question = ranges.into_iter().map(|range| Line::raw(in_order(confirm.question[range].trim_end())));
    super::lines(frame, inner, question.collect(), None, state);
    let keys = if confirm.text.is_some() {
        "Enter: send   t: paste as text   Esc: neither"
    } else {
        "y: yes   n: no"
    };
    let place = Rect { y: inner.y + inner.height.saturating_sub(1), height: 1.min(inner.height), ..inner };
    frame.render_widget(Line::styled(keys, styles.accent), place);
}
