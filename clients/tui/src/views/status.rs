//! The last line: how the connection is, what is to be known, how to get help.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::state::{Link, State};
use crate::text::{cut, width};

/// Draws it.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let styles = state.settings.theme.styles();
    let (sign, style) = match state.link {
        Link::Online => ("●", styles.good),
        Link::Connecting | Link::Waiting(_) => ("◌", styles.warning),
        Link::Stopped => ("○", styles.bad),
    };
    let columns = usize::from(area.width);
    let said = words(state.link, state.unsent);
    let help = "F1 keys ";
    let middle = columns.saturating_sub(width(&said) + width(help) + 4);
    let (text, text_style) = match &state.notice {
        Some(notice) if notice.bad => (notice.text.clone(), styles.bad),
        Some(notice) => (notice.text.clone(), styles.text),
        None => (state.account.clone(), styles.quiet),
    };
    let text = cut(&text, middle.saturating_sub(4));
    let free = middle.saturating_sub(width(&text));
    let line = Line::from(vec![
        Span::styled(format!(" {sign} "), style),
        Span::styled(said, styles.text),
        Span::raw(" ".repeat(free / 2)),
        Span::styled(text, text_style),
        Span::raw(" ".repeat(free - free / 2 + 1)),
        Span::styled(help, styles.quiet),
    ]);
    frame.render_widget(line, area);
}

/// How the connection is, in words.
#[must_use]
pub fn words(link: Link, unsent: usize) -> String {
    let waiting = match unsent {
        0 => String::new(),
        unsent => format!(", {unsent} unsent"),
    };
    match link {
        Link::Online => format!("connected{waiting}"),
        Link::Connecting => format!("connecting{waiting}"),
        Link::Waiting(wait) => format!("offline, connecting in {} s{waiting}", seconds(wait)),
        Link::Stopped => format!("offline{waiting}"),
    }
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_the_connection_is() {
        for (link, unsent, text) in [
            (Link::Online, 0, "connected"),
            (Link::Online, 1, "connected, 1 unsent"),
            (Link::Connecting, 0, "connecting"),
            (Link::Waiting(Duration::from_millis(4_200)), 0, "offline, connecting in 5 s"),
            (Link::Waiting(Duration::from_secs(3)), 2, "offline, connecting in 3 s, 2 unsent"),
            (Link::Stopped, 3, "offline, 3 unsent"),
        ] {
            assert_eq!(words(link, unsent), text);
        }
    }
}
