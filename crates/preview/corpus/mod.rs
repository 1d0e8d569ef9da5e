//! Files for tests: each kind of picture, voice note and video with secrets in every place that can hold one, and files made
//! to do harm.
//!
//! Everything is built here, or by `make.py` where there is no encoder in Rust.

pub mod bombs;
mod exif;
mod gif;
mod jpeg;
mod mp4;
mod opus;
mod pictures;
mod png;
pub mod profile;
mod webp;

pub use exif::exif;
pub use jpeg::{photo, photo_jpeg};
pub use pictures::{Turn, plain, turned};
pub use png::colour_chunks;
pub use profile::{colours, telling_profile};

/// Stands in every place of a file that can hold text.
pub const CANARY: &str = "canary-7Q2xVb9Lw0";
/// A place as MP4 writes it in text.
pub const PLACE: &str = "+47.3769+008.5417";
/// The numbers of a place in EXIF: so many of so many minutes.
pub const COORDINATE: [u32; 2] = [473_769_011, 10_000_019];

/// A file.
pub struct Sample {
    /// What sets it apart.
    pub name: &'static str,
    /// What it is.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Sample {
    /// A file of this name and type.
    pub fn new(name: &'static str, media_type: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name, media_type, bytes: bytes.into() }
    }
}

/// Files of every format with [`CANARY`], [`PLACE`] and [`COORDINATE`] in them.
pub fn telling() -> Vec<Sample> {
    let mut all = vec![
        Sample::new("photo.jpg", "image/jpeg", jpeg::telling(&photo(400, 300), 1)),
        Sample::new("turned.jpg", "image/jpeg", jpeg::telling(&photo(400, 300), 6)),
        Sample::new("progressive.jpg", "image/jpeg", jpeg::tell(include_bytes!("files/progressive.jpg"), 1)),
        Sample::new("cmyk.jpg", "image/jpeg", jpeg::tell(include_bytes!("files/cmyk.jpg"), 8)),
        Sample::new("picture.png", "image/png", png::telling(&exif(1))),
        Sample::new("turned.png", "image/png", png::telling(&exif(3))),
        Sample::new("animation.png", "image/png", png::telling_animation()),
        Sample::new("picture.webp", "image/webp", webp::telling(&exif(1))),
        Sample::new("turned.webp", "image/webp", webp::telling(&exif(6))),
        Sample::new("lossy.webp", "image/webp", webp::tell(include_bytes!("files/lossy.webp"), &exif(6))),
        Sample::new("animation.webp", "image/webp", webp::telling_animation()),
        Sample::new("animation.gif", "image/gif", gif::telling()),
    ];
    all.extend([
        Sample::new("voice.opus", "audio/ogg", opus::telling(include_bytes!("files/voice.opus"))),
        Sample::new("voice.m4a", "audio/mp4", mp4::telling(include_bytes!("files/voice.m4a"))),
        Sample::new(
            "voice-fragmented.m4a",
            "audio/mp4",
            mp4::telling(include_bytes!("files/voice-fragmented.m4a")),
        ),
        Sample::new("video.mp4", "video/mp4", mp4::telling(include_bytes!("files/video.mp4"))),
        Sample::new(
            "video-faststart.mp4",
            "video/mp4",
            mp4::telling(include_bytes!("files/video-faststart.mp4")),
        ),
        Sample::new(
            "video-fragmented.mp4",
            "video/mp4",
            mp4::telling(include_bytes!("files/video-fragmented.mp4")),
        ),
    ]);
    all
}

/// Pictures to be turned by a quarter, of 400 x 300 pixels, that say so at the start of more EXIF than JPEG can hold.
pub fn turned_by_long_exif() -> Vec<Sample> {
    let mut long = exif(6);
    long.resize(70_000, 7);
    vec![
        Sample::new("long-exif.png", "image/png", png::telling(&long)),
        Sample::new("long-exif.webp", "image/webp", webp::telling(&long)),
    ]
}

/// A video of 1.5 s, 64 x 48 pixels, that is to be shown turned by a quarter.
pub fn turned_video() -> Vec<u8> {
    mp4::turned(include_bytes!("files/video.mp4"))
}

/// Which secret stands in `bytes`, if any; also within the deflated profile of a PNG.
pub fn secret_in(bytes: &[u8]) -> Option<&'static str> {
    plain_secret_in(bytes).or_else(|| plain_secret_in(&png::inflated_profile(bytes)?))
}

fn plain_secret_in(bytes: &[u8]) -> Option<&'static str> {
    let [number, of] = COORDINATE;
    let little = [number.to_le_bytes(), of.to_le_bytes()].concat();
    let big = [number.to_be_bytes(), of.to_be_bytes()].concat();
    let has = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    if has(CANARY.as_bytes()) {
        Some("the canary")
    } else if has(PLACE.as_bytes()) {
        Some("the place in text")
    } else if has(&little) || has(&big) {
        Some("the coordinate")
    } else {
        None
    }
}

/// [`CANARY`], [`PLACE`] and [`COORDINATE`], as bytes.
fn secrets() -> Vec<u8> {
    let [number, of] = COORDINATE;
    let mut bytes = format!("{CANARY} {PLACE} ").into_bytes();
    bytes.extend(number.to_le_bytes());
    bytes.extend(of.to_le_bytes());
    bytes
}
