//! Settings: of this terminal, and of the account.

use crossterm::event::{KeyCode, KeyEvent};
use parlor_types::limits::MAX_STATUS_TEXT;
use parlor_wire::chat::v1::{Audience, Privacy, SetPrivacyRequest};
use parlor_wire::presence::v1::{Appearance, Status};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::confirm::Confirm;
use super::messages::in_order;
use super::prompt::{Prompt, Purpose};
use super::{lines, step};
use crate::effect::Effect;
use crate::layout;
use crate::state::{Overlay, State};
use crate::text::one_line;

/// What is known of the account; none until the server has said it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// The display name.
    pub name: Option<String>,
    /// Who may see and do what.
    pub privacy: Option<Privacy>,
    /// What others see.
    pub status: Option<Status>,
}

/// The settings.
#[derive(Debug, Default)]
pub struct SettingsView {
    /// What is known.
    pub known: Known,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Theme,
    Mouse,
    Pictures,
    Bell,
    Name,
    Appearance,
    StatusText,
    ReadReceipts,
    Online,
    LastSeen,
    Direct,
    Groups,
    LogOut,
}

const ROWS: [Row; 13] = [
    Row::Theme,
    Row::Mouse,
    Row::Pictures,
    Row::Bell,
    Row::Name,
    Row::Appearance,
    Row::StatusText,
    Row::ReadReceipts,
    Row::Online,
    Row::LastSeen,
    Row::Direct,
    Row::Groups,
    Row::LogOut,
];

/// One key. The view stays if it is given back.
pub fn on_key(
    state: &mut State,
    mut view: SettingsView,
    key: KeyEvent,
    fx: &mut Vec<Effect>,
) -> Option<Overlay> {
    match key.code {
        KeyCode::Esc | KeyCode::Char('q') => return None,
        KeyCode::Down | KeyCode::Char('j') => view.at = step(view.at, ROWS.len(), true),
        KeyCode::Up | KeyCode::Char('k') => view.at = step(view.at, ROWS.len(), false),
        KeyCode::Enter | KeyCode::Char(' ') | KeyCode::Right => return change(state, view, fx),
        _ => {}
    }
    Some(Overlay::Settings(view))
}

fn change(state: &mut State, view: SettingsView, fx: &mut Vec<Effect>) -> Option<Overlay> {
    let set = &mut state.settings;
    match ROWS[view.at] {
        Row::Theme => set.theme = set.theme.next(),
        Row::Mouse => {
            set.mouse = !set.mouse;
            fx.push(Effect::Mouse(set.mouse));
        }
        Row::Pictures => set.pictures = !set.pictures,
        Row::Bell => set.bell = !set.bell,
        Row::Name => {
            let name = view.known.name.clone().unwrap_or_default();
            return Some(Overlay::Prompt(Prompt::with(Purpose::DisplayName, &one_line(&name))));
        }
        Row::StatusText => {
            let text = view.known.status.as_ref().map(|status| one_line(&status.text)).unwrap_or_default();
            return Some(Overlay::Prompt(Prompt::with(Purpose::StatusText, &text)));
        }
        Row::Appearance => {
            if let Some(status) = &view.known.status {
                let appearance = next_appearance(status.appearance()).into();
                fx.push(Effect::SetStatus(Status { appearance, ..status.clone() }));
            }
        }
        Row::LogOut => {
            let question = match state.unsent {
                0 => "Log out, and forget what is kept here".to_owned(),
                unsent => format!("Log out, and lose {unsent} messages that were not sent"),
            };
            return Some(Overlay::Confirm(Confirm::new(question, vec![Effect::LogOut])));
        }
        row => fx.extend(
            view.known.privacy.and_then(|privacy| privacy_change(row, &privacy)).map(Effect::SetPrivacy),
        ),
    }
    if matches!(ROWS[view.at], Row::Theme | Row::Mouse | Row::Pictures | Row::Bell) {
        fx.push(Effect::KeepSettings(state.settings));
    }
    Some(Overlay::Settings(view))
}

