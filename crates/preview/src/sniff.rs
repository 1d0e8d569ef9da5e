//! Names a file that is stored as it is, by its first bytes.

mod lie;

pub use lie::is_lie;

/// Of what is not known, or not what it was said to be.
pub const UNKNOWN: &str = "application/octet-stream";
/// As many bytes as are looked at.
pub const HEAD_BYTES: usize = 8 * 1024;

/// Types that go by several names, ours first.
const SAME: &[&[&str]] = &[
    &["image/jpeg", "image/jpg", "image/pjpeg"],
    &["image/png", "image/x-png", "image/apng"],
    &["audio/ogg", "audio/opus", "application/ogg"],
    &["audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac"],
    &["audio/mpeg", "audio/mp3"],
    &["audio/wav", "audio/x-wav", "audio/wave"],
    &["audio/flac", "audio/x-flac"],
    &["video/mp4", "video/x-m4v"],
    &["application/zip", "application/x-zip-compressed"],
    &["application/gzip", "application/x-gzip"],
    &["application/pdf", "application/x-pdf"],
];

/// What a file that begins with `head` is, if that is what it was claimed to be (`claimed` may be empty); else
/// `application/octet-stream`.
pub fn media_type(head: &[u8], claimed: &str) -> String {
    let Some(found) = infer::get(head) else { return UNKNOWN.to_owned() };
    let found = name(found.mime_type());
    let claimed = essence(claimed);
    let agrees = claimed.is_empty() || name(&claimed) == found;
    // Four bytes are enough for some to be found.
    if agrees && !is_lie(head, found) { found.to_owned() } else { UNKNOWN.to_owned() }
}

/// A claim without its parameters, in lower case.
fn essence(claimed: &str) -> String {
    claimed.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The first of the names of a type.
fn name(of: &str) -> &str {
    SAME.iter().find(|names| names.contains(&of)).map_or(of, |names| names[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_or_is_unknown_is_just_bytes() {
        let pdf = b"%PDF-1.7\n";
        let zip = b"PK\x03\x04\x14\0\0\0\x08\0";
        let torn = b"\x89PNG and so on";
        for (head, claimed, named) in [
            (torn.as_slice(), "image/png", "application/octet-stream"),
            (pdf.as_slice(), "application/pdf", "application/pdf"),
            (pdf, "", "application/pdf"),
            (pdf, "Application/PDF; charset=x", "application/pdf"),
            (pdf, "application/x-pdf", "application/pdf"),
            (pdf, "image/jpeg", UNKNOWN),
            (zip, "application/zip", "application/zip"),
            (b"\xff\xd8\xff\xe0", "image/jpg", "image/jpeg"),
            (b"\xff\xd8\xff\xe0", "text/html", UNKNOWN),
            (b"plain words", "text/plain", UNKNOWN),
            (b"plain words", "", UNKNOWN),
            (b"", "", UNKNOWN),
        ] {
            assert_eq!(media_type(head, claimed), named, "{} as {claimed}", head.escape_ascii());
        }
    }
}
