//! Boxes: a length, four letters, and a body that may be boxes again.

use std::io::{self, BufRead};
use std::ops::Range;

use crate::clean::{damaged, take};

/// Where a box of a file lies.
#[derive(Debug, Clone, Copy)]
pub struct BoxHeader {
    pub kind: [u8; 4],
    /// Of its header.
    pub start: u64,
    /// Bytes of its header: 8 or 16.
    pub header: u64,
    pub end: u64,
}

impl BoxHeader {
    /// Bytes, with its header.
    pub const fn length(&self) -> u64 {
        self.end - self.start
    }

    /// The body of this box, of which `bytes` is all.
    pub fn body<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[if self.header == 8 { 8 } else { 16 }..]
    }

    /// As [`BoxHeader::body`].
    pub fn body_mut<'a>(&self, bytes: &'a mut [u8]) -> &'a mut [u8] {
        &mut bytes[if self.header == 8 { 8 } else { 16 }..]
    }
}

/// The header at `start`; `None` if what begins there is no box that ends at or before `end`.
///
/// # Errors
///
/// If it is one that is needed, and goes beyond.
pub fn read(input: &mut impl BufRead, start: u64, end: u64) -> io::Result<Option<BoxHeader>> {
    let short = u32::from_be_bytes(take(input)?);
    let kind: [u8; 4] = take(input)?;
    let (header, length) = match short {
        0 => (8, end - start),
        1 if end - start >= 16 => (16, u64::from_be_bytes(take(input)?)),
        short => (8, short.into()),
    };
    let its_end = start.checked_add(length).filter(|&its_end| length >= header && its_end <= end);
    match its_end {
        Some(end) => Ok(Some(BoxHeader { kind, start, header, end })),
        None if matches!(&kind, b"moov" | b"mdat" | b"moof") => Err(damaged("a box beyond its file")),
        None => Ok(None),
    }
}

/// A box within bytes.
#[derive(Debug, Clone)]
pub struct Inner {
    pub kind: [u8; 4],
    /// With its header.
    pub whole: Range<usize>,
    pub body: Range<usize>,
}

/// The boxes that `bytes` consists of; up to seven bytes may be left at the end.
pub fn children(bytes: &[u8]) -> io::Result<Vec<Inner>> {
    let mut found = Vec::new();
    let mut at = 0;
    while bytes.len() - at >= 8 {
        let rest = &bytes[at..];
        let kind = [rest[4], rest[5], rest[6], rest[7]];
        let (header, length) = match u32_at(rest, 0)? {
            0 => (8, rest.len()),
            1 => (16, usize::try_from(u64_at(rest, 8)?).map_err(|_| damaged("too long a box"))?),
            short => (8, short as usize),
        };
        if length < header || length > rest.len() {
            return Err(damaged("a box beyond the one that holds it"));
        }
        found.push(Inner { kind, whole: at..at + length, body: at + header..at + length });
        at += length;
    }
    Ok(found)
}

/// The body of the first box within `bytes` along this path.
pub fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> io::Result<Option<&'a [u8]>> {
    let mut bytes = bytes;
    for kind in path {
        let Some(child) = children(bytes)?.into_iter().find(|child| child.kind == **kind) else {
            return Ok(None);
        };
        bytes = &bytes[child.body];
    }
    Ok(Some(bytes))
}

/// The four bytes at `at`.
pub fn u32_at(bytes: &[u8], at: usize) -> io::Result<u32> {
    Ok(u32::from_be_bytes(array(bytes, at)?))
}

/// The eight bytes at `at`.
pub fn u64_at(bytes: &[u8], at: usize) -> io::Result<u64> {
    Ok(u64::from_be_bytes(array(bytes, at)?))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> io::Result<[u8; N]> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(damaged("a short box"))
}
