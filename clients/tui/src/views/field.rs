//! A line to be written into, in windows.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::composer::Editor;
use crate::state::State;

/// One line.
#[derive(Debug, Clone, Default)]
pub struct Field {
    editor: Editor,
    /// What is written is not shown.
    pub secret: bool,
}

impl Field {
    /// With something in it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { editor: Editor::new(&text.replace('\n', " ")), secret: false }
    }

    /// For a password.
    #[must_use]
    pub fn secret() -> Self {
        Self { secret: true, ..Self::default() }
    }

    /// What is in it.
    #[must_use]
    pub fn text(&self) -> &str {
        self.editor.text()
    }

    /// Writes; a line end is a space.
    pub fn write(&mut self, text: &str) {
        self.editor.insert(&text.replace(['\n', '\r', '\t'], " "));
    }

    /// One key. `false`: it means something elsewhere.
    pub fn on_key(&mut self, key: KeyEvent) -> bool {
        let held = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        match (key.code, held) {
            (KeyCode::Char(c), held) if held.is_empty() => self.write(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Backspace, held) if held.is_empty() => self.editor.backspace(),
            (KeyCode::Backspace, _) | (KeyCode::Char('w'), KeyModifiers::CONTROL) => {
                self.editor.delete_word()
            }
            (KeyCode::Char('u'), KeyModifiers::CONTROL) => self.editor.delete_to_line_start(),
            (KeyCode::Delete, _) => self.editor.delete(),
            (KeyCode::Left, _) => self.editor.left(),
            (KeyCode::Right, _) => self.editor.right(),
            (KeyCode::Home, _) => self.editor.home(),
            (KeyCode::End, _) => self.editor.end(),
            _ => return false,
        }
        true
    }

    /// Draws it; with the cursor if it is written into.
    pub fn draw(&self, state: &State, frame: &mut Frame<'_>, area: Rect, label: &str, focused: bool) {
        let styles = state.settings.theme.styles();
        let label = format!("{label} ");
        let from = crate::text::width(&label);
        let room = usize::from(area.width).saturating_sub(from + 1).max(1);
        let hidden = Editor::new(&"•".repeat(self.editor.before().chars().count()));
        let shown = if self.secret { &hidden } else { &self.editor };
        let (lines, (_, column)) = shown.layout(usize::MAX / 2);
        let skipped = (column + 1).saturating_sub(room);
        let (mut taken, mut text) = (0, String::new());
        for glyph in lines.first().into_iter().flatten() {
            taken += glyph.columns;
            if taken > skipped && taken <= skipped + room {
                text.push_str(&crate::text::one_line(glyph.text));
            }
        }
        let style = if focused { styles.accent } else { styles.quiet };
        let line = Line::from(vec![Span::styled(label, style), Span::styled(text, styles.text)]);
        frame.render_widget(line, Rect { height: 1.min(area.height), ..area });
        if focused {
            let column = u16::try_from(from + column - skipped).unwrap_or(u16::MAX);
            frame.set_cursor_position((area.x.saturating_add(column), area.y));
        }
    }
}
