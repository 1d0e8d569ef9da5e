//! Pictures without secrets, to see what is kept.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageEncoder, ImageFormat, Luma, Rgb, Rgba};

use super::{Sample, jpeg, photo, telling_profile};

/// Pictures of every format and kind that say nothing of anybody.
pub fn plain() -> Vec<Sample> {
    let encode = |image: DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).expect("it is written to memory");
        bytes.into_inner()
    };
    let photo = DynamicImage::from(photo(500, 400));
    let deep =
        image::ImageBuffer::<Rgb<u16>, _>::from_fn(30, 20, |x, y| Rgb([x as u16 * 2000, y as u16 * 3000, 7]));
    let grey = image::GrayImage::from_fn(30, 20, |x, y| Luma([(x * y) as u8]));
    let glass = image::RgbaImage::from_fn(500, 400, |x, y| Rgba([x as u8, y as u8, 0, (x / 2) as u8]));
    let dot = DynamicImage::new_rgb8(1, 1);
    vec![
        Sample::new("photo.jpg", "image/jpeg", encode(photo.clone(), ImageFormat::Jpeg)),
        Sample::new("grey.jpg", "image/jpeg", encode(grey.clone().into(), ImageFormat::Jpeg)),
        Sample::new("progressive.jpg", "image/jpeg", *include_bytes!("files/progressive.jpg")),
        Sample::new("cmyk.jpg", "image/jpeg", *include_bytes!("files/cmyk.jpg")),
        Sample::new("dot.jpg", "image/jpeg", encode(dot.clone(), ImageFormat::Jpeg)),
        Sample::new("photo.png", "image/png", encode(photo.clone(), ImageFormat::Png)),
        Sample::new("deep.png", "image/png", encode(deep.into(), ImageFormat::Png)),
        Sample::new("grey.png", "image/png", encode(grey.into(), ImageFormat::Png)),
        Sample::new("glass.png", "image/png", encode(glass.clone().into(), ImageFormat::Png)),
        Sample::new("dot.png", "image/png", encode(dot.clone(), ImageFormat::Png)),
        Sample::new("glass.webp", "image/webp", encode(glass.into(), ImageFormat::WebP)),
        Sample::new("lossy.webp", "image/webp", *include_bytes!("files/lossy.webp")),
        Sample::new("dot.webp", "image/webp", encode(dot.clone(), ImageFormat::WebP)),
        Sample::new("photo.gif", "image/gif", encode(photo, ImageFormat::Gif)),
        Sample::new("dot.gif", "image/gif", encode(dot, ImageFormat::Gif)),
    ]
}

/// A photo that its EXIF says to turn.
pub struct Turn {
    /// As a file.
    pub bytes: Vec<u8>,
    /// As it is to be shown.
    pub shown: DynamicImage,
}

/// A photo with a colour profile that is to be turned like this (1 to 8).
pub fn turned(orientation: u8) -> Turn {
    let picture = photo(80, 50);
    let mut encoded = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut encoded, 95);
    encoder.set_icc_profile(telling_profile()).expect("JPEG holds profiles");
    encoder.write_image(&picture, 80, 50, image::ExtendedColorType::Rgb8).expect("it is written to memory");
    let mut shown = DynamicImage::from(picture);
    shown.apply_orientation(Orientation::from_exif(orientation).expect("it is one of eight"));
    Turn { bytes: jpeg::tell(&encoded, orientation), shown }
}
