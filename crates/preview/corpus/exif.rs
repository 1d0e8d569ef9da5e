//! EXIF, as a phone writes it: who made it, how to turn it, where it was taken.

use super::{CANARY, COORDINATE};

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

/// A block of EXIF (TIFF, little endian) with secrets, for a picture to be turned like this (1 to 8).
pub fn exif(orientation: u8) -> Vec<u8> {
    const MAIN_ENTRIES: u32 = 4;
    const PLACES: u32 = 8 + 2 + 12 * MAIN_ENTRIES + 4;
    const PLACES_ENTRIES: u32 = 2;
    const DATA: u32 = PLACES + 2 + 12 * PLACES_ENTRIES + 4;
    let text_bytes = CANARY.len() as u32 + 1;
    let mut block = b"II*\0\x08\0\0\0".to_vec();
    let mut put = |bytes: &[u8]| block.extend(bytes);
    put(&(MAIN_ENTRIES as u16).to_le_bytes());
    put(&entry(0x010e, ASCII, text_bytes, DATA + 24));
    put(&entry(0x010f, ASCII, text_bytes, DATA + 24));
    put(&entry(0x0112, SHORT, 1, orientation.into()));
    put(&entry(0x8825, LONG, 1, PLACES));
    put(&[0; 4]);
    put(&(PLACES_ENTRIES as u16).to_le_bytes());
    put(&entry(0x0002, RATIONAL, 3, DATA));
    put(&entry(0x0004, RATIONAL, 3, DATA));
    put(&[0; 4]);
    for number in [COORDINATE, COORDINATE, COORDINATE].as_flattened() {
        put(&number.to_le_bytes());
    }
    put(CANARY.as_bytes());
    put(&[0]);
    block
}

fn entry(tag: u16, kind: u16, count: u32, value: u32) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
}
