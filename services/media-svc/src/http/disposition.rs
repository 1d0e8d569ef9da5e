//! How a browser is to take the bytes: their type, and whether they are shown or saved, under which name (RFC 6266).

use std::fmt::Write as _;

use crate::media::{FileName, Purpose, Variant};

/// Pictures whose bytes have been looked at, and whose thumbnails this server has made.
const PICTURES: [&str; 4] = ["image/gif", "image/jpeg", "image/png", "image/webp"];
/// Types, besides pictures, sound and video, that no browser takes for a page or a script.
const INERT: [&str; 3] = ["application/pdf", "application/zip", "text/plain"];
/// What everything else is called.
const BYTES: &str = "application/octet-stream";

/// Whether it may be shown where it stands: a picture that this server has checked.
pub(super) fn is_shown(purpose: Purpose, variant: Variant, media_type: &str) -> bool {
    let checked = variant != Variant::Original || matches!(purpose, Purpose::Image | Purpose::Avatar);
    checked && PICTURES.contains(&media_type)
}

/// The type that is named: never one that could run.
pub(super) fn served_type(media_type: &str) -> &str {
    let kind = media_type.split('/').next().unwrap_or_default();
    let inert = PICTURES.contains(&media_type) || INERT.contains(&media_type);
    if inert || kind == "audio" || kind == "video" { media_type } else { BYTES }
}

/// `Content-Disposition`: visible ASCII, whatever the name.
pub(super) fn disposition(shown: bool, name: &FileName) -> String {
    let kind = if shown { "inline" } else { "attachment" };
    let name: String = name.as_str().chars().map(|c| if turns_text(c) { '_' } else { c }).collect();
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut header = format!("{kind}; filename=\"{plain}\"");
    if plain != name {
        header.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                header.push(char::from(byte));
            } else {
                write!(header, "%{byte:02X}").expect("text can be written to");
            }
        }
    }
    header
}

/// What every client reads alike between quotation marks.
fn is_plain(c: char) -> bool {
    (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%')
}

/// Turns the direction of what follows, so that "gpj.exe" reads as another kind of file.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> String {
        disposition(false, &FileName::new(name).unwrap())
    }

    #[test]
    fn a_name_reads_the_same_in_every_client() {
        assert_eq!(of("a b.pdf"), "attachment; filename=\"a b.pdf\"");
        assert_eq!(of("a;b='c'.txt"), "attachment; filename=\"a;b='c'.txt\"");
        assert_eq!(of("a\"b.txt"), "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt");
        assert_eq!(of("50%.txt"), "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt");
        assert_eq!(
            of("für €.txt"),
            "attachment; filename=\"f_r _.txt\"; filename*=UTF-8''f%C3%BCr%20%E2%82%AC.txt"
        );
    }

    #[test]
    fn a_name_that_turns_text_does_not() {
        assert_eq!(of("a\u{202e}gpj.exe"), "attachment; filename=\"a_gpj.exe\"");
    }

    #[test]
    fn any_name_makes_a_header_of_one_line() {
        let all: Vec<char> = ('\0'..char::MAX).collect();
        for part in all.chunks(60) {
            let name: String = part.iter().collect();
            let Ok(name) = FileName::new(&name) else { continue };
            let header = disposition(false, &name);
            assert!(header.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{header}");
            assert_eq!(header.matches('"').count(), 2, "{header}");
        }
    }

    #[test]
    fn only_pictures_that_were_checked_are_shown() {
        use Purpose::{Avatar, File, Image, Video, Voice};
        for picture in PICTURES {
            assert!(is_shown(Image, Variant::Original, picture));
            assert!(is_shown(Avatar, Variant::Small, picture));
            for purpose in [File, Voice, Video] {
                assert!(!is_shown(purpose, Variant::Original, picture), "{purpose:?}");
            }
        }
        for other in ["image/svg+xml", "text/html", "video/mp4", "application/pdf", BYTES, ""] {
            assert!(!is_shown(Image, Variant::Original, other), "{other}");
        }
        let name = FileName::new("a.jpg").unwrap();
        assert_eq!(disposition(true, &name), "inline; filename=\"a.jpg\"");
    }

    #[test]
    fn nothing_is_served_as_what_could_run() {
        for active in [
            "text/html",
            "TEXT/HTML",
            "text/html; charset=utf-8",
            "application/xhtml+xml",
            "image/svg+xml",
            "text/xml",
            "application/xml",
            "text/javascript",
            "application/wasm",
            "text/css",
            "multipart/x-mixed-replace",
            "",
        ] {
            assert_eq!(served_type(active), BYTES, "{active}");
        }
        for inert in ["image/png", "audio/ogg", "video/mp4", "application/pdf", BYTES] {
            assert_eq!(served_type(inert), inert);
        }
    }
}
