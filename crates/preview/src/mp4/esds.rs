//! The configuration of AAC, in its nest of descriptors.

use super::boxes::{children, find};

/// Of the first sample description of a table, if that is AAC.
pub fn of_table(table: &[u8]) -> Option<Vec<u8>> {
    let descriptions = find(table, &[b"stsd"]).ok()??.get(8..)?;
    let first = children(descriptions).ok()?.into_iter().next()?;
    let entry = &descriptions[first.body];
    if &first.kind != b"mp4a" {
        return None;
    }
    let inner = entry.get(super::descriptions::sound_header_bytes(entry)..)?;
    let esds = find(inner, &[b"esds"]).ok()??;
    audio_specific_config(esds.get(4..)?)
}

fn audio_specific_config(bytes: &[u8]) -> Option<Vec<u8>> {
    const STREAM: u8 = 3;
    const DECODER: u8 = 4;
    const CONFIG: u8 = 5;
    /// MPEG-4 audio.
    const AAC: u8 = 0x40;
    let stream = descriptor(bytes, STREAM)?;
    let flags = *stream.get(2)?;
    let mut at = 3;
    if flags & 0x80 != 0 {
        at += 2;
    }
    if flags & 0x40 != 0 {
        at += 1 + usize::from(*stream.get(at)?);
    }
    if flags & 0x20 != 0 {
        at += 2;
    }
    let decoder = descriptor(stream.get(at..)?, DECODER)?;
    if *decoder.first()? != AAC {
        return None;
    }
    descriptor(decoder.get(13..)?, CONFIG).map(<[u8]>::to_vec)
}

/// The body of the descriptor at the start of `bytes`, if it has this tag. Lengths come in groups of seven bits.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (&first, mut rest) = bytes.split_first()?;
    if first != tag {
        return None;
    }
    let mut length = 0;
    for _ in 0..4 {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        length = (length << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return rest.get(..length);
        }
    }
    None
}
