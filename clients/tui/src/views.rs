//! What stands on the screen, one module each: what it remembers, what its keys do, how it is drawn.

pub mod accounts;
pub mod composer;
pub mod confirm;
pub mod field;
pub mod help;
pub mod list;
pub mod members;
pub mod messages;
pub mod people;
pub mod prompt;
pub mod settings;
pub mod sign_in;
pub mod status;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Borders, Clear};

use crate::state::State;
use crate::text::cut;

/// A window over the rest; answers what is inside of it.
pub(crate) fn window(state: &State, frame: &mut Frame<'_>, area: Rect, title: &str) -> Rect {
    let styles = state.settings.theme.styles();
    frame.render_widget(Clear, area);
    let title = cut(title, usize::from(area.width.saturating_sub(4)));
    let block = Block::new()
        .borders(Borders::ALL)
        .border_type(BorderType::Rounded)
        .border_style(styles.accent)
        .style(styles.text)
        .title(Line::styled(format!(" {title} "), styles.accent));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// The lines of a list, so that the chosen one is among them.
pub(crate) fn lines(
    frame: &mut Frame<'_>,
    area: Rect,
    lines: Vec<Line<'static>>,
    chosen: Option<usize>,
    state: &State,
) {
    let styles = state.settings.theme.styles();
    let room = usize::from(area.height);
    let first = chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(room));
    for (offset, line) in lines.into_iter().skip(first).take(room).enumerate() {
        let place = Rect { y: area.y + u16::try_from(offset).unwrap_or(u16::MAX), height: 1, ..area };
        frame.render_widget(line, place);
        if chosen == Some(first + offset) {
            frame.buffer_mut().set_style(place, styles.chosen);
        }
    }
}

/// Up and down in a list of so many.
pub(crate) fn step(at: usize, len: usize, down: bool) -> usize {
    match (down, len) {
        (_, 0) => 0,
        (true, _) => (at + 1).min(len - 1),
        (false, _) => at.min(len - 1).saturating_sub(1),
    }
}
