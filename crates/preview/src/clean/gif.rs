//! GIF: a list of blocks, each a list of sub-blocks.
//!
//! Kept are frames, their timing and the number of loops. A file that ends between blocks gets its end.

use std::io::{self, Write};

use image::metadata::Orientation;

use super::{Input, Picture, copy, damaged, read_vec, take};

const EXTENSION: u8 = 0x21;
const FRAME: u8 = 0x2c;
const END: u8 = 0x3b;
const GRAPHIC_CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;
const LOOPS: &[&[u8]] = &[b"NETSCAPE2.0", b"ANIMEXTS1.0"];

pub fn clean(input: &mut impl Input, output: &mut impl Write) -> io::Result<Picture> {
    let header: [u8; 13] = take(input)?;
    let [.., w0, w1, h0, h1, flags, _background, _aspect] = header;
    let (width, height) = (u16::from_le_bytes([w0, w1]), u16::from_le_bytes([h0, h1]));
    if width == 0 || height == 0 {
        return Err(damaged("a picture of no size"));
    }
    output.write_all(&header)?;
    copy(input, output, color_table_bytes(flags))?;
    let mut frames = 0_u64;
    loop {
        match next(input)? {
            None | Some(END) => break,
            Some(FRAME) => {
                frame(input, output)?;
                frames += 1;
            }
            Some(EXTENSION) => extension(input, output)?,
            // Some writers pad with zeros.
            Some(0) => {}
            Some(_) => return Err(damaged("an unknown block")),
        }
    }
    if frames == 0 {
        return Err(damaged("no frame"));
    }
    output.write_all(&[END])?;
    let orientation = Orientation::NoTransforms;
    Ok(Picture { width: width.into(), height: height.into(), animated: frames > 1, orientation })
}

/// Bytes of the table of colours that these flags announce.
fn color_table_bytes(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn next(input: &mut impl Input) -> io::Result<Option<u8>> {
    let byte = input.fill_buf()?.first().copied();
    input.consume(usize::from(byte.is_some()));
    Ok(byte)
}

fn frame(input: &mut impl Input, output: &mut impl Write) -> io::Result<()> {
    let descriptor: [u8; 9] = take(input)?;
    let [.., flags] = descriptor;
    output.write_all(&[FRAME])?;
    output.write_all(&descriptor)?;
    copy(input, output, color_table_bytes(flags))?;
    let code_size: [u8; 1] = take(input)?;
    output.write_all(&code_size)?;
    sub_blocks(input, |block| {
        output.write_all(&[length(block)])?;
        output.write_all(block)
    })?;
    output.write_all(&[0])
}

fn extension(input: &mut impl Input, output: &mut impl Write) -> io::Result<()> {
    let [label] = take(input)?;
    let mut first = None;
    let mut second = None;
    sub_blocks(input, |block| {
        match (&first, &second) {
            (None, _) => first = Some(block.to_vec()),
            (_, None) => second = Some(block.to_vec()),
            _ => {}
        }
        Ok(())
    })?;
    let (first, second) = (first.unwrap_or_default(), second.unwrap_or_default());
    match (label, first.as_slice(), second.as_slice()) {
        (GRAPHIC_CONTROL, control @ [_, _, _, _, ..], _) => {
            output.write_all(&[EXTENSION, GRAPHIC_CONTROL, 4])?;
            output.write_all(&control[..4])?;
            output.write_all(&[0])
        }
        (APPLICATION, name, &[1, low, high, ..]) if LOOPS.contains(&name) => {
            output.write_all(&[EXTENSION, APPLICATION, length(name)])?;
            output.write_all(name)?;
            output.write_all(&[3, 1, low, high, 0])
        }
        _ => Ok(()),
    }
}

/// Hands out each sub-block, 1 to 255 bytes, up to the empty one.
fn sub_blocks(input: &mut impl Input, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    loop {
        let [length] = take(input)?;
        if length == 0 {
            return Ok(());
        }
        each(&read_vec(input, length.into())?)?;
    }
}

fn length(block: &[u8]) -> u8 {
    u8::try_from(block.len()).expect("a sub-block has at most 255 bytes")
}
