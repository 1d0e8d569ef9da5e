//! Colour profiles (ICC.1): a header and a table of tags, taken apart and put together again.
//!
//! Kept, bit for bit, are the numbers that make colours of pixels. Names, dates, makers, models, ids, tags that are not known
//! and bytes that no tag uses go: they tell of the screen, its serial number, and who measured it. What cannot be taken apart
//! is dropped; pixels are then taken for sRGB. Rebuilding what is rebuilt changes nothing.

mod element;
mod text;

#[cfg(test)]
mod tests;

use element::{u32_at, word};

/// More bytes than these are no profile: those of printers have up to some 3 MiB.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

const HEADER_BYTES: usize = 128;
const ENTRY_BYTES: usize = 12;
/// In the order in which they are written.
const KEPT: &[&[u8; 4]] = &[
    b"wtpt", b"bkpt", b"lumi", b"chad", b"cicp", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC",
    b"kTRC", b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt",
];
/// X, Y and Z of D50, which is the same in all profiles.
const ILLUMINANT: [u8; 12] = [0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d];

/// What colour needs of the profile `bytes`, as a profile; `None` if that is not enough for one.
pub fn rebuild(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let header = header(bytes)?;
    let mut tags: Vec<([u8; 4], Vec<u8>)> = Vec::new();
    for kind in KEPT {
        tags.extend(
            tag(bytes, kind).and_then(|data| element::rebuild(kind, data)).map(|data| (**kind, data)),
        );
    }
    let has = |kinds: &[&[u8; 4]]| kinds.iter().all(|kind| tags.iter().any(|(tag, _)| tag == *kind));
    let is_enough = has(&[b"A2B0"])
        || match &header[16..20] {
            b"RGB " => has(&[b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"]),
            b"GRAY" => has(&[b"kTRC"]),
            _ => false,
        };
    if !is_enough {
        return None;
    }
    let is_old = header[8] < 4;
    tags.push((*b"desc", text::description(is_old)));
    tags.push((*b"cprt", text::copyright(is_old)));
    assemble(header, &tags)
}

/// The header without what it tells; `None` if pictures do not have such a profile.
fn header(bytes: &[u8]) -> Option<[u8; HEADER_BYTES]> {
    let given: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
    let is_of_picture = &given[36..40] == b"acsp"
        && (2..=4).contains(&given[8])
        && [b"scnr", b"mntr", b"prtr", b"spac"].contains(&&word(given, 12)?)
        && [b"RGB ", b"GRAY", b"CMYK"].contains(&&word(given, 16)?)
        && [b"XYZ ", b"Lab "].contains(&&word(given, 20)?);
    if !is_of_picture {
        return None;
    }
    let mut header = [0; HEADER_BYTES];
    // Version, class, kind of pixels, kind of colours between profiles, signature.
    for kept in [8..10, 12..24, 36..40] {
        header[kept.clone()].copy_from_slice(&given[kept]);
    }
    // The intent of rendering, if it is one of four.
    if given[64..67] == [0; 3] && given[67] < 4 {
        header[67] = given[67];
    }
    header[68..80].copy_from_slice(&ILLUMINANT);
    Some(header)
}

/// The bytes of a tag.
fn tag<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    let count = usize::try_from(u32_at(bytes, HEADER_BYTES)?).ok()?;
    let entries = bytes[HEADER_BYTES + 4..].chunks_exact(ENTRY_BYTES).take(count);
    let entry = entries.into_iter().find(|entry| entry.starts_with(kind))?;
    let at = |place| usize::try_from(u32_at(entry, place)?).ok();
    let (start, length) = (at(4)?, at(8)?);
    bytes.get(start..start.checked_add(length)?)
}

/// Puts a profile together. Tags that are equal lie at the same place.
fn assemble(mut header: [u8; HEADER_BYTES], tags: &[([u8; 4], Vec<u8>)]) -> Option<Vec<u8>> {
    let start = HEADER_BYTES + 4 + ENTRY_BYTES * tags.len();
    let mut table = u32::try_from(tags.len()).ok()?.to_be_bytes().to_vec();
    let mut data = Vec::new();
    let mut places: Vec<usize> = Vec::new();
    for (number, (kind, element)) in tags.iter().enumerate() {
        let same = tags[..number].iter().position(|(_, other)| other == element);
        let place = same.map_or(start + data.len(), |same| places[same]);
        places.push(place);
        table.extend(kind);
        table.extend(u32::try_from(place).ok()?.to_be_bytes());
        table.extend(u32::try_from(element.len()).ok()?.to_be_bytes());
        if same.is_none() {
            data.extend(element);
            data.resize(data.len().next_multiple_of(4), 0);
        }
    }
    let length = u32::try_from(start + data.len()).ok()?;
    header[..4].copy_from_slice(&length.to_be_bytes());
    Some([&header[..], &table, &data].concat())
}
