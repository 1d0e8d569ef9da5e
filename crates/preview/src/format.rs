//! The formats that are taken apart, told by their first bytes.

/// As many bytes as [`Format::of`] looks at.
pub const HEAD_BYTES: usize = 64;

/// A format that is taken apart. Everything else is stored as it is, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
    /// Opus in Ogg.
    Opus,
    /// MP4 with sound, with or without a picture.
    Mp4,
}

/// Brands of files that hold what MP4 holds. Others of this family are still pictures, QuickTime, or subtitles.
const MP4_BRANDS: &[&[u8; 4]] = &[
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42",
    b"avc1", b"M4A ", b"M4V ", b"dash", b"MSNV",
];

impl Format {
    /// The format of a file that begins with `head`.
    pub fn of(head: &[u8]) -> Option<Self> {
        let at = |range: std::ops::Range<usize>| head.get(range).unwrap_or_default();
        if head.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if head.starts_with(b"RIFF") && at(8..12) == b"WEBP" {
            Some(Self::WebP)
        } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if head.starts_with(b"OggS") && at(28..36) == b"OpusHead" {
            Some(Self::Opus)
        } else if at(4..8) == b"ftyp" && MP4_BRANDS.iter().any(|brand| at(8..12) == *brand) {
            Some(Self::Mp4)
        } else {
            None
        }
    }

    /// Whether it is a picture.
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::WebP | Self::Gif)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let opus = [b"OggS".as_slice(), &[0; 24], b"OpusHead"].concat();
        for (head, format) in [
            (b"\xff\xd8\xff\xe0".as_slice(), Some(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(Format::Png)),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(Format::WebP)),
            (b"RIFF\0\0\0\0WAVEfmt ", None),
            (b"GIF89a", Some(Format::Gif)),
            (&opus, Some(Format::Opus)),
            (b"OggS", None),
            (b"\0\0\0\x20ftypisom", Some(Format::Mp4)),
            (b"\0\0\0\x20ftypqt  ", None),
            (b"\0\0\0\x20ftypheic", None),
            (b"<html>", None),
            (b"", None),
        ] {
            assert_eq!(Format::of(head), format, "{}", head.escape_ascii());
        }
    }
}
