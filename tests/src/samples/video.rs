//! Videos: MP4 with one frame of H.264 that nobody decodes.

use super::{CANARY, PLACE, xmp};

/// Parts of a second in which times are counted.
const TIMESCALE: u32 = 1000;
/// How long it takes: two seconds.
const DURATION: u32 = 2 * TIMESCALE;
/// No scaling, no turning.
const MATRIX: [u32; 9] = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000];

/// One that says where it was taken, three times.
#[must_use]
pub fn video(width: u16, height: u16) -> Vec<u8> {
    let ftyp = atom(b"ftyp", &[b"isom".as_slice(), &long(512), b"isomiso2avc1mp41"]);
    let frame = [long(5).as_slice(), &[0x65, 0x88, 0x84, 0, 0x10]].concat();
    let index = |at: u32| {
        let place = format!("+{}+0{}/", PLACE.0, PLACE.1);
        let place_length = u16::try_from(place.len()).expect("a short text").to_be_bytes();
        let place = atom(b"\xa9xyz", &[&place_length, &[0x15, 0xc7], place.as_bytes()]);
        let name = atom(b"name", &[CANARY.as_bytes()]);
        let udta = atom(b"udta", &[&place, &name]);
        atom(b"moov", &[&movie_header(), &track(width, height, at, &frame), &udta])
    };
    let adobe =
        [0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac];
    let uuid = atom(b"uuid", &[&adobe, xmp().as_bytes()]);
    let free = atom(b"free", &[CANARY.as_bytes()]);
    // The length of the index does not depend on what it says.
    let at = length(&ftyp) + length(&index(0)) + 8;
    [ftyp, index(at), atom(b"mdat", &[&frame]), uuid, free].concat()
}

fn movie_header() -> Vec<u8> {
    let times = [0, 0, TIMESCALE, DURATION].map(long).concat();
    let matrix = MATRIX.map(long).concat();
    atom(b"mvhd", &[&long(0), &times, &long(0x10000), &[1, 0], &[0; 10], &matrix, &[0; 24], &long(2)])
}

fn track(width: u16, height: u16, at: u32, frame: &[u8]) -> Vec<u8> {
    let fixed = |pixels: u16| long(u32::from(pixels) << 16);
    let times = [0, 0, 1, 0, DURATION].map(long).concat();
    let matrix = MATRIX.map(long).concat();
    let tkhd = atom(b"tkhd", &[&long(3), &times, &[0; 16], &matrix, &fixed(width), &fixed(height)]);
    let mdhd = atom(b"mdhd", &[&[0, 0, 0, TIMESCALE, DURATION].map(long).concat(), &[0x55, 0xc4, 0, 0]]);
    let hdlr = atom(b"hdlr", &[&[0; 8], b"vide", &[0; 12], CANARY.as_bytes(), &[0]]);
    let vmhd = atom(b"vmhd", &[&long(1), &[0; 8]]);
    let url = atom(b"url ", &[&long(1)]);
    let dinf = atom(b"dinf", &[&atom(b"dref", &[&long(0), &long(1), &url])]);
    let minf = atom(b"minf", &[&vmhd, &dinf, &samples(width, height, at, frame)]);
    atom(b"trak", &[&tkhd, &atom(b"mdia", &[&mdhd, &hdlr, &minf])])
}

/// Where the one frame is, how long it is shown, and what it takes to decode it.
fn samples(width: u16, height: u16, at: u32, frame: &[u8]) -> Vec<u8> {
    let avcc = atom(b"avcC", &[b"\x01\x42\xc0\x1e\xff\xe1\0\x04\x67\x42\xc0\x1e\x01\0\x02\x68\xce"]);
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let resolution = [0x0048_0000, 0x0048_0000, 0].map(long).concat();
    let avc1 = atom(
        b"avc1",
        &[&[0; 6], &[0, 1], &[0; 16], &size, &resolution, &[0, 1], &[0; 32], &[0, 0x18, 0xff, 0xff], &avcc],
    );
    let stsd = atom(b"stsd", &[&long(0), &long(1), &avc1]);
    let stts = atom(b"stts", &[&[0, 1, 1, DURATION].map(long).concat()]);
    let stsc = atom(b"stsc", &[&[0, 1, 1, 1, 1].map(long).concat()]);
    let stsz = atom(b"stsz", &[&[0, length(frame), 1].map(long).concat()]);
    let stco = atom(b"stco", &[&[0, 1, at].map(long).concat()]);
    atom(b"stbl", &[&stsd, &stts, &stsc, &stsz, &stco])
}

fn atom(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    [long(length(&data) + 8).as_slice(), kind, &data].concat()
}

fn long(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a short video")
}
