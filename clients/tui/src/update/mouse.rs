//! The mouse.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::effect::Effect;
use crate::layout::areas;
use crate::state::{Focus, State};
use crate::views::{list, messages};

/// Lines of a turn of the wheel.
const WHEEL: isize = 3;

/// What was done with it.
pub fn on_mouse(state: &mut State, mouse: MouseEvent, fx: &mut Vec<Effect>) {
    if state.overlay.is_some() {
        return;
    }
    let areas = areas(state);
    let at = Position::new(mouse.column, mouse.row);
    let on = |area: Rect| area.contains(at);
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) if on(areas.list) => {
            list::click(state, areas.list, mouse.row, fx);
        }
        MouseEventKind::Down(MouseButton::Left) if on(areas.messages) => {
            messages::click(state, areas.messages, mouse.row);
        }
        MouseEventKind::Down(MouseButton::Left) if on(areas.composer) => state.focus = Focus::Composer,
        MouseEventKind::ScrollUp | MouseEventKind::ScrollDown => {
            let down = mouse.kind == MouseEventKind::ScrollDown;
            if on(areas.list) {
                list::wheel(state, down);
            } else if on(areas.messages) {
                let size = (areas.messages.width, areas.messages.height);
                messages::scroll(state, size, if down { WHEEL } else { -WHEEL });
            }
        }
        _ => {}
    }
}
