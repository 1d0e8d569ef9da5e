//! MP4. Boxes are put into the index, and where the media data comes after it, its places are moved.

use super::secrets;

/// Puts secrets into boxes, names, times and media data.
pub fn telling(mp4: &[u8]) -> Vec<u8> {
    let secrets = secrets();
    let mut bytes = mp4.to_vec();
    for name in [b"mdhd", b"mvhd", b"tkhd"] {
        // When it was made and changed, where no length changes.
        for at in all(&bytes, name) {
            bytes[at + 8..at + 16].copy_from_slice(&secrets[..8]);
        }
    }
    let descriptions = all(&bytes, b"stsd")[0];
    // Before them the same letters are a brand.
    for at in all(&bytes, b"avc1").into_iter().filter(|at| *at > descriptions) {
        // The name of the coder.
        bytes[at + 4 + 42..at + 4 + 42 + 17].copy_from_slice(&secrets[..17]);
    }
    // What the coder of pictures says of itself, within a sample.
    for at in (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"x264 - core")).collect::<Vec<_>>() {
        bytes[at..at + secrets.len()].copy_from_slice(&secrets);
    }
    let track = first_track_of_places(&bytes);
    let inner = [
        part(b"uuid", &[[7; 16].as_slice(), &secrets].concat()),
        part(b"udta", &part(b"\xa9xyz", &secrets)),
        part(b"meta", &secrets),
        part(b"XMP_", &secrets),
        part(b"free", &secrets),
        track,
    ]
    .concat();
    let index = all(&bytes, b"moov")[0] - 4;
    let added = u32::try_from(inner.len()).expect("boxes here are short");
    move_places(&mut bytes, index, added);
    grow(&mut bytes, index, added);
    let end = index + 8;
    bytes.splice(end..end, inner);
    bytes.extend(part(b"mdat", &secrets));
    bytes.extend(part(b"uuid", &[[9; 16].as_slice(), &secrets].concat()));
    bytes.extend(part(b"skip", &secrets));
    bytes.extend(&secrets[..5]);
    bytes
}

/// The same video, to be shown turned by a quarter.
pub fn turned(mp4: &[u8]) -> Vec<u8> {
    let mut bytes = mp4.to_vec();
    let first = all(&bytes, b"tkhd")[0];
    let matrix = first + 4 + 40;
    for (number, value) in [0_u32, 0x1_0000, 0, 0xffff_0000, 0, 0].into_iter().enumerate() {
        bytes[matrix + 4 * number..][..4].copy_from_slice(&value.to_be_bytes());
    }
    bytes
}

/// A copy of the first track that says it holds places.
fn first_track_of_places(bytes: &[u8]) -> Vec<u8> {
    let start = all(bytes, b"trak")[0] - 4;
    let mut track = bytes[start..start + u32_at(bytes, start) as usize].to_vec();
    let id = all(&track, b"tkhd")[0] + 4 + 12;
    track[id..id + 4].copy_from_slice(&77_u32.to_be_bytes());
    let handler = all(&track, b"hdlr")[0] + 4 + 8;
    track[handler..handler + 4].copy_from_slice(b"meta");
    track
}

/// Places of samples beyond `from` move by `by`. Fragments have theirs from their own start.
fn move_places(bytes: &mut [u8], from: usize, by: u32) {
    for at in all(bytes, b"stco") {
        let count = u32_at(bytes, at + 8) as usize;
        for number in 0..count {
            let entry = at + 12 + 4 * number;
            let place = u32_at(bytes, entry);
            if place as usize > from {
                bytes[entry..entry + 4].copy_from_slice(&(place + by).to_be_bytes());
            }
        }
    }
}

fn grow(bytes: &mut [u8], start: usize, by: u32) {
    let length = u32_at(bytes, start) + by;
    bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Where these four letters stand as the kind of a box; good enough for files this small.
fn all(bytes: &[u8], kind: &[u8; 4]) -> Vec<usize> {
    (4..bytes.len() - 3).filter(|&at| &bytes[at..at + 4] == kind).collect()
}

fn part(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("boxes here are short");
    [&length.to_be_bytes(), kind.as_slice(), body].concat()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
