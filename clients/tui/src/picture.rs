//! Pictures in a terminal: as kitty, iTerm2 or sixel take them, or as blocks of two coloured pixels a character.
//!
//! What is drawn came from a stranger. It is decoded within limits of size and memory, and only what was drawn here is
//! written: no byte of the file itself reaches the terminal.

mod blocks;
mod gallery;

use std::io::Cursor;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use icy_sixel::SixelImage;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use ratatui::text::Line;

pub use gallery::{Gallery, expected};

/// Pixels a side at most.
const MAX_SIDE: u32 = 16_384;
/// Memory for decoding.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Characters that a picture between messages may take at most, across and down.
pub const ROOM: (u16, u16) = (40, 12);
/// Pixels of a character, where pixels are drawn.
const CELL: (u32, u32) = (8, 16);
/// Bytes of base64 that kitty takes at once.
const KITTY_CHUNK: usize = 4096;

/// What a terminal takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>
    Kitty,
    /// <https://iterm2.com/documentation-images.html>
    Iterm,
    /// DEC's, as xterm and foot have it.
    Sixel,
    /// Characters in two colours: everywhere.
    Blocks,
}

/// Why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It holds no picture, or none within the limits.
    #[error("it cannot be drawn: {0}")]
    Undrawable(String),
}

/// A picture, drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawing {
    /// As characters.
    Cells(Cells),
    /// As what the terminal takes: written where it is to be.
    Sequence {
        /// Characters across that it takes.
        columns: u16,
        /// Characters down.
        rows: u16,
        /// What is written.
        bytes: String,
    },
    /// It was not to be had, or not to be drawn.
    Failed,
}

/// A picture as characters.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// Across.
    pub columns: u16,
    /// Down.
    pub lines: Vec<Line<'static>>,
}

impl Drawing {
    /// As it is written outside of a full screen.
    #[must_use]
    pub fn written(&self) -> String {
        match self {
            Self::Cells(cells) => blocks::written(&cells.lines),
            Self::Sequence { bytes, .. } => bytes.clone(),
            Self::Failed => String::new(),
        }
    }
}

/// What a terminal says of itself in its environment. Inside tmux and screen only characters get through.
#[must_use]
pub fn of_terminal(variable: impl Fn(&str) -> Option<String>) -> Protocol {
    let of = |name| variable(name).unwrap_or_default();
    let (term, program) = (of("TERM"), of("TERM_PROGRAM"));
    if variable("TMUX").is_some() || term.starts_with("screen") || term.starts_with("tmux") {
        Protocol::Blocks
    } else if term.contains("kitty") || program == "ghostty" {
        Protocol::Kitty
    } else if ["iTerm.app", "WezTerm", "mintty"].contains(&program.as_str()) || of("LC_TERMINAL") == "iTerm2"
    {
        Protocol::Iterm
    } else if ["foot", "mlterm", "contour", "yaft"].iter().any(|name| term.starts_with(name))
        || term.contains("sixel")
    {
        Protocol::Sixel
    } else {
        Protocol::Blocks
    }
}

/// The picture in `file`, at most `room` characters across and down. Blocks.
///
/// # Errors
/// [`PictureError`].
pub fn draw(file: &Path, protocol: Protocol, room: (u16, u16)) -> Result<Drawing, PictureError> {
    let mut reader = ImageReader::open(file)?.with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| PictureError::Undrawable(error.to_string()))?;
    drawn(&picture, protocol, room)
}

