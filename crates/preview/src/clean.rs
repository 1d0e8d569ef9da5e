//! Takes out of a file what it tells of places, times, people and devices, piece by piece and without decoding it.
//!
//! What is not known to be needed for showing or playing goes: an unknown piece is dropped, never copied. Pixels and samples
//! stay as they are, but for what coders write into them; of colour profiles the numbers stay. What hides within coded pixels or
//! sound is not found. Memory does not grow with the file, but with the index of an MP4 up to a limit. Cleaning what is clean
//! changes nothing.

mod gif;
mod jpeg;
mod orientation;
pub mod png;
mod webp;

#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Seek, Write};

use image::metadata::Orientation;

use crate::format::Format;
use crate::{mp4, sound};

/// A file to be cleaned.
pub trait Input: BufRead + Seek {}

impl<T: BufRead + Seek> Input for T {}

/// What cleaning a file has shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    Picture(Picture),
    Opus(sound::OpusFacts),
    Mp4(mp4::Movie),
}

/// What the header of a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Pixels, as stored.
    pub width: u32,
    /// Pixels, as stored.
    pub height: u32,
    /// It has more than one frame.
    pub animated: bool,
    /// How it is to be turned; the cleaned file still says this, and nothing else.
    pub orientation: Orientation,
}

impl Picture {
    /// Width and height as it is to be shown.
    pub fn shown(&self) -> (u32, u32) {
        if self.orientation.to_exif() >= 5 { (self.height, self.width) } else { (self.width, self.height) }
    }
}

/// Writes to `output` what others may get of `input`, which has this format.
///
/// # Errors
///
/// `InvalidData` or `UnexpectedEof` if the file is damaged; others as they come from reading and writing.
pub fn clean(format: Format, input: &mut impl Input, output: &mut impl Write) -> io::Result<Facts> {
    input.rewind()?;
    match format {
        Format::Jpeg => jpeg::clean(input, output).map(Facts::Picture),
        Format::Png => png::clean(input, output).map(Facts::Picture),
        Format::WebP => webp::clean(input, output).map(Facts::Picture),
        Format::Gif => gif::clean(input, output).map(Facts::Picture),
        Format::Opus => sound::clean_opus(input, output).map(Facts::Opus),
        Format::Mp4 => mp4::clean(input, output).map(Facts::Mp4),
    }
}

/// The file is damaged: `what` is wrong.
pub fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The next `N` bytes.
pub fn take<const N: usize>(input: &mut impl BufRead) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Exactly `count` bytes from `input` to `output`.
pub fn copy(input: &mut impl BufRead, output: &mut impl Write, count: u64) -> io::Result<()> {
    let copied = io::copy(&mut io::Read::take(&mut *input, count), output)?;
    if copied == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Passes over exactly `count` bytes.
pub fn skip(input: &mut impl BufRead, count: u64) -> io::Result<()> {
    copy(input, &mut io::sink(), count)
}

/// The next `count` bytes.
pub fn read_vec(input: &mut impl BufRead, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    copy(input, &mut bytes, count)?;
    Ok(bytes)
}
