//! Whether a file is plainly not of the type that was claimed for it.
//!
//! Only what its first bytes prove is a lie; what they leave open is none:
//!
//! 1. The type is one of [`FORMATS`], all of whose files begin alike, and the file begins otherwise. Containers are one format
//!    by whatever name: MP4 with or without a picture, Ogg, Matroska and WebM, all that is made of ZIP.
//! 2. The type is text, and the file begins as something that is not, and holds bytes that no text does.
//! 3. The type is sound, video or a font, and the file begins as a picture.
//!
//! No claim, `application/octet-stream` and types that are not known are never lies.

/// A place in a file, and what stands there.
type Mark = (usize, &'static [u8]);

/// Types whose files all begin with one of these marks.
type Format = (&'static [&'static str], &'static [Mark]);

const PICTURES: &[Format] = &[
    (&["image/jpeg", "image/jpg", "image/pjpeg"], &[(0, b"\xff\xd8\xff")]),
    (&["image/png", "image/x-png", "image/apng", "image/vnd.mozilla.apng"], &[(0, b"\x89PNG\r\n\x1a\n")]),
    (&["image/gif"], &[(0, b"GIF87a"), (0, b"GIF89a")]),
    (&["image/webp"], &[(8, b"WEBP")]),
];

/// Not here, since they begin in several ways: MP3, AAC without a container, QuickTime, TIFF, tar, Word before 2007.
const FORMATS: &[Format] = &[
    (
        &[
            "audio/mp4",
            "audio/m4a",
            "audio/x-m4a",
            "audio/3gpp",
            "audio/3gpp2",
            "video/mp4",
            "video/x-m4v",
            "video/3gpp",
            "video/3gpp2",
            "application/mp4",
            "image/heic",
            "image/heif",
            "image/heic-sequence",
            "image/heif-sequence",
            "image/avif",
        ],
        &[(4, b"ftyp")],
    ),
    (&["audio/ogg", "audio/opus", "audio/vorbis", "video/ogg", "application/ogg"], &[(0, b"OggS")]),
    (
        &[
            "audio/webm",
            "audio/matroska",
            "audio/x-matroska",
            "video/webm",
            "video/matroska",
            "video/x-matroska",
        ],
        &[(0, b"\x1a\x45\xdf\xa3")],
    ),
    // Some writers put tags before.
    (&["audio/flac", "audio/x-flac"], &[(0, b"fLaC"), (0, b"ID3")]),
    (
        &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"],
        &[(0, b"RIFF"), (0, b"RIFX"), (0, b"RF64")],
    ),
    (
        &[
            "application/zip",
            "application/x-zip-compressed",
            "application/epub+zip",
            "application/java-archive",
            "application/vnd.android.package-archive",
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.presentation",
        ],
        &[(0, b"PK")],
    ),
    // With a password they are wrapped as documents were before.
    (
        &[
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ],
        &[(0, b"PK"), (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")],
    ),
    (&["application/gzip", "application/x-gzip"], &[(0, b"\x1f\x8b")]),
    (&["application/x-bzip2", "application/x-bzip"], &[(0, b"BZ")]),
    (&["application/x-xz"], &[(0, b"\xfd7zXZ\0")]),
    (&["application/x-7z-compressed"], &[(0, b"7z\xbc\xaf\x27\x1c")]),
    (&["application/vnd.rar", "application/x-rar-compressed", "application/x-rar"], &[(0, b"Rar!\x1a\x07")]),
];

const PDF: &[&str] = &["application/pdf", "application/x-pdf"];
/// A PDF begins within so many bytes: ISO 32000-1, annex H.
const PDF_BEGINS_WITHIN: usize = 1024;

/// Texts that are not called `text/`.
const TEXTS: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/xml",
    "application/javascript",
    "application/x-javascript",
    "application/x-sh",
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/sql",
    "application/x-subrip",
];

/// Whether a file that begins with `head` is plainly not what it is claimed to be.
pub fn is_lie(head: &[u8], claimed: &str) -> bool {
    let claimed = super::essence(claimed);
    let claimed = claimed.as_str();
    if PDF.contains(&claimed) {
        let head = &head[..head.len().min(PDF_BEGINS_WITHIN)];
        return !head.windows(5).any(|bytes| bytes == b"%PDF-");
    }
    if let Some((_, marks)) = PICTURES.iter().chain(FORMATS).find(|(names, _)| names.contains(&claimed)) {
        return !begins(head, marks);
    }
    if is_text(claimed) {
        return has_no_text(head) && !is_packed_svg(head, claimed);
    }
    let (major, _) = claimed.split_once('/').unwrap_or_default();
    ["audio", "video", "font"].contains(&major) && PICTURES.iter().any(|(_, marks)| begins(head, marks))
}

fn begins(head: &[u8], marks: &[Mark]) -> bool {
    marks.iter().any(|(at, bytes)| head.get(*at..).is_some_and(|rest| rest.starts_with(bytes)))
}

fn is_text(claimed: &str) -> bool {
    claimed.starts_with("text/")
        || claimed.ends_with("+json")
        || claimed.ends_with("+xml")
        || TEXTS.contains(&claimed)
}

/// It begins as something known that is no text. Words alone can do that ("BM" is a bitmap too), but without such bytes.
fn has_no_text(head: &[u8]) -> bool {
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    let is_known = infer::get(head).is_some_and(|kind| kind.matcher_type() != infer::MatcherType::Text);
    is_known && head.iter().any(is_binary)
}

/// `.svgz` goes by the name of what it holds.
fn is_packed_svg(head: &[u8], claimed: &str) -> bool {
    claimed == "image/svg+xml" && head.starts_with(b"\x1f\x8b")
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
    const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0";
    const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0";
    const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0";
    const M4A: &[u8] = b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42";
    const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0";
    const HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0";
    const OGG: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0";
    const WEBM: &[u8] = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01";
    const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt ";
    const PROGRAM: &[u8] = b"MZ\x90\0\x03\0\0\0\x04";
    const WORDS: &[u8] = b"plain words";
    const ALL: &[&[u8]] = &[JPEG, PNG, PDF, ZIP, GZIP, OLE, M4A, MP4, HEIC, OGG, WEBM, WAV, PROGRAM, WORDS];
    const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    #[test]
    fn what_first_bytes_disprove_is_a_lie() {
        for (head, claimed) in [
            (WORDS, "image/png"),
            (b"".as_slice(), "image/png"),
            (JPEG, "image/png"),
            (PNG, "Image/JPEG; q=1"),
            (WAV, "image/webp"),
            (PDF, "image/jpeg"),
            (WORDS, "application/pdf"),
            (PROGRAM, "application/pdf"),
            (WORDS, "application/zip"),
            (PNG, SHEET),
            (OGG, "video/mp4"),
            (MP4, "audio/ogg"),
            (MP4, "video/webm"),
            (PNG, "text/plain"),
            (PROGRAM, "text/plain; charset=utf-8"),
            (GZIP, "text/csv"),
            (ZIP, "application/json"),
            (JPEG, "application/activity+json"),
            (PNG, "image/svg+xml"),
            (JPEG, "audio/mpeg"),
            (PNG, "font/woff2"),
        ] {
            assert!(is_lie(head, claimed), "{} as {claimed}", head.escape_ascii());
        }
    }

    #[test]
    fn what_they_leave_open_is_none() {
        for (head, claimed) in [
            (JPEG, "image/jpg"),
            (JPEG, " IMAGE/JPEG ;q=1"),
            (PNG, "image/apng"),
            (PDF, "application/pdf"),
            (b"\n\n%PDF-1.4".as_slice(), "application/x-pdf"),
            (M4A, "video/mp4"),
            (MP4, "audio/mp4"),
            (MP4, "audio/x-m4a"),
            (b"\0\0\0\x18ftypnew!".as_slice(), "video/mp4"),
            (HEIC, "image/heif"),
            (OGG, "audio/ogg"),
            (OGG, "video/ogg"),
            (OGG, "audio/opus"),
            (WEBM, "audio/webm"),
            (WEBM, "video/x-matroska"),
            (ZIP, SHEET),
            (OLE, SHEET),
            (ZIP, "application/epub+zip"),
            (ZIP, "application/vnd.oasis.opendocument.text"),
            (b"PK\x05\x06\0\0".as_slice(), "application/zip"),
            (GZIP, "image/svg+xml"),
            (b"BMW is a maker of cars".as_slice(), "text/plain"),
            (b"MZ\nID3 %PDF".as_slice(), "text/csv"),
            (b"<html><body>".as_slice(), "text/plain"),
            (b"<?xml version=\"1.0\"?>".as_slice(), "image/svg+xml"),
            (b"\xff\xfeh\0i\0".as_slice(), "text/plain"),
            (b"caf\xe9".as_slice(), "text/plain"),
            (b"".as_slice(), "text/plain"),
            // Begin in several ways.
            (WORDS, "audio/mpeg"),
            (WORDS, "video/quicktime"),
            (WORDS, "application/msword"),
            (ZIP, "application/x-something"),
            (PNG, "image/x-something"),
            (PNG, "nonsense"),
        ] {
            assert!(!is_lie(head, claimed), "{} as {claimed}", head.escape_ascii());
        }
        for head in ALL {
            for claimed in ["", "application/octet-stream", "application/x-something"] {
                assert!(!is_lie(head, claimed), "{} as {claimed:?}", head.escape_ascii());
            }
        }
    }

    #[test]
    fn what_our_own_clients_claim_is_none() {
        for head in ALL {
            let claimed = infer::get(head).map_or("", |kind| kind.mime_type());
            assert!(!is_lie(head, claimed), "{} as {claimed}", head.escape_ascii());
        }
    }
}
