//! Small files that ask for much.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::{Sample, gif, jpeg, photo, png};

/// Files that are cheap to send and dear to look at. Their headers are sound: they can be cleaned.
pub fn bombs() -> Vec<Sample> {
    vec![
        Sample::new("wide.png", "image/png", zeros_png(65_535, 65_535, 64 * 1024 * 1024)),
        Sample::new("zlib.png", "image/png", zeros_png(10_000, 5_000, 512 * 1024 * 1024)),
        Sample::new("frames.gif", "image/gif", frames_gif(100_000)),
        Sample::new("restarts.jpg", "image/jpeg", restarts_jpeg(50_000)),
        Sample::new("scans.jpg", "image/jpeg", scans_jpeg(20_000)),
        Sample::new("wide.jpg", "image/jpeg", wide_jpeg()),
        Sample::new("chunks.png", "image/png", chunks_png(200_000)),
    ]
}

/// A PNG that says it has this size, of so many bytes of zeros, deflated.
fn zeros_png(width: u32, height: u32, bytes: usize) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..bytes / zeros.len() {
        zlib.write_all(&zeros).expect("it is written to memory");
    }
    let pixels = zlib.finish().expect("it is written to memory");
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    [signature, png::chunk(b"IHDR", &header), png::chunk(b"IDAT", &pixels), png::chunk(b"IEND", &[])].concat()
}

fn frames_gif(frames: usize) -> Vec<u8> {
    let mut bytes = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    let loops = gif::extension(0xff, &[b"NETSCAPE2.0", &[1, 0, 0]]);
    bytes.extend(loops);
    // One pixel each.
    let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    bytes.extend(frame.repeat(frames));
    bytes.push(0x3b);
    bytes
}

/// Restarts where there is nothing to restart.
fn restarts_jpeg(count: usize) -> Vec<u8> {
    let mut bytes = jpeg::encode(&photo(64, 64));
    let end = bytes.len() - 2;
    let restarts = [0xff, 0xd0, 0xff, 0xd3].repeat(count / 2);
    bytes.splice(end..end, restarts);
    bytes
}

/// The last scan of a progressive picture again and again.
fn scans_jpeg(count: usize) -> Vec<u8> {
    let bytes = include_bytes!("files/progressive.jpg");
    let last = bytes.windows(2).rposition(|window| window == [0xff, 0xda]).expect("it has scans");
    let end = bytes.len() - 2;
    [&bytes[..end], &bytes[last..end].repeat(count), &bytes[end..]].concat()
}

/// A header that says the picture is as large as one can be.
fn wide_jpeg() -> Vec<u8> {
    let mut bytes = jpeg::encode(&photo(64, 64));
    let frame = bytes.windows(2).position(|window| window == [0xff, 0xc0]).expect("it has a frame");
    bytes[frame + 5..frame + 9].fill(0xff);
    bytes
}

/// Pixels in many chunks, each of no bytes.
fn chunks_png(count: usize) -> Vec<u8> {
    let bytes = zeros_png(16, 16, 1024 * 1024);
    let (head, rest) = bytes.split_at(33);
    [head, &png::chunk(b"IDAT", &[]).repeat(count), rest].concat()
}
