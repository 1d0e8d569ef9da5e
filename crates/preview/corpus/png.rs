//! PNG.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use image::Rgba;
use image::RgbaImage;

use super::secrets;

/// Chunks that say what colours are: of a gamma, of primaries, by a number.
pub fn colour_chunks() -> [Vec<u8>; 3] {
    let primaries: Vec<u8> = [31_270_u32, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000]
        .into_iter()
        .flat_map(u32::to_be_bytes)
        .collect();
    [chunk(b"gAMA", &45_455_u32.to_be_bytes()), chunk(b"cHRM", &primaries), chunk(b"cICP", &[12, 13, 0, 1])]
}

/// A picture of which a part is transparent, with secrets wherever they can be.
pub fn telling(exif: &[u8]) -> Vec<u8> {
    let picture = RgbaImage::from_fn(400, 300, |x, y| {
        Rgba([(x / 2) as u8, (y / 2) as u8, 99, if x < 200 { 255 } else { 100 }])
    });
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 400, 300);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().expect("it is written to memory");
    writer.write_image_data(&picture).expect("it is written to memory");
    writer.finish().expect("it is written to memory");
    tell(&bytes, exif)
}

/// Three frames, with secrets.
pub fn telling_animation() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 40, 30);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_animated(3, 0).expect("three frames are some");
    let mut writer = encoder.write_header().expect("it is written to memory");
    for shade in [10, 120, 250] {
        writer.write_image_data(&[shade; 40 * 30 * 3]).expect("it is written to memory");
    }
    writer.finish().expect("it is written to memory");
    tell(&bytes, &super::exif(1))
}

fn tell(png: &[u8], exif: &[u8]) -> Vec<u8> {
    let secrets = secrets();
    let with = |start: &[u8]| [start, &secrets].concat();
    let profile = super::telling_profile();
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&profile).expect("it is written to memory");
    let deflated = deflated.finish().expect("it is written to memory");
    let named = [super::CANARY.as_bytes(), b"\0\0", &deflated].concat();
    // After the signature and the header.
    let (head, rest) = png.split_at(33);
    let (rest, end) = rest.split_at(rest.len() - 12);
    let chunks = [
        colour_chunks().concat(),
        chunk(b"iCCP", &named),
        chunk(b"eXIf", exif),
        chunk(b"tEXt", &with(b"Comment\0")),
        chunk(b"zTXt", &with(b"Comment\0\0")),
        chunk(b"iTXt", &with(b"XML:com.adobe.xmp\0\0\0\0\0")),
        chunk(b"tIME", &[7, 234, 11, 22, 10, 30, 0]),
        chunk(b"sPLT", &with(b"palette\0\x08")),
        chunk(b"prVt", &secrets),
    ];
    let late = [chunk(b"tEXt", &with(b"Late\0")), chunk(b"vpAg", &secrets)].concat();
    [head, &chunks.concat(), rest, &late, end, &secrets].concat()
}

/// The profile of a PNG, inflated.
pub fn inflated_profile(png: &[u8]) -> Option<Vec<u8>> {
    let name = b"iCCP";
    let at = png.windows(4).position(|window| window == name)? + name.len();
    let deflated = at + png[at..].iter().position(|&byte| byte == 0)? + 2;
    let mut inflated = Vec::new();
    ZlibDecoder::new(png.get(deflated..)?).read_to_end(&mut inflated).ok()?;
    Some(inflated)
}

pub fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("chunks here are short");
    let sum = crc32fast::hash(&[kind, data].concat());
    [&length.to_be_bytes(), kind.as_slice(), data, &sum.to_be_bytes()].concat()
}
