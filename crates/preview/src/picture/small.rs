//! Thumbnails, and the blurred likeness that is shown before them.
//!
//! They are upright and in sRGB: a colour profile for RGB is applied to their pixels, and none is written. Pictures of
//! other kinds (grey, CMYK turned to RGB when decoded) are taken for sRGB.

use fast_image_resize::{ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageEncoder, ImageResult, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::{Decoded, is_profile_for};
use crate::inspected::ThumbnailSize;

const JPEG_QUALITY: u8 = 80;
/// Pixels a side that the likeness is made from, at most.
const LIKENESS_SIDE: u32 = 100;
/// Larger pictures are made smaller without regard to what is transparent: that takes a copy of them.
const MAX_ALPHA_BYTES: usize = 96 * 1024 * 1024;

/// What is shown before the picture is there.
pub struct Likeness {
    pub thumbhash: Vec<u8>,
    /// Smallest first.
    pub thumbnails: Vec<Small>,
}

/// A thumbnail, encoded.
pub struct Small {
    pub size: ThumbnailSize,
    pub width: u32,
    pub height: u32,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// The likeness of a picture that is to be turned like this.
pub fn likeness(decoded: &Decoded, orientation: Orientation) -> ImageResult<Likeness> {
    let original = &decoded.image;
    let shrunk = shrink(original, ThumbnailSize::Large.pixels())?;
    let is_large = shrunk.is_some();
    let mut upright = DynamicImage::from(shrunk.as_ref().unwrap_or(original).to_rgba8());
    drop(shrunk);
    upright.apply_orientation(orientation);
    let large = DynamicImage::from(to_srgb(upright.into_rgba8(), decoded.profile.as_deref()));
    let small = shrink(&large, ThumbnailSize::Small.pixels())?;
    let tiny = shrink(small.as_ref().unwrap_or(&large), LIKENESS_SIDE)?;
    let tiny = tiny.as_ref().or(small.as_ref()).unwrap_or(&large).to_rgba8();
    let thumbhash =
        thumbhash::rgba_to_thumb_hash(tiny.width() as usize, tiny.height() as usize, tiny.as_raw());
    let mut thumbnails = Vec::new();
    if let Some(small) = &small {
        thumbnails.push(encode(ThumbnailSize::Small, small)?);
    }
    if is_large {
        thumbnails.push(encode(ThumbnailSize::Large, &large)?);
    }
    Ok(Likeness { thumbhash, thumbnails })
}

/// The picture with at most `side` pixels a side; `None` if it is no larger.
fn shrink(image: &DynamicImage, side: u32) -> ImageResult<Option<DynamicImage>> {
    let longest = image.width().max(image.height());
    if longest <= side {
        return Ok(None);
    }
    let scaled = |length: u32| {
        let length = (u64::from(length) * u64::from(side) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(length).unwrap_or(side).max(1)
    };
    let mut smaller = DynamicImage::new(scaled(image.width()), scaled(image.height()), image.color());
    let weigh_alpha = image.color().has_alpha() && image.as_bytes().len() <= MAX_ALPHA_BYTES;
    let options = ResizeOptions::new().use_alpha(weigh_alpha);
    match Resizer::new().resize(image, &mut smaller, &options) {
        Ok(()) => Ok(Some(smaller)),
        Err(error) => Err(image::ImageError::IoError(std::io::Error::other(error))),
    }
}

/// Pixels in sRGB; as they are if there is no profile for them that can be understood.
fn to_srgb(pixels: RgbaImage, profile: Option<&[u8]>) -> RgbaImage {
    let profile = profile.filter(|profile| is_profile_for(profile, b"RGB "));
    let Some(profile) = profile.and_then(|profile| ColorProfile::new_from_slice(profile).ok()) else {
        return pixels;
    };
    if profile.color_space != DataColorSpace::Rgb {
        return pixels;
    }
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgba, options) else {
        return pixels;
    };
    let mut converted = RgbaImage::new(pixels.width(), pixels.height());
    match transform.transform(&pixels, &mut converted) {
        Ok(()) => converted,
        Err(_) => pixels,
    }
}

fn encode(size: ThumbnailSize, image: &DynamicImage) -> ImageResult<Small> {
    let mut bytes = Vec::new();
    let pixels = image.to_rgba8();
    let media_type = if pixels.pixels().any(|pixel| pixel.0[3] < u8::MAX) {
        let encoder =
            PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
        encoder.write_image(&pixels, pixels.width(), pixels.height(), image::ExtendedColorType::Rgba8)?;
        "image/png"
    } else {
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(&image.to_rgb8())?;
        "image/jpeg"
    };
    Ok(Small { size, width: image.width(), height: image.height(), media_type, bytes })
}