fn drawn(
    picture: &DynamicImage,
    protocol: Protocol,
    (columns, rows): (u16, u16),
) -> Result<Drawing, PictureError> {
    let (columns, rows) = (u32::from(columns.max(1)), u32::from(rows.max(1)));
    let (width, height) = match protocol {
        Protocol::Blocks => (columns, rows * 2),
        _ => (columns * CELL.0, rows * CELL.1),
    };
    let small = picture.width() <= width && picture.height() <= height;
    let fitted = if small { picture.clone() } else { picture.resize(width, height, FilterType::Triangle) };
    let across = |cell: u32| u16::try_from(fitted.width().div_ceil(cell)).unwrap_or(u16::MAX);
    let down = |cell: u32| u16::try_from(fitted.height().div_ceil(cell)).unwrap_or(u16::MAX);
    let bytes = match protocol {
        Protocol::Blocks => {
            let lines = blocks::drawn(&fitted.to_rgba8());
            return Ok(Drawing::Cells(Cells { columns: across(1), lines }));
        }
        Protocol::Sixel => {
            let pixels = fitted.to_rgba8();
            let (width, height) = (pixels.width() as usize, pixels.height() as usize);
            let sixel = SixelImage::try_from_rgba(pixels.into_raw(), width, height);
            let encoded = sixel.and_then(|sixel| sixel.encode());
            encoded.map_err(|error| PictureError::Undrawable(error.to_string()))?
        }
        Protocol::Kitty | Protocol::Iterm => {
            let mut png = Cursor::new(Vec::new());
            let written = fitted.write_to(&mut png, ImageFormat::Png);
            written.map_err(|error| PictureError::Undrawable(error.to_string()))?;
            let encoded = STANDARD.encode(png.get_ref());
            if protocol == Protocol::Kitty { kitty(&encoded) } else { iterm(&encoded, png.get_ref().len()) }
        }
    };
    Ok(Drawing::Sequence { columns: across(CELL.0), rows: down(CELL.1), bytes })
}

/// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>: transmit a PNG and show it, in pieces; say nothing back.
fn kitty(encoded: &str) -> String {
    let mut text = String::new();
    let mut rest = encoded;
    let mut control = "a=T,f=100,q=2,";
    loop {
        let (piece, after) = rest.split_at(rest.len().min(KITTY_CHUNK));
        let more = u8::from(!after.is_empty());
        text.push_str(&format!("\u{1b}_G{control}m={more};{piece}\u{1b}\\"));
        if more == 0 {
            return text;
        }
        (rest, control) = (after, "");
    }
}

/// <https://iterm2.com/documentation-images.html>: a file, shown in its place.
fn iterm(encoded: &str, bytes: usize) -> String {
    format!("\u{1b}]1337;File=inline=1;size={bytes};preserveAspectRatio=1:{encoded}\u{7}")
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn picture(width: u32, height: u32) -> DynamicImage {
        RgbaImage::from_pixel(width, height, Rgba([255, 0, 0, 255])).into()
    }

    #[test]
    fn a_terminal_is_known_by_what_it_says_of_itself() {
        for (variables, protocol) in [
            (&[("TERM", "xterm-kitty")][..], Protocol::Kitty),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], Protocol::Iterm),
            (&[("TERM", "foot")], Protocol::Sixel),
            (&[("TERM", "xterm-256color")], Protocol::Blocks),
            (&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x")], Protocol::Blocks),
            (&[], Protocol::Blocks),
        ] {
            let look_up = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(of_terminal(look_up), protocol, "{variables:?}");
        }
    }

    #[test]
    fn each_protocol_carries_the_picture_whole() {
        let text = drawn(&picture(300, 100), Protocol::Kitty, (64, 24)).unwrap().written();
        let pieces: String =
            text.split("\u{1b}\\").filter_map(|piece| piece.split_once(';')).map(|(_, data)| data).collect();
        let png = STANDARD.decode(pieces).unwrap();
        let back = image::load_from_memory(&png).unwrap();
        assert_eq!((back.width(), back.height()), (300, 100));
        assert!(text.starts_with("\u{1b}_Ga=T,f=100,q=2,m="));

        let text = drawn(&picture(3000, 100), Protocol::Iterm, (64, 24)).unwrap().written();
        let data = text.trim_end_matches('\u{7}').rsplit_once(':').unwrap().1;
        let back = image::load_from_memory(&STANDARD.decode(data).unwrap()).unwrap();
        assert_eq!(back.width(), 512, "no wider than its room");

        let sixel = drawn(&picture(30, 30), Protocol::Sixel, (64, 24)).unwrap().written();
        assert!(sixel.starts_with("\u{1b}P") && sixel.ends_with("\u{1b}\\"), "{sixel:?}");
    }

    #[test]
    fn kitty_gets_pieces_of_the_size_it_takes() {
        let text = kitty(&"A".repeat(2 * KITTY_CHUNK + 8));
        let pieces: Vec<_> = text.split_terminator("\u{1b}\\").collect();
        assert_eq!(pieces.len(), 3);
        assert!(pieces[1].starts_with("\u{1b}_Gm=1;") && pieces[2] == "\u{1b}_Gm=0;AAAAAAAA");
    }

    #[test]
    fn a_file_that_is_no_picture_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        std::fs::write(&path, "no picture").unwrap();
        assert!(draw(&path, Protocol::Blocks, ROOM).is_err());
    }
}
