//! Thumbnails, and the blurred likeness that is shown before them.
//!
//! They are upright and in sRGB: a colour profile for RGB is applied to their pixels, and none is written. Pictures of
//! other kinds (grey, CMYK turned to RGB when decoded) are taken for sRGB.

use std::borrow::Cow;
use std::io::{self, Write};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageError, ImageResult, RgbaImage};
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
    let (shrunk, is_large) = {
        let pixels = match original {
            DynamicImage::ImageRgba8(pixels) => Cow::Borrowed(pixels),
            other => Cow::Owned(other.to_rgba8()),
        };
        let weigh_alpha = original.color().has_alpha() && pixels.len() <= MAX_ALPHA_BYTES;
        match shrink(&pixels, ThumbnailSize::Large.pixels(), weigh_alpha)? {
            Some(shrunk) => (shrunk, true),
            None => (pixels.into_owned(), false),
        }
    };
    let mut upright = DynamicImage::from(shrunk);
    upright.apply_orientation(orientation);
    let large = to_srgb(upright.into_rgba8(), decoded.profile.as_deref());
    let small = shrink(&large, ThumbnailSize::Small.pixels(), true)?;
    let tiny = shrink(small.as_ref().unwrap_or(&large), LIKENESS_SIDE, true)?;
    let tiny = tiny.as_ref().or(small.as_ref()).unwrap_or(&large);
    let thumbhash = thumbhash::rgba_to_thumb_hash(tiny.width() as usize, tiny.height() as usize, tiny);
    let mut thumbnails = Vec::new();
    if let Some(small) = small {
        thumbnails.push(encode(ThumbnailSize::Small, small)?);
    }
    if is_large {
        thumbnails.push(encode(ThumbnailSize::Large, large)?);
    }
    Ok(Likeness { thumbhash, thumbnails })
}

/// The picture with at most `side` pixels a side; `None` if it is no larger.
fn shrink(pixels: &RgbaImage, side: u32, weigh_alpha: bool) -> ImageResult<Option<RgbaImage>> {
    let longest = pixels.width().max(pixels.height());
    if longest <= side {
        return Ok(None);
    }
    let scaled = |length: u32| {
        let length = (u64::from(length) * u64::from(side) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(length).unwrap_or(side).max(1)
    };
    let (width, height) = (scaled(pixels.width()), scaled(pixels.height()));
    let refused = |error: &dyn std::error::Error| ImageError::IoError(io::Error::other(error.to_string()));
    let from = ImageRef::new(pixels.width(), pixels.height(), pixels, PixelType::U8x4)
        .map_err(|error| refused(&error))?;
    let mut to = Image::new(width, height, PixelType::U8x4);
    let options = ResizeOptions::new().use_alpha(weigh_alpha);
    Resizer::new().resize(&from, &mut to, &options).map_err(|error| refused(&error))?;
    Ok(RgbaImage::from_raw(width, height, to.into_vec()))
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

fn encode(size: ThumbnailSize, pixels: RgbaImage) -> ImageResult<Small> {
    let (width, height) = pixels.dimensions();
    let mut bytes = Vec::new();
    // As for originals: so the encoders are compiled once.
    let output: &mut dyn Write = &mut bytes;
    let media_type = if pixels.pixels().any(|pixel| pixel.0[3] < u8::MAX) {
        let encoder = PngEncoder::new_with_quality(output, CompressionType::Default, FilterType::Adaptive);
        encoder.write_image(&pixels, width, height, ExtendedColorType::Rgba8)?;
        "image/png"
    } else {
        let opaque = DynamicImage::from(pixels).into_rgb8();
        JpegEncoder::new_with_quality(output, JPEG_QUALITY).write_image(
            &opaque,
            width,
            height,
            ExtendedColorType::Rgb8,
        )?;
        "image/jpeg"
    };
    Ok(Small { size, width, height, media_type, bytes })
}
