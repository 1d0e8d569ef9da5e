//! The one thing of EXIF that is kept: how the picture is to be turned.
//!
//! A picture that can be decoded is turned for good and says nothing any more; one that cannot, or moves, keeps this.

use image::metadata::Orientation;

/// What stands before EXIF in JPEG, and by mistake in other formats.
pub const EXIF_PREFIX: &[u8] = b"Exif\0\0";
/// More bytes of EXIF than these are not looked at: a segment of JPEG holds no more, and what is longer begins with this.
pub const MAX_EXIF_BYTES: u64 = 64 * 1024;

/// What a block of EXIF says.
pub fn read(exif: &[u8]) -> Orientation {
    let tiff = exif.strip_prefix(EXIF_PREFIX).unwrap_or(exif);
    Orientation::from_exif_chunk(tiff).unwrap_or(Orientation::NoTransforms)
}

/// A block of EXIF that says only this; `None` if there is nothing to say.
pub fn write(orientation: Orientation) -> Option<Vec<u8>> {
    if orientation == Orientation::NoTransforms {
        return None;
    }
    let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend([orientation.to_exif(), 0, 0, 0, 0, 0, 0, 0]);
    Some(tiff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for value in 2..=8 {
            let orientation = Orientation::from_exif(value).expect("it is one of eight");
            let exif = write(orientation).expect("it says something");
            assert_eq!(read(&exif), orientation);
            assert_eq!(read(&[EXIF_PREFIX, &exif].concat()), orientation);
        }
        assert_eq!(write(Orientation::NoTransforms), None);
        assert_eq!(read(b"no EXIF at all"), Orientation::NoTransforms);
    }
}
