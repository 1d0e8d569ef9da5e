//! The messages on the screen.

use parlor_types::Id as _;
use parlor_types::UserId;
use parlor_wire::chat::v1::ConversationKind;
use parlor_wire::presence::v1::Availability;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::block::in_order;
use super::visible;
use crate::state::{Focus, State};
use crate::text::{cut, width};

/// The conversation's name, and who is there.
pub fn draw_header(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let styles = state.settings.theme.styles();
    let Some(chat) = state.open_chat() else { return };
    let about = state.people.doing(chat.id).unwrap_or_else(|| match chat.row.kind() {
        ConversationKind::Direct => state
            .people
            .other(&chat.row)
            .map(|other| state.people.presence(other, &state.clock))
            .unwrap_or_default(),
        _ => {
            let members = chat.row.members.iter().filter_map(|member| UserId::parse(&member.user_id));
            let online =
                members.filter(|user| state.people.availability(*user) == Availability::Online).count();
            let count = chat.row.member_count.max(u32::try_from(chat.row.members.len()).unwrap_or(u32::MAX));
            if online > 0 { format!("{count} members, {online} online") } else { format!("{count} members") }
        }
    });
    let columns = usize::from(area.width);
    let about = cut(&about, columns / 2);
    let title = cut(&state.title(chat), columns.saturating_sub(width(&about) + 3));
    let free = columns.saturating_sub(width(&title) + width(&about) + 2);
    let style = if state.focus == Focus::Messages { styles.accent } else { styles.text };
    let line = Line::from(vec![
        Span::styled(format!(" {}", in_order(&title)), style.add_modifier(ratatui::style::Modifier::BOLD)),
        Span::raw(" ".repeat(free)),
        Span::styled(in_order(&about), styles.quiet),
    ]);
    frame.render_widget(line, Rect { height: 1, ..area });
    if area.height > 1 {
        let rule = Span::styled("─".repeat(columns), styles.line);
        frame.render_widget(Line::from(rule), Rect { y: area.y + 1, height: 1, ..area });
    }
}

/// The messages.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let styles = state.settings.theme.styles();
    let Some(thread) = &state.thread else {
        let hint = if state.chats.shown.is_empty() {
            "Nobody here yet: press n to find people"
        } else {
            "Enter opens a conversation, ? shows the keys"
        };
        let line = Line::styled(cut(hint, usize::from(area.width)), styles.quiet).centered();
        frame.render_widget(line, Rect { y: area.y + area.height / 2, height: 1.min(area.height), ..area });
        return;
    };
    for placed in visible(state, (area.width, area.height)) {
        let chosen = thread.chosen.is_some() && thread.key(placed.index) == thread.chosen;
        for (offset, line) in placed.block.lines.into_iter().enumerate() {
            let row = placed.top + offset as isize;
            let Some(row) = u16::try_from(row).ok().filter(|row| *row < area.height) else { continue };
            let place = Rect { y: area.y + row, height: 1, ..area };
            frame.render_widget(line, place);
            if chosen {
                frame.buffer_mut().set_style(place, styles.chosen);
                frame.buffer_mut().set_string(place.x, place.y, "▌", styles.accent);
            }
        }
    }
    if thread.is_empty() && !thread.loading {
        let text =
            if thread.complete { "nothing was said yet" } else { "what was said here has not come yet" };
        let line = Line::styled(text, styles.quiet).centered();
        frame.render_widget(line, Rect { y: area.y + area.height / 2, height: 1.min(area.height), ..area });
    }
}
