//! Whether and how pictures are drawn here.

use std::env;
use std::io::{IsTerminal as _, stdout};
use std::path::Path;

use parlor_tui::picture::{self, Protocol, of_terminal};

use crate::args::Pictures;
use crate::outcome::{Failure, Outcome};

/// Characters that a picture may take at most, across and down.
const ROOM: (u16, u16) = (64, 24);

/// What is to be used, if pictures are to be drawn at all.
pub fn protocol(wanted: Option<Pictures>, json: bool) -> Option<Protocol> {
    match wanted? {
        _ if json => None,
        Pictures::Kitty => Some(Protocol::Kitty),
        Pictures::Iterm => Some(Protocol::Iterm),
        Pictures::Sixel => Some(Protocol::Sixel),
        Pictures::Blocks => Some(Protocol::Blocks),
        Pictures::Auto => stdout().is_terminal().then(|| of_terminal(|name| env::var(name).ok())),
    }
}

/// The picture in `file`, ready to be written.
pub fn draw(file: &Path, protocol: Protocol) -> Outcome<String> {
    let drawn = picture::draw(file, protocol, room());
    drawn.map(|drawing| drawing.written()).map_err(|error| Failure::Failed(error.to_string()))
}

fn room() -> (u16, u16) {
    let (rows, columns) = console::Term::stdout().size_checked().unwrap_or((25, 80));
    (columns.clamp(1, ROOM.0), rows.saturating_sub(1).clamp(1, ROOM.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_drawn_where_they_are_wanted() {
        assert_eq!(protocol(Some(Pictures::Kitty), true), None, "objects stay objects");
        assert_eq!(protocol(Some(Pictures::Kitty), false), Some(Protocol::Kitty));
        assert_eq!(protocol(None, false), None);
    }
}
