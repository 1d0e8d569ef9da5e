//! Takes out of the index, in place, all that playing does not need.

use std::io;

use super::boxes::{children, u32_at};
use super::descriptions::{self, free};
use super::tracks::{self, Kind};
use crate::clean::damaged;

/// How deep boxes may lie within boxes.
const MAX_DEPTH: usize = 12;

/// What becomes of a box.
enum Fate {
    Keep,
    Descend,
    /// Kept, but for what this writes over.
    Scrub(fn(&mut [u8]) -> io::Result<()>),
    /// Kept, as the track is of pictures or sound.
    Describe,
    Drop,
}

/// Scrubs the body of `moov`.
pub fn index(body: &mut [u8], is_kept_track: &impl Fn(u32) -> bool) -> io::Result<()> {
    boxes(body, *b"moov", None, is_kept_track, 0)
}

/// Scrubs the body of `moof`.
pub fn fragment(body: &mut [u8], is_kept_track: &impl Fn(u32) -> bool) -> io::Result<()> {
    boxes(body, *b"moof", None, is_kept_track, 0)
}

/// Scrubs the body of a box beside them that helps to find places in time.
pub fn side_index(kind: &[u8; 4], body: &mut [u8]) -> io::Result<()> {
    if kind == b"mfra" { boxes(body, *kind, None, &|_| true, 0) } else { Ok(()) }
}

fn boxes(
    body: &mut [u8],
    parent: [u8; 4],
    track: Option<Kind>,
    is_kept_track: &impl Fn(u32) -> bool,
    depth: usize,
) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(damaged("boxes too deep"));
    }
    let mut end = 0;
    for child in children(body)? {
        end = child.whole.end;
        let inner = &mut body[child.body.clone()];
        match fate(&parent, &child.kind, inner, is_kept_track)? {
            Fate::Keep => {}
            Fate::Descend => {
                let track = if &child.kind == b"trak" { tracks::kind(inner)? } else { track };
                boxes(inner, child.kind, track, is_kept_track, depth + 1)?;
            }
            Fate::Scrub(scrub) => scrub(inner)?,
            Fate::Describe => {
                descriptions::scrub(inner, track.ok_or(damaged("descriptions of no track"))?)?;
            }
            Fate::Drop => free(body, &child),
        }
    }
    body[end..].fill(0);
    Ok(())
}

fn fate(
    parent: &[u8; 4],
    kind: &[u8; 4],
    body: &[u8],
    is_kept_track: &impl Fn(u32) -> bool,
) -> io::Result<Fate> {
    Ok(match (parent, kind) {
        (b"moov", b"trak") => {
            let kept = tracks::kind(body)?.is_some() && is_kept_track(tracks::id(body)?);
            if kept { Fate::Descend } else { Fate::Drop }
        }
        (b"moof", b"traf") => {
            let header = super::boxes::find(body, &[b"tfhd"])?.ok_or(damaged("a fragment without header"))?;
            if is_kept_track(u32_at(header, 4)?) { Fate::Descend } else { Fate::Drop }
        }
        (b"moov", b"mvhd") | (b"trak", b"tkhd") | (b"mdia", b"mdhd") => Fate::Scrub(times),
        (b"mdia", b"hdlr") => Fate::Scrub(handler),
        (b"dinf", b"dref") => Fate::Scrub(references),
        (b"stbl", b"stsd") => Fate::Describe,
        (b"moov", b"mvex")
        | (b"trak", b"mdia" | b"edts")
        | (b"mdia", b"minf")
        | (b"minf", b"dinf" | b"stbl") => Fate::Descend,
        (b"mvex", b"mehd" | b"trex")
        | (b"edts", b"elst")
        | (b"mdia", b"elng")
        | (b"minf", b"vmhd" | b"smhd")
        | (b"moof", b"mfhd")
        | (b"traf", b"tfhd" | b"tfdt" | b"trun")
        | (b"mfra", b"tfra" | b"mfro") => Fate::Keep,
        (
            b"stbl",
            b"stts" | b"ctts" | b"cslg" | b"stsc" | b"stsz" | b"stz2" | b"stco" | b"co64" | b"stss",
        ) => Fate::Keep,
        _ => Fate::Drop,
    })
}

/// When it was made and changed.
fn times(body: &mut [u8]) -> io::Result<()> {
    let length = if body.first() == Some(&1) { 16 } else { 8 };
    body.get_mut(4..4 + length).ok_or(damaged("a short header"))?.fill(0);
    Ok(())
}

/// The name of what wrote a track, and who made that.
fn handler(body: &mut [u8]) -> io::Result<()> {
    body.get_mut(12..).ok_or(damaged("a short handler"))?.fill(0);
    Ok(())
}

/// Where the samples are: always in this file.
fn references(body: &mut [u8]) -> io::Result<()> {
    let entries = body.get_mut(8..).ok_or(damaged("short references"))?;
    for entry in children(entries)? {
        entries[entry.whole.start + 4..entry.whole.start + 8].copy_from_slice(b"url ");
        let inner = &mut entries[entry.body];
        inner.fill(0);
        if let Some(flag) = inner.get_mut(3) {
            *flag = 1;
        }
    }
    Ok(())
}
