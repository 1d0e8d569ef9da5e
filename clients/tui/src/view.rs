//! The whole screen.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::layout::areas;
use crate::picture::Drawing;
use crate::state::{Overlay, State};
use crate::views::{
    accounts, composer, confirm, help, list, members, messages, people, prompt, settings, sign_in, status,
};

/// Draws all that is shown.
pub fn view(state: &State, frame: &mut Frame<'_>) {
    let styles = state.settings.theme.styles();
    let areas = areas(state);
    let all = frame.area();
    frame.buffer_mut().set_style(all, styles.text);
    list::draw(state, frame, areas.list);
    for row in 0..areas.rule.height {
        frame.buffer_mut().set_string(areas.rule.x, areas.rule.y + row, "│", styles.line);
    }
    messages::draw_header(state, frame, areas.header);
    messages::draw(state, frame, areas.messages);
    composer::draw(state, frame, areas.composer);
    if let Some(chat) = state.open_chat().filter(|_| areas.side.width > 0) {
        members::draw_side(state, chat, frame, areas.side);
    }
    status::draw(state, frame, areas.status);
    match &state.overlay {
        Some(Overlay::Help(view)) => help::draw(state, view, frame),
        Some(Overlay::People(view)) => people::draw(state, view, frame),
        Some(Overlay::Members(view)) => members::draw(state, view, frame),
        Some(Overlay::Settings(view)) => settings::draw(state, view, frame),
        Some(Overlay::Accounts(view)) => accounts::draw(state, view, frame),
        Some(Overlay::SignIn(view)) => sign_in::draw(state, view, frame),
        Some(Overlay::Confirm(view)) => confirm::draw(state, view, frame),
        Some(Overlay::Prompt(view)) => prompt::draw(state, view, frame),
        None => {}
    }
}

/// Pictures that are no characters: where each is to be, and what draws it. Only those wholly on the screen.
#[must_use]
pub fn sequences(state: &State) -> Vec<(Rect, &str)> {
    let area = areas(state).messages;
    if state.overlay.is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for placed in messages::visible(state, (area.width, area.height)) {
        for (line, id) in &placed.block.pictures {
            let Some(Drawing::Sequence { columns, rows, bytes }) = state.gallery.drawing(*id) else {
                continue;
            };
            let Ok(top) = u16::try_from(placed.top + *line as isize) else { continue };
            if top + rows <= area.height {
                let place = Rect::new(area.x + messages::INDENT, area.y + top, *columns, *rows);
                found.push((place, &bytes[..]));
            }
        }
    }
    found
}
