//! GIF.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Frame, Rgba, RgbaImage};

use super::{CANARY, secrets};

/// Three frames that repeat for ever, with secrets in every kind of extension.
pub fn telling() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.set_repeat(Repeat::Infinite).expect("it is written to memory");
    for shade in [0, 100, 200] {
        let frame = RgbaImage::from_pixel(40, 30, Rgba([shade, 255 - shade, 60, 255]));
        encoder.encode_frame(Frame::new(frame)).expect("it is written to memory");
    }
    drop(encoder);
    tell(&bytes)
}

fn tell(gif: &[u8]) -> Vec<u8> {
    let secrets = secrets();
    // After the header and its table of colours.
    let colors = if gif[10] & 0x80 == 0 { 0 } else { 3 << ((gif[10] & 7) + 1) };
    let (head, rest) = gif.split_at(13 + colors);
    let (rest, end) = rest.split_at(rest.len() - 1);
    let extensions = [
        extension(0xfe, &[&secrets]),
        extension(0xff, &[b"XMP DataXMP", &secrets, CANARY.as_bytes()]),
        extension(0xff, &[b"NETSCAPE2.0", &[&[1, 0, 0], secrets.as_slice()].concat()]),
        extension(0x01, &[&[0; 12], &secrets]),
    ]
    .concat();
    [head, &extensions, rest, &extensions, end, &secrets].concat()
}

pub fn extension(label: u8, blocks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0x21, label];
    for block in blocks {
        bytes.push(u8::try_from(block.len()).expect("blocks here are short"));
        bytes.extend(*block);
    }
    bytes.push(0);
    bytes
}
