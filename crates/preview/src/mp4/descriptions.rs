//! How samples are coded: what decoding needs, without the names of coders.

use std::io;

use super::boxes::{Inner, children};
use super::nal;
use super::tracks::Kind;
use crate::clean::damaged;
use crate::profile;

/// Of a description of pictures, before its boxes.
pub const PICTURE_HEADER_BYTES: usize = 78;

/// Scrubs the descriptions of a track of this kind.
pub fn scrub(body: &mut [u8], kind: Kind) -> io::Result<()> {
    let entries = body.get_mut(8..).ok_or(damaged("short descriptions"))?;
    let mut end = 0;
    for entry in children(entries)? {
        end = entry.whole.end;
        let inner = &mut entries[entry.body];
        let header = match kind {
            Kind::Sound => sound_header_bytes(inner),
            Kind::Picture => PICTURE_HEADER_BYTES,
        };
        if inner.len() < header {
            return Err(damaged("a short description"));
        }
        match kind {
            // Revision and maker of the coder.
            Kind::Sound => inner[10..16].fill(0),
            // The same, and its name.
            Kind::Picture => {
                inner[8..24].fill(0);
                inner[42..74].fill(0);
            }
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
        b"av1C", b"vpcC", b"esds", b"dOps", b"alac", b"dac3", b"dec3", b"damr", b"pcmC", b"chnl", b"srat",
        b"pasp", b"clap", b"fiel", b"btrt", b"chan", b"mdcv", b"clli", b"dvcC", b"dvvC",
    ];
    let mut end = 0;
    for child in children(body)? {
        end = child.whole.end;
        let inner = &mut body[child.body.clone()];
        let is_kept = match &child.kind {
            b"avcC" => nal::h264_configuration(inner).map(|()| true)?,
            b"hvcC" | b"hvcE" => nal::h265_configuration(inner, 22).map(|()| true)?,
            b"lhvC" => nal::h265_configuration(inner, 5).map(|()| true)?,
            b"dfLa" => flac(inner).map(|()| true)?,
            b"colr" => colours(inner),
            kind => KEPT.contains(&kind),
        };
        if !is_kept {
            free(body, &child);
        }
    }
    body[end..].fill(0);
    Ok(())
}

/// Makes of a box one that says nothing and is as long.
pub fn free(body: &mut [u8], child: &Inner) {
    body[child.whole.start + 4..child.whole.start + 8].copy_from_slice(b"free");
    body[child.body.clone()].fill(0);
}

/// Scrubs what colours are: numbers of a table, or a profile. Returns whether it is any of them.
fn colours(body: &mut [u8]) -> bool {
    let Some((kind, rest)) = body.split_first_chunk_mut::<4>() else { return false };
    match &*kind {
        b"nclx" if rest.len() >= 7 => rest[7..].fill(0),
        b"nclc" if rest.len() >= 6 => rest[6..].fill(0),
        b"prof" | b"rICC" => {
            let Some(profile) = profile::rebuild(rest).filter(|profile| profile.len() <= rest.len()) else {
                return false;
            };
            let (start, end) = rest.split_at_mut(profile.len());
            start.copy_from_slice(&profile);
            end.fill(0);
        }
        _ => return false,
    }
    true
}

/// Scrubs blocks of FLAC: what the stream is stays, comments and pictures become padding.
fn flac(body: &mut [u8]) -> io::Result<()> {
    const STREAM: u8 = 0;
    const PADDING: u8 = 1;
    const LAST: u8 = 0x80;
    let mut at = 4;
    while let Some(&[kind, l2, l1, l0]) = body.get(at..).and_then(<[u8]>::first_chunk) {
        let start = at + 4;
        let end = start + u32::from_be_bytes([0, l2, l1, l0]) as usize;
        let block = body.get_mut(start..end).ok_or(damaged("a block beyond its box"))?;
        if kind & !LAST != STREAM {
            block.fill(0);
            body[at] = PADDING | (kind & LAST);
        }
        at = end;
    }
    body.get_mut(at..).ok_or(damaged("a short configuration"))?.fill(0);
    Ok(())
}

#[cfg(test)]
mod tests;
