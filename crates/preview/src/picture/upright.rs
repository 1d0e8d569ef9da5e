//! A picture that is to be turned, encoded anew so that it need not be.

use std::io::{self, Write};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageEncoder, ImageResult};

use super::{Decoded, is_profile_for};
use crate::clean::png;
use crate::format::Format;

/// As cameras save.
const JPEG_QUALITY: u8 = 92;

/// Turns a picture, writes it with what it says of its colours and returns what it is now. Of JPEG comes JPEG, of PNG comes PNG. WebP
/// can be written only without loss, which of a photo makes several times as much: without transparency it becomes JPEG.
pub fn encode(
    decoded: Decoded,
    orientation: Orientation,
    format: Format,
    output: &mut dyn Write,
) -> ImageResult<&'static str> {
    let Decoded { mut image, profile, chunks } = decoded;
    image.apply_orientation(orientation);
    match format {
        Format::Png => {
            // The encoder knows of profiles alone.
            let output: &mut dyn Write = &mut Inserted { output, left: png::HEAD_BYTES, chunks };
            let encoder =
                PngEncoder::new_with_quality(output, CompressionType::Default, FilterType::Adaptive);
            write(encoder, &image, None)?;
            Ok("image/png")
        }
        Format::WebP if image.color().has_alpha() => {
            write(WebPEncoder::new_lossless(output), &image, profile)?;
            Ok("image/webp")
        }
        _ => {
            write(JpegEncoder::new_with_quality(output, JPEG_QUALITY), &image, profile)?;
            Ok("image/jpeg")
        }
    }
}

fn write(mut encoder: impl ImageEncoder, image: &DynamicImage, profile: Option<Vec<u8>>) -> ImageResult<()> {
    let space = if image.color().has_color() { b"RGB " } else { b"GRAY" };
    if let Some(profile) = profile.filter(|profile| is_profile_for(profile, space)) {
        encoder.set_icc_profile(profile).map_err(image::ImageError::Unsupported)?;
    }
    image.write_with_encoder(encoder)
}

/// Writes chunks after the head of a PNG.
struct Inserted<'a> {
    output: &'a mut dyn Write,
    /// Bytes of the head that have not been written.
    left: usize,
    chunks: Vec<u8>,
}

impl Write for Inserted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return self.output.write(bytes);
        }
        let count = self.output.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= count;
        if self.left == 0 {
            self.output.write_all(&self.chunks)?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
