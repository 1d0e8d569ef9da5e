//! Decodes a picture within limits and makes of it what is shown before it is there.

mod small;
mod upright;

use std::io;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageResult, Limits};

pub use small::likeness;
pub use upright::encode as encode_upright;

use crate::clean::{Input, png};
use crate::format::Format;
use crate::profile;

/// Pixels a side that are decoded.
const MAX_SIDE: u32 = 16_384;
/// Pixels that are decoded.
const MAX_PIXELS: u64 = 50_000_000;
/// Memory that decoding may take, in bytes; the child has twice that.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A picture, as stored: not turned.
pub struct Decoded {
    pub image: DynamicImage,
    /// What is kept of its colour profile.
    pub profile: Option<Vec<u8>>,
    /// Of PNG, the chunks that say what its colours are.
    pub chunks: Vec<u8>,
}

/// Decodes a picture, of an animation the first frame; `None` if it is damaged or beyond the limits.
pub fn decode(format: Format, input: &mut impl Input) -> io::Result<Option<Decoded>> {
    let chunks = if format == Format::Png { png::colours(input)? } else { Vec::new() };
    input.rewind()?;
    let decoder: ImageResult<Box<dyn ImageDecoder + '_>> = match format {
        Format::Jpeg => JpegDecoder::new(input).map(|decoder| Box::new(decoder) as _),
        Format::Png => PngDecoder::with_limits(input, limits()).map(|decoder| Box::new(decoder) as _),
        Format::WebP => WebPDecoder::new(input).map(|decoder| Box::new(decoder) as _),
        Format::Gif => GifDecoder::new(input).map(|decoder| Box::new(decoder) as _),
        Format::Opus | Format::Mp4 => return Ok(None),
    };
    Ok(decoder.and_then(|decoder| read(decoder, chunks)).ok())
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    limits
}

fn read(mut decoder: Box<dyn ImageDecoder + '_>, chunks: Vec<u8>) -> ImageResult<Decoded> {
    decoder.set_limits(limits())?;
    let (width, height) = decoder.dimensions();
    let mut left = limits();
    left.check_dimensions(width, height)?;
    left.reserve(decoder.total_bytes())?;
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let error = image::error::LimitError::from_kind(image::error::LimitErrorKind::DimensionError);
        return Err(image::ImageError::Limits(error));
    }
    let profile = decoder.icc_profile()?.and_then(|profile| profile::rebuild(&profile));
    Ok(Decoded { image: DynamicImage::from_decoder(decoder)?, profile, chunks })
}

/// Whether a colour profile is one for pixels of this kind, such as `RGB ` or `GRAY`.
fn is_profile_for(profile: &[u8], space: &[u8; 4]) -> bool {
    profile.get(16..20) == Some(space)
}
