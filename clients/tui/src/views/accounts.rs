//! The accounts of this machine.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::sign_in::SignIn;
use super::{lines, step};
use crate::effect::Effect;
use crate::layout;
use crate::state::{Overlay, State};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Where it is kept.
    pub folder: PathBuf,
    /// Whose it is, and at which server. Harmless to show.
    pub name: String,
    /// Messages that were unread when it was last looked at.
    pub unread: u64,
}

/// The list of them.
#[derive(Debug, Default)]
pub struct Accounts {
    /// Those there are.
    pub all: Vec<Account>,
    /// Where another would be kept.
    pub free: PathBuf,
    at: usize,
}

/// One key. The view stays if it is given back.
pub fn on_key(mut view: Accounts, key: KeyEvent, fx: &mut Vec<Effect>) -> Option<Overlay> {
    match key.code {
        KeyCode::Esc | KeyCode::Char('q') => return None,
        KeyCode::Down | KeyCode::Char('j') => view.at = step(view.at, view.all.len() + 1, true),
        KeyCode::Up | KeyCode::Char('k') => view.at = step(view.at, view.all.len() + 1, false),
        KeyCode::Enter => {
            let folder = view.all.get(view.at).map_or(view.free, |account| account.folder.clone());
            fx.push(Effect::SwitchTo(folder));
            return None;
        }
        _ => {}
    }
    Some(Overlay::Accounts(view))
}

/// Draws it.
pub fn draw(state: &State, view: &Accounts, frame: &mut Frame<'_>) {
    let styles = state.settings.theme.styles();
    let area = layout::window(state, 60, 14);
    let inner = super::window(state, frame, area, "Accounts");
    let mut drawn: Vec<_> = view
        .all
        .iter()
        .map(|account| {
            let here = if account.folder == state.folder { "● " } else { "  " };
            let unread = if account.unread > 0 { format!("  {} ", account.unread) } else { String::new() };
            Line::from(vec![
                Span::styled(here, styles.good),
                Span::styled(account.name.clone(), styles.text),
                Span::styled(unread, styles.accent),
            ])
        })
        .collect();
    drawn.push(Line::styled("  + another account", styles.accent));
    let list = Rect { height: inner.height.saturating_sub(2), ..inner };
    lines(frame, list, drawn, Some(view.at), state);
    let place = Rect { y: inner.y + inner.height.saturating_sub(1), height: 1.min(inner.height), ..inner };
    frame.render_widget(Line::styled("Enter: go there   Esc: back", styles.quiet), place);
}

/// The first thing seen where nobody is logged in.
#[must_use]
pub fn nobody(server: &str) -> Overlay {
    Overlay::SignIn(SignIn::new(server))
}

/// The same, for whoever has another account, in this folder.
#[must_use]
pub fn another(server: &str, back: PathBuf) -> Overlay {
    Overlay::SignIn(SignIn::new(server).with_way_back(back))
}
