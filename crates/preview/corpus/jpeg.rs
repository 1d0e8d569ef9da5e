//! JPEG.

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

use super::{exif, secrets};

/// A picture in which every place looks different, so that turning it shows.
pub fn photo(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let part = |at: u32, of: u32| u8::try_from(u64::from(at) * 255 / u64::from(of)).unwrap_or(u8::MAX);
        let grain = u8::try_from((x * 7 + y * 13) % 16).unwrap_or(0);
        Rgb([part(x, width), part(y, height), 64 + grain])
    })
}

/// A JPEG of this picture, with EXIF that holds secrets and turns it like this (1 to 8).
pub fn photo_jpeg(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    insert(&encode(picture), &[(0xe1, [b"Exif\0\0".as_slice(), &exif(orientation)].concat())])
}

pub fn encode(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(picture).expect("it is written to memory");
    bytes
}

pub fn telling(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let profile = super::telling_profile();
    let (one, other) = profile.split_at(profile.len() / 2);
    let part = |number, data| (0xe2, [b"ICC_PROFILE\0".as_slice(), &[number, 2], data].concat());
    tell(&insert(&encode(picture), &[part(1, one), part(2, other)]), orientation)
}

/// Puts secrets into a JPEG wherever they can be.
pub fn tell(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let secrets = secrets();
    let with = |start: &[u8]| [start, &secrets].concat();
    let mut segments = vec![
        // JFIF with a thumbnail, and its extension.
        (0xe0, [b"JFIF\0\x01\x02\x00\x00\x01\x00\x01\x05\x05".as_slice(), &[7; 75], &secrets].concat()),
        (0xe0, with(b"JFXX\0\x13\x01\x01")),
        (0xe1, with(&[b"Exif\0\0".as_slice(), &exif(orientation)].concat())),
        (0xe1, with(b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>")),
        (0xe1, with(b"http://ns.adobe.com/xmp/extension/\0")),
        (0xe2, with(b"MPF\0")),
        (0xe2, with(b"FPXR\0")),
        (0xed, with(b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x20")),
        (0xfe, secrets.clone()),
        (0xf7, secrets.clone()),
    ];
    segments.extend((0xe3..=0xef).filter(|marker| *marker != 0xee).map(|marker| (marker, with(b"Any\0"))));
    let mut bytes = insert(jpeg, &segments);
    let end = bytes.len() - 2;
    let comment = [&[0xff, 0xfe], &segment_length(&secrets)[..], &secrets].concat();
    // Between the pixels and the end, and after it: a second picture, and what is no picture.
    bytes.splice(end..end, comment);
    bytes.extend(insert(jpeg, &[(0xfe, secrets.clone())]));
    bytes.extend(secrets);
    bytes
}

/// Puts segments right after the start.
fn insert(jpeg: &[u8], segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = jpeg[..2].to_vec();
    for (marker, data) in segments {
        bytes.extend([0xff, *marker]);
        bytes.extend(segment_length(data));
        bytes.extend(data);
    }
    bytes.extend(&jpeg[2..]);
    bytes
}

fn segment_length(data: &[u8]) -> [u8; 2] {
    u16::try_from(data.len() + 2).expect("segments here are short").to_be_bytes()
}
