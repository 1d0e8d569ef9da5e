//! Logging in, or making an account.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent};
use parlor_client::LogIn;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::field::Field;
use crate::effect::{Effect, SecretLogIn};
use crate::layout;
use crate::state::{Overlay, State};
use crate::text::wrap;

/// What is asked for.
#[derive(Debug)]
pub struct SignIn {
    fields: [Field; 4],
    at: usize,
    new: bool,
    /// What the server said of the last attempt. Harmless to show.
    pub problem: Option<String>,
    /// It is being tried.
    pub busy: bool,
    back: Option<PathBuf>,
}

const LABELS: [&str; 4] = ["Server   ", "Username ", "Password ", "Name     "];
const USERNAME: usize = 1;
const PASSWORD: usize = 2;
const NAME: usize = 3;

impl SignIn {
    /// At this server.
    #[must_use]
    pub fn new(server: &str) -> Self {
        let fields = [Field::new(server), Field::default(), Field::secret(), Field::default()];
        Self { fields, at: USERNAME, new: false, problem: None, busy: false, back: None }
    }

    /// From the account in this folder, to which Esc goes back.
    #[must_use]
    pub fn with_way_back(self, folder: PathBuf) -> Self {
        Self { back: Some(folder), ..self }
    }

    fn shown(&self) -> usize {
        if self.new { NAME + 1 } else { NAME }
    }

    /// The field that is written into.
    pub fn field(&mut self) -> &mut Field {
        &mut self.fields[self.at]
    }
}

/// One key. The view stays: there is nothing behind it.
pub fn on_key(mut view: SignIn, key: KeyEvent, fx: &mut Vec<Effect>) -> Overlay {
    let shown = view.shown();
    match key.code {
        KeyCode::Down | KeyCode::Tab => view.at = (view.at + 1) % shown,
        KeyCode::Up | KeyCode::BackTab => view.at = (view.at + shown - 1) % shown,
        KeyCode::F(2) => {
            view.new = !view.new;
            view.at = view.at.min(view.shown() - 1);
        }
        KeyCode::Enter
            if view.at + 1 < shown && view.fields[view.at + 1].text().is_empty() && view.at + 1 != NAME =>
        {
            view.at += 1;
        }
        KeyCode::Enter => go(&mut view, fx),
        KeyCode::Esc => fx.push(view.back.clone().map_or(Effect::Quit, Effect::SwitchTo)),
        _ => {
            view.fields[view.at].on_key(key);
        }
    }
    Overlay::SignIn(view)
}

fn go(view: &mut SignIn, fx: &mut Vec<Effect>) {
    let [server, username, password, name] = view.fields.each_ref().map(Field::text);
    let ready = !view.busy && !username.trim().is_empty() && !password.is_empty();
    if !ready {
        return;
    }
    let who = LogIn {
        username: username.trim().trim_start_matches('@').to_owned(),
        password: password.to_owned(),
        device_name: format!("parlor on {}", std::env::consts::OS),
    };
    let name = view.new.then(|| name.trim().to_owned());
    fx.push(Effect::LogIn(server.trim().to_owned(), SecretLogIn(who), name));
    view.busy = true;
    view.problem = None;
}

impl SignIn {
    /// It was refused.
    pub fn refused(&mut self, why: String) {
        self.busy = false;
        self.problem = Some(why);
        self.at = PASSWORD;
    }
}

/// Draws it.
pub fn draw(state: &State, view: &SignIn, frame: &mut Frame<'_>) {
    let styles = state.settings.theme.styles();
    let area = layout::window(state, 60, 13);
    let title = if view.new { "Parlor: make an account" } else { "Parlor: log in" };
    let inner = super::window(state, frame, area, title);
    let row = |offset: u16| Rect {
        y: inner.y + offset.min(inner.height.saturating_sub(1)),
        height: 1.min(inner.height),
        ..inner
    };
    for (offset, (field, label)) in (1..).zip(view.fields.iter().zip(LABELS)).take(view.shown()) {
        field.draw(state, frame, row(offset), label, usize::from(offset) == view.at + 1);
    }
    let (text, style) = match (&view.problem, view.busy) {
        (_, true) => ("one moment…".to_owned(), styles.quiet),
        (Some(problem), _) => (problem.clone(), styles.bad),
        (None, _) => (String::new(), styles.text),
    };
    let columns = usize::from(inner.width);
    for (offset, range) in (6..9).zip(wrap(&text, columns)) {
        frame.render_widget(Line::styled(text[range].to_owned(), style), row(offset));
    }
    let other = if view.new { "F2: I have an account" } else { "F2: make an account" };
    let away = if view.back.is_some() { "Esc: back" } else { "Esc: quit" };
    frame.render_widget(Line::styled(format!("Enter: go on   {other}   {away}"), styles.quiet), row(10));
}
