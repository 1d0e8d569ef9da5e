//! WebP: chunks within a RIFF file whose length stands at its beginning, so it is walked twice.
//!
//! Kept are pixels, transparency, what colour needs of the profile and frames of an animation, and of those the same.

use std::io::{self, SeekFrom, Write};

use image::metadata::Orientation;

use super::{Input, Picture, copy, damaged, orientation, read_vec, skip, take};
use crate::profile;

const ICC: u8 = 0x20;
const ALPHA: u8 = 0x10;
const EXIF: u8 = 0x08;
const ANIMATION: u8 = 0x02;
/// Of a frame, before its chunks.
const FRAME_HEADER_BYTES: u64 = 16;

pub fn clean(input: &mut impl Input, output: &mut impl Write) -> io::Result<Picture> {
    let mut known = Known::default();
    let mut counter = Counter(0);
    walk(input, &mut counter, &mut known)?;
    let length = u32::try_from(counter.0 + 4).map_err(|_| damaged("too long a file"))?;
    output.write_all(b"RIFF")?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(b"WEBP")?;
    walk(input, output, &mut known)
}

/// What is found the first time, and must be known when the chunk that announces it is written.
#[derive(Default)]
struct Known {
    orientation: Option<Orientation>,
    has_profile: bool,
}

/// Counts what is written.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes what is kept of the chunks.
fn walk(input: &mut impl Input, output: &mut impl Write, known: &mut Known) -> io::Result<Picture> {
    input.seek(SeekFrom::Start(0))?;
    let [r, i, f0, f1, l0, l1, l2, l3, name @ ..] = take::<12>(input)?;
    if [r, i, f0, f1] != *b"RIFF" || name != *b"WEBP" {
        return Err(damaged("no header"));
    }
    let mut left = u64::from(u32::from_le_bytes([l0, l1, l2, l3])).saturating_sub(4);
    let mut found = Found::default();
    let mut is_first = true;
    while left >= 8 {
        let Chunk { kind, length, padding } = chunk_header(input, &mut left)?;
        match &kind {
            b"VP8X" if is_first => found.extended(&read_vec(input, length)?, known, output)?,
            b"VP8 " | b"VP8L" => {
                found.has_pixels = true;
                found.pixels(&kind, length, is_first, input, output)?;
            }
            b"ANMF" => {
                found.frames += 1;
                frame(length, input, output)?;
            }
            b"ANIM" | b"ALPH" if !is_first => copy_chunk(kind, length, input, output)?,
            b"ICCP" if found.is_extended && !found.profile && length <= profile::MAX_BYTES as u64 => {
                found.profile = true;
                if let Some(profile) = profile::rebuild(&read_vec(input, length)?) {
                    known.has_profile = true;
                    write_chunk(*b"ICCP", &profile, output)?;
                }
            }
            b"EXIF" if found.is_extended && !found.exif => {
                found.exif = true;
                let looked_at = length.min(orientation::MAX_EXIF_BYTES);
                let read = orientation::read(&read_vec(input, looked_at)?);
                skip(input, length - looked_at)?;
                let kept = *known.orientation.get_or_insert(read);
                if let Some(exif) = orientation::write(kept) {
                    write_chunk(*b"EXIF", &exif, output)?;
                }
            }
            _ if is_first => return Err(damaged("no picture")),
            _ => skip(input, length)?,
        }
        skip(input, padding)?;
        is_first = false;
    }
    found.picture(known.orientation.unwrap_or(Orientation::NoTransforms))
}

#[derive(Default)]
struct Found {
    size: Option<(u32, u32)>,
    is_extended: bool,
    has_pixels: bool,
    frames: u64,
    exif: bool,
    profile: bool,
}

impl Found {
    /// Writes the chunk that announces the others, without what is dropped of them.
    fn extended(&mut self, data: &[u8], known: &Known, output: &mut impl Write) -> io::Result<()> {
        let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = *data else {
            return Err(damaged("an odd extended header"));
        };
        let minus_one = |bytes: [u8; 3]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
        self.size = Some((minus_one([w0, w1, w2]) + 1, minus_one([h0, h1, h2]) + 1));
        self.is_extended = true;
        let turned = known.orientation.is_some_and(|orientation| orientation != Orientation::NoTransforms);
        let profile = if known.has_profile { ICC } else { 0 };
        let flags = (flags & (profile | ALPHA | ANIMATION)) | if turned { EXIF } else { 0 };
        write_chunk(*b"VP8X", &[flags, 0, 0, 0, w0, w1, w2, h0, h1, h2], output)
    }

