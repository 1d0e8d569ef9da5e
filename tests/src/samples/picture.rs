//! Pictures: encoded by a library, and then what a camera adds.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage};

use super::exif::{Order, exif};
use super::{CANARY, xmp};

/// A landscape of sorts, which no encoder makes very small.
fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 13;
        let shade = |part: u32, of: u32| (part * 200 / of + grain % 40).min(255).to_le_bytes()[0];
        Rgb([shade(x, width), shade(y, height), shade(x + y, width + height)])
    })
}

/// A JPEG with EXIF, XMP, IPTC, a comment, and bytes behind its end; `orientation` as EXIF counts it, from 1 to 8.
///
/// # Panics
/// It cannot be encoded.
#[must_use]
pub fn jpeg(width: u32, height: u32, orientation: u16) -> Vec<u8> {
    let mut encoded = Vec::new();
    JpegEncoder::new_with_quality(&mut encoded, 85).encode_image(&scene(width, height)).expect("a JPEG");
    let order = if orientation == 1 { Order::BigEnd } else { Order::LittleEnd };
    let iptc = [b"\x1c\x02\x78".as_slice(), &short(CANARY.len()), CANARY.as_bytes()].concat();
    let resource = [b"8BIM\x04\x04\0\0\0\0".as_slice(), &short(iptc.len()), &iptc].concat();
    let segments = [
        segment(0xe1, &[b"Exif\0\0", exif(order, orientation).as_slice()].concat()),
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", xmp().as_bytes()].concat()),
        segment(0xed, &[b"Photoshop 3.0\0", resource.as_slice()].concat()),
        segment(0xfe, CANARY.as_bytes()),
    ];
    let (start, rest) = encoded.split_at(2);
    [start, &segments.concat(), rest, CANARY.as_bytes()].concat()
}

/// Twelve megapixels, as a phone takes them.
#[must_use]
pub fn photo() -> Vec<u8> {
    jpeg(4000, 3000, 6)
}

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    [&[0xff, marker], short(data.len() + 2).as_slice(), data].concat()
}

fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("it fits into a segment").to_be_bytes()
}

/// A PNG with EXIF, XMP and a text.
///
/// # Panics
/// It cannot be encoded.
#[must_use]
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let encoded = encode(width, height, ImageFormat::Png);
    let chunks = [
        chunk(b"eXIf", &exif(Order::LittleEnd, 1)),
        chunk(b"tEXt", &[b"Comment\0", CANARY.as_bytes()].concat()),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", xmp().as_bytes()].concat()),
    ];
    // Behind the signature and the header.
    let (start, rest) = encoded.split_at(8 + 25);
    [start, &chunks.concat(), rest].concat()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("a short chunk").to_be_bytes();
    let mut hash = crc32fast::Hasher::new();
    hash.update(kind);
    hash.update(data);
    [length.as_slice(), kind, data, &hash.finalize().to_be_bytes()].concat()
}

/// A WebP with EXIF and XMP.
///
/// # Panics
/// It cannot be encoded.
#[must_use]
pub fn webp(width: u32, height: u32) -> Vec<u8> {
    let encoded = encode(width, height, ImageFormat::WebP);
    // "RIFF", a length, "WEBP", and the picture's chunk.
    let picture = &encoded[12..];
    let size = |pixels: u32| (pixels - 1).to_le_bytes();
    let (exif_and_xmp, [wide, high]) = (0b1100, [size(width), size(height)]);
    let head = [&[exif_and_xmp, 0, 0, 0], &wide[..3], &high[..3]].concat();
    let chunks = [
        riff(b"VP8X", &head),
        picture.to_vec(),
        riff(b"EXIF", &exif(Order::BigEnd, 1)),
        riff(b"XMP ", xmp().as_bytes()),
    ];
    riff(b"RIFF", &[b"WEBP".as_slice(), &chunks.concat()].concat())
}

fn riff(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("a short chunk").to_le_bytes();
    let padding: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
    [kind.as_slice(), &length, data, padding].concat()
}

/// A GIF of two frames with XMP and a comment.
///
/// # Panics
/// It cannot be encoded.
#[must_use]
pub fn gif(width: u32, height: u32) -> Vec<u8> {
    let mut encoded = Vec::new();
    {
        let mut encoder = GifEncoder::new_with_speed(&mut encoded, 30);
        for turned in [false, true] {
            let picture = DynamicImage::from(scene(width, height));
            let picture = if turned { picture.rotate180() } else { picture };
            encoder.encode_frame(Frame::new(picture.to_rgba8())).expect("a GIF");
        }
    }
    let trailer = encoded.pop().expect("a GIF has a last byte");
    let comment = [b"\x21\xfe".as_slice(), &blocks(CANARY.as_bytes())].concat();
    // XMP stands there as it is, and behind it what leads a reader out again, wherever it was.
    let way_out: Vec<u8> = [1].into_iter().chain((0..=255).rev()).chain([0]).collect();
    let xmp = [b"\x21\xff\x0bXMP DataXMP".as_slice(), xmp().as_bytes(), &way_out].concat();
    [encoded, comment, xmp, vec![trailer]].concat()
}

/// Data in pieces of at most 255 bytes, and an empty one.
fn blocks(data: &[u8]) -> Vec<u8> {
    let block = |piece: &[u8]| [&[u8::try_from(piece.len()).expect("at most 255")], piece].concat();
    data.chunks(255).map(block).chain([vec![0]]).collect::<Vec<_>>().concat()
}

fn encode(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut encoded = Cursor::new(Vec::new());
    scene(width, height).write_to(&mut encoded, format).expect("a picture can be encoded");
    encoded.into_inner()
}
