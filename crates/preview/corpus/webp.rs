//! WebP.

use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, Rgba, RgbaImage};

use super::secrets;

const ICC: u8 = 0x20;
const ALPHA: u8 = 0x10;
const EXIF: u8 = 0x08;
const XMP: u8 = 0x04;
const ANIMATION: u8 = 0x02;

/// A picture of which a part is transparent, with secrets wherever they can be.
pub fn telling(exif: &[u8]) -> Vec<u8> {
    let still = still(400, 300, 100);
    tell(&still, exif)
}

/// Puts secrets into a still picture.
pub fn tell(still: &[u8], exif: &[u8]) -> Vec<u8> {
    let (width, height) = size(still);
    let alpha = if still[12..].starts_with(b"VP8L") { ALPHA } else { 0 };
    let secrets = secrets();
    let chunks = [
        extended(ICC | alpha | EXIF | XMP, width, height),
        chunk(b"ICCP", &super::telling_profile()),
        chunk(b"SECR", &secrets),
        still[12..].to_vec(),
        chunk(b"EXIF", exif),
        chunk(b"XMP ", &[b"<x:xmpmeta>", secrets.as_slice()].concat()),
        chunk(b"EXIF", &super::exif(3)),
    ];
    [riff(&chunks.concat()), secrets].concat()
}

/// Two frames, with secrets also within them.
pub fn telling_animation() -> Vec<u8> {
    let secrets = secrets();
    let frame = |shade| {
        let mut data = vec![0; 16];
        data[6..9].copy_from_slice(&39_u32.to_le_bytes()[..3]);
        data[9..12].copy_from_slice(&29_u32.to_le_bytes()[..3]);
        data[12] = 100;
        data.extend(&still(40, 30, shade)[12..]);
        data.extend(chunk(b"SECR", &secrets));
        chunk(b"ANMF", &data)
    };
    let chunks = [
        extended(ALPHA | EXIF | XMP | ANIMATION, 40, 30),
        chunk(b"ANIM", &[0, 0, 0, 0, 0, 0]),
        frame(10),
        frame(200),
        chunk(b"EXIF", &super::exif(1)),
        chunk(b"XMP ", &secrets),
    ];
    [riff(&chunks.concat()), secrets].concat()
}

fn still(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let picture = RgbaImage::from_fn(width, height, |x, y| {
        Rgba([(x / 2) as u8, (y / 2) as u8, shade, if x < width / 2 { 255 } else { 100 }])
    });
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes)
        .encode(&picture, width, height, ExtendedColorType::Rgba8)
        .expect("it is written to memory");
    bytes
}

/// Of a file that is one chunk of pixels.
fn size(still: &[u8]) -> (u32, u32) {
    let picture = image::load_from_memory(still).expect("it is a picture");
    (picture.width(), picture.height())
}

fn extended(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let (width, height) = ((width - 1).to_le_bytes(), (height - 1).to_le_bytes());
    chunk(b"VP8X", &[&[flags, 0, 0, 0], &width[..3], &height[..3]].concat())
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("chunks here are short");
    let padding: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
    [kind.as_slice(), &length.to_le_bytes(), data, padding].concat()
}

fn riff(chunks: &[u8]) -> Vec<u8> {
    let length = u32::try_from(chunks.len() + 4).expect("files here are short");
    [b"RIFF", &length.to_le_bytes()[..], b"WEBP", chunks].concat()
}