    fn pixels(
        &mut self,
        kind: &[u8; 4],
        length: u64,
        is_first: bool,
        input: &mut impl Input,
        output: &mut impl Write,
    ) -> io::Result<()> {
        if !is_first || length < 10 {
            return copy_chunk(*kind, length, input, output);
        }
        let head: [u8; 10] = take(input)?;
        let [a, b, c, d, e, _, w0, w1, h0, h1] = head;
        self.size = Some(if kind == b"VP8L" {
            let bits = u32::from_le_bytes([b, c, d, e]);
            if a != 0x2f {
                return Err(damaged("no lossless picture"));
            }
            ((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
        } else {
            let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
            (side(w0, w1), side(h0, h1))
        });
        write_header(*kind, length, output)?;
        output.write_all(&head)?;
        copy(input, output, length - 10)?;
        pad(length, output)
    }

    fn picture(self, orientation: Orientation) -> io::Result<Picture> {
        let (Some((width @ 1.., height @ 1..)), true) = (self.size, self.has_pixels || self.frames > 0)
        else {
            return Err(damaged("no picture"));
        };
        Ok(Picture { width, height, animated: self.frames > 1, orientation })
    }
}

struct Chunk {
    kind: [u8; 4],
    length: u64,
    /// Chunks begin at even bytes; the last one of some files lacks this.
    padding: u64,
}

/// The next chunk, which must end within what is left.
fn chunk_header(input: &mut impl Input, left: &mut u64) -> io::Result<Chunk> {
    let kind = take(input)?;
    let length = u64::from(u32::from_le_bytes(take(input)?));
    *left = left.checked_sub(8 + length).ok_or(damaged("a chunk beyond its file"))?;
    let padding = (length % 2).min(*left);
    *left -= padding;
    Ok(Chunk { kind, length, padding })
}

/// Writes a frame of an animation with the chunks that show something.
fn frame(length: u64, input: &mut impl Input, output: &mut impl Write) -> io::Result<()> {
    let all = length.checked_sub(FRAME_HEADER_BYTES).ok_or(damaged("a short frame"))?;
    let start = input.stream_position()?;
    let mut kept = Counter(FRAME_HEADER_BYTES);
    skip(input, FRAME_HEADER_BYTES)?;
    frame_chunks(all, input, &mut kept)?;
    input.seek(SeekFrom::Start(start))?;
    write_header(*b"ANMF", kept.0, output)?;
    copy(input, output, FRAME_HEADER_BYTES)?;
    let rest = frame_chunks(all, input, output)?;
    skip(input, rest)?;
    pad(kept.0, output)
}

/// Returns how many bytes are left after the last chunk.
fn frame_chunks(mut left: u64, input: &mut impl Input, output: &mut impl Write) -> io::Result<u64> {
    while left >= 8 {
        let Chunk { kind, length, padding } = chunk_header(input, &mut left)?;
        match &kind {
            b"ALPH" | b"VP8 " | b"VP8L" => copy_chunk(kind, length, input, output)?,
            _ => skip(input, length)?,
        }
        skip(input, padding)?;
    }
    Ok(left)
}

fn copy_chunk(kind: [u8; 4], length: u64, input: &mut impl Input, output: &mut impl Write) -> io::Result<()> {
    write_header(kind, length, output)?;
    copy(input, output, length)?;
    pad(length, output)
}

fn write_chunk(kind: [u8; 4], data: &[u8], output: &mut impl Write) -> io::Result<()> {
    write_header(kind, data.len() as u64, output)?;
    output.write_all(data)?;
    pad(data.len() as u64, output)
}

fn write_header(kind: [u8; 4], length: u64, output: &mut impl Write) -> io::Result<()> {
    let length = u32::try_from(length).map_err(|_| damaged("too long a chunk"))?;
    output.write_all(&kind)?;
    output.write_all(&length.to_le_bytes())
}

fn pad(length: u64, output: &mut impl Write) -> io::Result<()> {
    if length % 2 == 1 { output.write_all(&[0]) } else { Ok(()) }
}
