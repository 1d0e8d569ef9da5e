//! PNG: a list of chunks, each with a check sum.
//!
//! Kept are pixels, palette, transparency, colour and what that needs of its profile, pixel size, and frames of an
//! animation. Check sums of what is kept must be right.

mod profile;

use std::io::{self, Write};

use image::metadata::Orientation;

use super::{Input, Picture, damaged, orientation, read_vec, skip, take};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
const KEPT: &[&[u8; 4]] = &[
    b"PLTE", b"IDAT", b"tRNS", b"cHRM", b"gAMA", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"pHYs",
    b"acTL", b"fcTL", b"fdAT",
];
/// Chunks of colour have up to 32.
const MAX_COLOUR_BYTES: u64 = 64;
/// The signature and the first chunk, which is the header.
pub const HEAD_BYTES: usize = 8 + 12 + 13;

pub fn clean(input: &mut impl Input, output: &mut impl Write) -> io::Result<Picture> {
    if take(input)? != SIGNATURE {
        return Err(damaged("no signature"));
    }
    output.write_all(&SIGNATURE)?;
    let mut picture = header(input, output)?;
    let mut has_pixels = false;
    let mut is_oriented = false;
    let mut has_profile = false;
    loop {
        let (kind, length) = chunk_header(input)?;
        match &kind {
            b"IEND" => {
                end_chunk(input, crc32fast::hash(b"IEND"), length)?;
                break;
            }
            b"iCCP" if !has_profile && length <= profile::MAX_CHUNK_BYTES => {
                has_profile = true;
                profile(&whole_chunk(&kind, length, input)?, output)?;
            }
            b"acTL" => picture.animated |= animation(length, input, output)? > 1,
            b"eXIf" if !is_oriented => {
                is_oriented = true;
                let looked_at = length.min(orientation::MAX_EXIF_BYTES);
                picture.orientation = orientation::read(&read_vec(input, looked_at)?);
                skip(input, length - looked_at + 4)?;
                if let Some(exif) = orientation::write(picture.orientation) {
                    write_chunk(b"eXIf", &exif, output)?;
                }
            }
            kind if KEPT.contains(&kind) => {
                has_pixels |= kind == b"IDAT";
                copy_chunk(kind, length, input, output)?;
            }
            // The fifth bit of the first letter says that one can do without it.
            [first, ..] if first & 0x20 != 0 => skip(input, length + 4)?,
            _ => return Err(damaged("an unknown chunk that is needed")),
        }
    }
    if !has_pixels {
        return Err(damaged("no pixels"));
    }
    write_chunk(b"IEND", &[], output)?;
    Ok(picture)
}

/// The chunks before the pixels that say what colours are, as they are kept.
pub fn colours(input: &mut impl Input) -> io::Result<Vec<u8>> {
    const COLOURS: &[&[u8; 4]] = &[b"cHRM", b"gAMA", b"sRGB", b"cICP", b"mDCV", b"cLLI"];
    let mut cleaned = Vec::new();
    input.rewind()?;
    skip(input, SIGNATURE.len() as u64)?;
    let mut has_profile = false;
    loop {
        let (kind, length) = chunk_header(input)?;
        match &kind {
            b"IDAT" | b"IEND" => return Ok(cleaned),
            b"iCCP" if !has_profile && length <= profile::MAX_CHUNK_BYTES => {
                has_profile = true;
                profile(&whole_chunk(&kind, length, input)?, &mut cleaned)?;
            }
            kind if COLOURS.contains(&kind) && length <= MAX_COLOUR_BYTES => {
                copy_chunk(kind, length, input, &mut cleaned)?;
            }
            _ => skip(input, length + 4)?,
        }
    }
}

fn header(input: &mut impl Input, output: &mut impl Write) -> io::Result<Picture> {
    let (kind, length) = chunk_header(input)?;
    if (&kind, length) != (b"IHDR", 13) {
        return Err(damaged("no header"));
    }
    let data: [u8; 13] = take(input)?;
    end_chunk(input, hash(b"IHDR", &data), 0)?;
    write_chunk(b"IHDR", &data, output)?;
    let [w3, w2, w1, w0, h3, h2, h1, h0, ..] = data;
    let (width, height) = (u32::from_be_bytes([w3, w2, w1, w0]), u32::from_be_bytes([h3, h2, h1, h0]));
    if width == 0 || height == 0 {
        return Err(damaged("a picture of no size"));
    }
    Ok(Picture { width, height, animated: false, orientation: Orientation::NoTransforms })
}

fn chunk_header(input: &mut impl Input) -> io::Result<([u8; 4], u64)> {
    let length = u32::from_be_bytes(take(input)?);
    if length > i32::MAX.cast_unsigned() {
        return Err(damaged("a chunk that is too long"));
    }
    Ok((take(input)?, length.into()))
}

/// Reads the check sum, which must be `expected`, of a chunk of which nothing must be left.
fn end_chunk(input: &mut impl Input, expected: u32, left: u64) -> io::Result<()> {
    if left == 0 && u32::from_be_bytes(take(input)?) == expected {
        Ok(())
    } else {
        Err(damaged("a wrong check sum"))
    }
}

/// What a chunk holds.
fn whole_chunk(kind: &[u8; 4], length: u64, input: &mut impl Input) -> io::Result<Vec<u8>> {
    let data = read_vec(input, length)?;
    end_chunk(input, hash(kind, &data), 0)?;
    Ok(data)
}

fn hash(kind: &[u8; 4], data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    hasher.update(data);
    hasher.finalize()
}

fn write_chunk(kind: &[u8; 4], data: &[u8], output: &mut impl Write) -> io::Result<()> {
    let length = u32::try_from(data.len()).map_err(|_| damaged("a chunk that is too long"))?;
    output.write_all(&length.to_be_bytes())?;
    output.write_all(kind)?;
    output.write_all(data)?;
    output.write_all(&hash(kind, data).to_be_bytes())
}

fn copy_chunk(
    kind: &[u8; 4],
    length: u64,
    input: &mut impl Input,
    output: &mut impl Write,
) -> io::Result<()> {
    let short = u32::try_from(length).map_err(|_| damaged("a chunk that is too long"))?;
    output.write_all(&short.to_be_bytes())?;
    output.write_all(kind)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind);
    copy_hashed(length, &mut hasher, input, output)?;
    let sum = hasher.finalize();
    end_chunk(input, sum, 0)?;
    output.write_all(&sum.to_be_bytes())
}

fn copy_hashed(
    mut left: u64,
    hasher: &mut crc32fast::Hasher,
    input: &mut impl Input,
    output: &mut impl Write,
) -> io::Result<()> {
    while left > 0 {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        hasher.update(&buffer[..count]);
        output.write_all(&buffer[..count])?;
        input.consume(count);
        left -= count as u64;
    }
    Ok(())
}

/// Writes what is kept of the profile in a chunk.
fn profile(data: &[u8], output: &mut impl Write) -> io::Result<()> {
    profile::chunk(data).map_or(Ok(()), |data| write_chunk(b"iCCP", &data, output))
}

/// Copies the announcement of an animation; returns how many frames it has.
fn animation(length: u64, input: &mut impl Input, output: &mut impl Write) -> io::Result<u32> {
    if length != 8 {
        return Err(damaged("an odd animation"));
    }
    let data: [u8; 8] = take(input)?;
    end_chunk(input, hash(b"acTL", &data), 0)?;
    write_chunk(b"acTL", &data, output)?;
    let [f3, f2, f1, f0, ..] = data;
    Ok(u32::from_be_bytes([f3, f2, f1, f0]))
}
