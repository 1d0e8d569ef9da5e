//! Takes out of the index, in place, all that playing does not need.

use std::io;

use super::boxes::{Inner, children, u32_at};
use super::tracks;
use crate::clean::damaged;

/// How deep boxes may lie within boxes.
const MAX_DEPTH: usize = 12;

/// What becomes of a box.
enum Fate {
    Keep,
    Descend,
    /// Kept, but for what this writes over.
    Scrub(fn(&mut [u8]) -> io::Result<()>),
    Drop,
}

/// Scrubs the body of `moov`.
pub fn index(body: &mut [u8], is_kept_track: &impl Fn(u32) -> bool) -> io::Result<()> {
    boxes(body, *b"moov", is_kept_track, 0)
}

/// Scrubs the body of `moof`.
pub fn fragment(body: &mut [u8], is_kept_track: &impl Fn(u32) -> bool) -> io::Result<()> {
    boxes(body, *b"moof", is_kept_track, 0)
}

/// Scrubs the body of a box beside them that helps to find places in time.
pub fn side_index(kind: &[u8; 4], body: &mut [u8]) -> io::Result<()> {
    if kind == b"mfra" { boxes(body, *kind, &|_| true, 0) } else { Ok(()) }
}

fn boxes(
    body: &mut [u8],
    parent: [u8; 4],
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
            Fate::Descend => boxes(inner, child.kind, is_kept_track, depth + 1)?,
            Fate::Scrub(scrub) => scrub(inner)?,
            Fate::Drop => free(body, &child),
        }
    }
    body[end..].fill(0);
    Ok(())
}

/// Makes of a box one that says nothing and is as long.
fn free(body: &mut [u8], child: &Inner) {
    body[child.whole.start + 4..child.whole.start + 8].copy_from_slice(b"free");
    body[child.body.clone()].fill(0);
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
        (b"stbl", b"stsd") => Fate::Scrub(descriptions),
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

/// How samples are coded: the names of coders go.
fn descriptions(body: &mut [u8]) -> io::Result<()> {
    const PICTURE_HEADER_BYTES: usize = 78;
    let entries = body.get_mut(8..).ok_or(damaged("short descriptions"))?;
    let mut end = 0;
    for entry in children(entries)? {
        end = entry.whole.end;
        let inner = &mut entries[entry.body];
        let is_sound = matches!(
            &entry.kind,
            b"mp4a" | b"Opus" | b"fLaC" | b"alac" | b"ac-3" | b"ec-3" | b"samr" | b"sawb"
        );
        let header = if is_sound { sound_header_bytes(inner) } else { PICTURE_HEADER_BYTES };
        if inner.len() < header {
            return Err(damaged("a short description"));
        }
        if is_sound {
            // Revision and maker of the coder.
            inner[10..16].fill(0);
        } else {
            inner[8..24].fill(0);
            inner[42..74].fill(0);
        }
        configurations(&mut inner[header..])?;
    }
    entries[end..].fill(0);
    Ok(())
}

/// Of a description of sound, before its boxes: QuickTime has two longer versions.
pub fn sound_header_bytes(entry: &[u8]) -> usize {
    match entry.get(8..10) {
        Some([0, 1]) => 44,
        Some([0, 2]) => 64,
        _ => 28,
    }
}

fn configurations(body: &mut [u8]) -> io::Result<()> {
    const KEPT: &[&[u8; 4]] = &[
        b"avcC", b"hvcC", b"av1C", b"vpcC", b"esds", b"dOps", b"dfLa", b"alac", b"dac3", b"dec3", b"damr",
        b"colr", b"pasp", b"clap", b"fiel", b"btrt", b"chan", b"mdcv", b"clli", b"dvcC", b"dvvC", b"hvcE",
        b"lhvC",
    ];
    let mut end = 0;
    for child in children(body)? {
        end = child.whole.end;
        if !KEPT.contains(&&child.kind) {
            free(body, &child);
        }
    }
    body[end..].fill(0);
    Ok(())
}