fn privacy_change(row: Row, privacy: &Privacy) -> Option<SetPrivacyRequest> {
    let next = |now: Audience| -> i32 {
        match now {
            Audience::Everyone => Audience::Contacts,
            Audience::Contacts => Audience::Nobody,
            Audience::Nobody | Audience::Unspecified => Audience::Everyone,
        }
        .into()
    };
    let mut changes = SetPrivacyRequest::default();
    match row {
        Row::ReadReceipts => changes.read_receipts = Some(!privacy.read_receipts),
        Row::Online => changes.online = next(privacy.online()),
        Row::LastSeen => changes.last_seen = next(privacy.last_seen()),
        Row::Direct => changes.direct = next(privacy.direct()),
        Row::Groups => changes.groups = next(privacy.groups()),
        _ => return None,
    }
    Some(changes)
}

fn next_appearance(now: Appearance) -> Appearance {
    match now {
        Appearance::Unspecified | Appearance::Online => Appearance::Away,
        Appearance::Away => Appearance::DoNotDisturb,
        Appearance::DoNotDisturb => Appearance::Invisible,
        Appearance::Invisible => Appearance::Online,
    }
}

/// Says something else of oneself. How one appears stays.
pub fn set_text(state: &mut State, text: &str, fx: &mut Vec<Effect>) {
    if text.chars().count() > MAX_STATUS_TEXT {
        return state.complain("at most 100 characters");
    }
    fx.push(Effect::SetStatus(Status { text: text.to_owned(), ..state.status.clone().unwrap_or_default() }));
}

/// Draws it.
pub fn draw(state: &State, view: &SettingsView, frame: &mut Frame<'_>) {
    let styles = state.settings.theme.styles();
    let area = layout::window(state, 60, 20);
    let inner = super::window(state, frame, area, "Settings");
    let drawn = ROWS.iter().map(|row| {
        let (label, value) = described(state, view, *row);
        Line::from(vec![
            Span::styled(format!("{label:<30}"), styles.text),
            Span::styled(value, styles.accent),
        ])
    });
    let list = Rect { height: inner.height.saturating_sub(2), ..inner };
    lines(frame, list, drawn.collect(), Some(view.at), state);
    let place = Rect { y: inner.y + inner.height.saturating_sub(1), height: 1.min(inner.height), ..inner };
    frame.render_widget(Line::styled("Enter: change   Esc: back", styles.quiet), place);
}

fn described(state: &State, view: &SettingsView, row: Row) -> (&'static str, String) {
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    let not_known = || "not known yet".to_owned();
    let privacy = |value: fn(&Privacy) -> String| view.known.privacy.as_ref().map_or_else(not_known, value);
    let status = |value: fn(&Status) -> String| view.known.status.as_ref().map_or_else(not_known, value);
    match row {
        Row::Theme => ("Colours", state.settings.theme.name().to_owned()),
        Row::Mouse => ("Mouse", on(state.settings.mouse)),
        Row::Pictures => ("Pictures", on(state.settings.pictures)),
        Row::Bell => ("Ring when a message comes", on(state.settings.bell)),
        Row::Name => {
            ("Name", view.known.name.as_deref().map_or_else(not_known, |name| in_order(&one_line(name))))
        }
        Row::Appearance => ("Appear", status(|status| appearance(status.appearance()).to_owned())),
        Row::StatusText => ("A few words", status(|status| in_order(&one_line(&status.text)))),
        Row::ReadReceipts => (
            "Let others see what I read",
            privacy(|known| if known.read_receipts { "on" } else { "off" }.to_owned()),
        ),
        Row::Online => ("Who sees me online", privacy(|known| audience(known.online()).to_owned())),
        Row::LastSeen => {
            ("Who sees when I was here", privacy(|known| audience(known.last_seen()).to_owned()))
        }
        Row::Direct => ("Who may write to me", privacy(|known| audience(known.direct()).to_owned())),
        Row::Groups => ("Who may add me to groups", privacy(|known| audience(known.groups()).to_owned())),
        Row::LogOut => ("Log out", String::new()),
    }
}

fn audience(who: Audience) -> &'static str {
    match who {
        Audience::Everyone => "everyone",
        Audience::Contacts => "contacts",
        Audience::Nobody => "nobody",
        Audience::Unspecified => "as by default",
    }
}

fn appearance(how: Appearance) -> &'static str {
    match how {
        Appearance::Unspecified | Appearance::Online => "online",
        Appearance::Away => "away",
        Appearance::DoNotDisturb => "do not disturb",
        Appearance::Invisible => "invisible",
    }
}
