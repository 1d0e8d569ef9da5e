//! H.264 and H.265: samples are made of units, and some units are messages of the coder and the device.
//!
//! Messages that showing does not need (settings and names of coders, places and times of drones, captions of the device) become
//! filler of the same length in place, so that nothing else moves.

mod message;

use std::io::{self, Write};

use super::boxes::{children, find};
use super::descriptions::PICTURE_HEADER_BYTES;
use crate::clean::{Input, copy, damaged, read_vec};

/// Longer messages are none.
const MAX_MESSAGE_BYTES: u64 = 1024 * 1024;

/// How the samples of a track are made of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    codec: Codec,
    /// Bytes of the length before each unit.
    prefix: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    H264,
    H265,
}

impl Codec {
    /// Bytes of the header of a unit.
    const fn header(self) -> usize {
        match self {
            Self::H264 => 1,
            Self::H265 => 2,
        }
    }

    /// Whether a unit that begins with this byte is messages.
    const fn is_messages(self, first: u8) -> bool {
        match self {
            Self::H264 => first & 0x1f == 6,
            Self::H265 => matches!((first >> 1) & 0x3f, 39 | 40),
        }
    }

    /// Makes filler of the messages in a unit that are not needed.
    fn scrub(self, unit: &mut [u8]) {
        if let Some((header, body)) = unit.split_at_mut_checked(self.header())
            && self.is_messages(header[0])
        {
            message::scrub(body);
        }
    }
}

/// How the samples of a table are made of units; `None` if they are not, or are encrypted.
///
/// # Errors
///
/// If they are made in more than one way.
pub fn of_table(table: &[u8]) -> io::Result<Option<Units>> {
    let descriptions = find(table, &[b"stsd"])?.and_then(|body| body.get(8..)).unwrap_or_default();
    let mut found = None;
    for entry in children(descriptions)?.into_iter().filter(|entry| &entry.kind != b"encv") {
        let boxes = descriptions[entry.body].get(PICTURE_HEADER_BYTES..).unwrap_or_default();
        let length =
            |kind, at| Ok::<_, io::Error>(find(boxes, &[kind])?.and_then(|body| body.get(at).copied()));
        let units = |codec| move |byte: u8| Units { codec, prefix: usize::from(byte & 3) + 1 };
        let here =
            length(b"avcC", 4)?.map(units(Codec::H264)).or(length(b"hvcC", 21)?.map(units(Codec::H265)));
        if found.is_some() && here.is_some() && found != here {
            return Err(damaged("samples of two kinds in one track"));
        }
        found = found.or(here);
    }
    Ok(found)
}

/// Copies a sample of so many bytes, without the messages that are not needed. What is no unit stays as it is.
pub fn copy_sample(
    units: Units,
    bytes: u64,
    input: &mut impl Input,
    output: &mut impl Write,
) -> io::Result<()> {
    let mut left = bytes;
    while left > units.prefix as u64 {
        let mut prefix = [0; 4];
        input.read_exact(&mut prefix[4 - units.prefix..])?;
        output.write_all(&prefix[4 - units.prefix..])?;
        left -= units.prefix as u64;
        let length = u64::from(u32::from_be_bytes(prefix));
        if length == 0 {
            continue;
        }
        if length > left {
            break;
        }
        left -= length;
        let first = input.fill_buf()?.first().copied().ok_or(io::ErrorKind::UnexpectedEof)?;
        if !units.codec.is_messages(first) {
            copy(input, output, length)?;
            continue;
        }
        if length > MAX_MESSAGE_BYTES {
            return Err(damaged("too long a message"));
        }
        let mut unit = read_vec(input, length)?;
        units.codec.scrub(&mut unit);
        output.write_all(&unit)?;
    }
    copy(input, output, left)
}

/// Scrubs the configuration of H.264: parameter sets, and what follows them.
pub fn h264_configuration(body: &mut [u8]) -> io::Result<()> {
    /// Profiles that say no more than their sets; the others have four bytes, of which the last counts more sets.
    const SHORT: &[u8] = &[66, 77, 88];
    let profile = *body.get(1).ok_or(damaged("a short configuration"))?;
    let mut at = 5;
    at = sets(body, at, 0x1f, Codec::H264)?;
    at = sets(body, at, 0xff, Codec::H264)?;
    if !SHORT.contains(&profile) && body.len() >= at + 4 {
        at = sets(body, at + 3, 0xff, Codec::H264)?;
    }
    body[at..].fill(0);
    Ok(())
}

/// Scrubs the configuration of H.265, whose arrays begin at `at`.
pub fn h265_configuration(body: &mut [u8], at: usize) -> io::Result<()> {
    let arrays = *body.get(at).ok_or(damaged("a short configuration"))?;
    let mut at = at + 1;
    for _ in 0..arrays {
        // Their kind, and how many there are in two bytes.
        let [high, low] =
            *body.get(at + 1..).and_then(<[u8]>::first_chunk).ok_or(damaged("a short array"))?;
        at += 3;
        for _ in 0..u16::from_be_bytes([high, low]) {
            at = unit(body, at, Codec::H265)?;
        }
    }
    body[at..].fill(0);
    Ok(())
}

/// Scrubs units whose number is at `at`; returns where they end.
fn sets(body: &mut [u8], at: usize, mask: u8, codec: Codec) -> io::Result<usize> {
    let count = body.get(at).ok_or(damaged("a short configuration"))? & mask;
    (0..count).try_fold(at + 1, |at, _| unit(body, at, codec))
}

/// Scrubs the unit that begins with its length at `at`; returns where it ends.
fn unit(body: &mut [u8], at: usize, codec: Codec) -> io::Result<usize> {
    let length = body.get(at..).and_then(<[u8]>::first_chunk).ok_or(damaged("a short unit"))?;
    let (start, length) = (at + 2, usize::from(u16::from_be_bytes(*length)));
    codec.scrub(body.get_mut(start..start + length).ok_or(damaged("a unit beyond its box"))?);
    Ok(start + length)
}

#[cfg(test)]
mod tests;
