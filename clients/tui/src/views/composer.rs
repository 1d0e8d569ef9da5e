//! What is being written: a message, an answer, or another wording of one that was sent.

mod editor;
mod emoji;
mod keys;

use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1::Draft;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

pub use editor::Editor;
pub use keys::{clear, follow, on_key, send, write};

use crate::content;
use crate::effect::Effect;
use crate::state::{Focus, State};
use crate::text::{cut, one_line, width};
use crate::views::messages::in_order;

/// What is being written in the conversation that is open.
#[derive(Debug, Clone, Default)]
pub struct Composer {
    /// The text.
    pub editor: Editor,
    /// The message it answers.
    pub reply_to: Option<Seq>,
    /// The message it takes the place of.
    pub editing: Option<Seq>,
    /// Which of the suggested emoji is chosen.
    pub suggestion: usize,
    /// It differs from what the server was told.
    pub changed: bool,
    /// Seconds since the last change, by ticks.
    pub still: u8,
}

impl Composer {
    /// Goes on with a draft.
    #[must_use]
    pub fn of(draft: &Draft) -> Self {
        let reply_to = Some(Seq(draft.reply_to)).filter(|seq| *seq != Seq::default());
        Self { editor: Editor::new(&draft.text), reply_to, ..Self::default() }
    }

    /// As a draft. What takes the place of a message is none: the message is there.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let reply_to = self.reply_to.unwrap_or_default().0;
        Draft { text: self.editor.text().to_owned(), reply_to }
    }

    /// The emoji that are suggested for what stands before the cursor.
    #[must_use]
    pub fn suggestions(&self) -> Vec<(&'static str, &'static str)> {
        emoji::begun(self.editor.before()).map(emoji::suggested).unwrap_or_default()
    }
}

/// Opens the composer of a conversation, with what was being written there.
#[must_use]
pub fn opened(state: &State, id: ConversationId) -> Composer {
    let kept = state.drafts.get(&id).cloned();
    let saved = || {
        let preferences = &state.chat(id)?.preferences;
        Some(Draft { text: preferences.draft.clone(), reply_to: preferences.draft_reply_to })
    };
    kept.or_else(saved).map(|draft| Composer::of(&draft)).unwrap_or_default()
}

/// What is being written is told to the server when the writer pauses or goes elsewhere.
pub fn put_away(state: &mut State, fx: &mut Vec<Effect>) {
    let Some(id) = state.thread.as_ref().map(|thread| thread.id) else { return };
    if !std::mem::take(&mut state.composer.changed) || state.composer.editing.is_some() {
        return;
    }
    let draft = state.composer.draft();
    state.drafts.insert(id, draft.clone());
    if draft.text.len() <= parlor_types::limits::MAX_DRAFT_BYTES {
        fx.push(Effect::Prefer(
            id,
            Box::new(parlor_wire::chat::v1::PreferenceChanges { draft: Some(draft), ..Default::default() }),
        ));
    }
}

/// Rows it takes of `body`: at most a third.
#[must_use]
pub fn rows(state: &State, columns: u16, body: u16) -> u16 {
    let lines = state.composer.editor.layout(text_columns(columns)).0.len();
    let most = (body / 3).max(1);
    1 + u16::try_from(lines).unwrap_or(u16::MAX).clamp(1, most)
}

/// Columns of the text.
#[must_use]
pub fn text_columns(columns: u16) -> usize {
    usize::from(columns.saturating_sub(3)).max(4)
}

/// Draws it.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let styles = state.settings.theme.styles();
    let focused = state.focus == Focus::Composer && state.overlay.is_none();
    frame.render_widget(label(state, area.width), Rect { height: 1, ..area });
    let (lines, (row, column)) = state.composer.editor.layout(text_columns(area.width));
    let room = usize::from(area.height - 1);
    let first = row.saturating_sub(room.saturating_sub(1));
    let prompt = if focused { styles.accent } else { styles.quiet };
    for (offset, glyphs) in lines.iter().skip(first).take(room).enumerate() {
        let text: String = glyphs.iter().map(|glyph| one_line(glyph.text).replace('\t', " ")).collect();
        let sign = if offset + first == 0 { "› " } else { "  " };
        let line = Line::from(vec![Span::styled(sign, prompt), Span::styled(text, styles.text)]);
        let y = area.y + 1 + u16::try_from(offset).unwrap_or(u16::MAX);
        frame.render_widget(line, Rect { y, height: 1, ..area });
    }
    if state.composer.editor.is_empty() && !focused {
        let hint =
            Line::from(vec![Span::styled("› ", prompt), Span::styled("write a message", styles.quiet)]);
        frame.render_widget(hint, Rect { y: area.y + 1, height: 1.min(area.height - 1), ..area });
    }
    if focused {
        let column =
            u16::try_from(column).unwrap_or(u16::MAX).saturating_add(2).min(area.width.saturating_sub(1));
        let row = u16::try_from(row - first).unwrap_or(u16::MAX);
        frame.set_cursor_position((area.x + column, area.y + 1 + row));
    }
}

/// The line above: what it is, and the emoji that are suggested.
fn label(state: &State, columns: u16) -> Line<'static> {
    let styles = state.settings.theme.styles();
    let columns = usize::from(columns);
    let suggestions = state.composer.suggestions();
    if !suggestions.is_empty() {
        let mut spans = vec![Span::styled("─ ", styles.line)];
        for (place, (name, emoji)) in suggestions.iter().enumerate() {
            let chosen = place == state.composer.suggestion.min(suggestions.len() - 1);
            let style = if chosen { styles.text.patch(styles.chosen) } else { styles.quiet };
            spans.push(Span::styled(format!(" {emoji} {name} "), style));
        }
        spans.push(Span::styled(" Tab takes it", styles.quiet));
        return Line::from(spans);
    }
    let people = &state.people;
    let entry = |seq| state.thread.as_ref().and_then(|thread| thread.entry(seq));
    let text = match (state.composer.editing, state.composer.reply_to) {
        (Some(_), _) => "✎ another wording; Esc leaves it as it was".to_owned(),
        (None, Some(seq)) => entry(seq).map_or_else(
            || "↪ an earlier message".to_owned(),
            |entry| format!("↪ {}: {}", people.said(&entry.sender_id), content::summary(entry, people)),
        ),
        (None, None) => String::new(),
    };
    if text.is_empty() {
        return Line::styled("─".repeat(columns), styles.line);
    }
    let text = in_order(&cut(&text, columns.saturating_sub(4)));
    let rest = columns.saturating_sub(width(&text) + 3);
    Line::from(vec![
        Span::styled("─ ", styles.line),
        Span::styled(text, styles.accent),
        Span::styled(format!(" {}", "─".repeat(rest)), styles.line),
    ])
}
