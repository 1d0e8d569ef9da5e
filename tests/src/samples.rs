//! Files as phones make them, with what nobody else is to learn: where they were taken, with what, and what else was
//! written into them.
//!
//! What must not get out can be searched for: [`secrets`] are in each of them.

mod exif;
mod picture;
mod sound;
mod video;

use parlor_wire::media::v1::Purpose;

pub use picture::{gif, jpeg, photo, png, webp};
pub use sound::voice;
pub use video::video;

/// Written into every text field there is.
pub const CANARY: &str = "canary-7f3a9c21";
/// Where it was taken, as text: north and east.
pub const PLACE: (&str, &str) = ("48.858221", "2.294495");
/// The same in degrees, minutes, and ten-thousandths of a second.
const NORTH: [u32; 3] = [48, 51, 295_993];
const EAST: [u32; 3] = [2, 17, 401_849];
/// What the seconds are parts of.
const PARTS: u32 = 10_000;

/// A file.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its name, which is no secret.
    pub name: &'static str,
    /// What it is.
    pub media_type: &'static str,
    /// What it would be uploaded for.
    pub purpose: Purpose,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// One of each form whose secrets are taken out.
#[must_use]
pub fn corpus() -> Vec<Sample> {
    let sample = |name, media_type, purpose, bytes| Sample { name, media_type, purpose, bytes };
    vec![
        sample("upright.jpg", "image/jpeg", Purpose::Image, jpeg(1600, 1200, 1)),
        sample("turned.jpg", "image/jpeg", Purpose::Image, jpeg(800, 600, 6)),
        sample("screen.png", "image/png", Purpose::Image, png(700, 400)),
        sample("sticker.webp", "image/webp", Purpose::Image, webp(500, 500)),
        sample("cat.gif", "image/gif", Purpose::Image, gif(400, 300)),
        sample("me.jpg", "image/jpeg", Purpose::Avatar, jpeg(640, 640, 1)),
        sample("note.ogg", "audio/ogg", Purpose::Voice, voice(150)),
        sample("walk.mp4", "video/mp4", Purpose::Video, video(640, 360)),
    ]
}

/// What must be in no byte that is stored, by name: texts, and places in the forms in which cameras write them.
#[must_use]
pub fn secrets() -> Vec<(&'static str, Vec<u8>)> {
    let utf16: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let seconds =
        |coordinate: [u32; 3], bytes: fn(u32) -> [u8; 4]| [coordinate[2], PARTS].map(bytes).concat();
    vec![
        ("the canary", CANARY.as_bytes().to_vec()),
        ("the canary in UTF-16", utf16),
        ("the latitude as text", PLACE.0.as_bytes().to_vec()),
        ("the longitude as text", PLACE.1.as_bytes().to_vec()),
        ("the latitude, most significant byte first", seconds(NORTH, u32::to_be_bytes)),
        ("the latitude, least significant byte first", seconds(NORTH, u32::to_le_bytes)),
        ("the longitude, most significant byte first", seconds(EAST, u32::to_be_bytes)),
        ("the longitude, least significant byte first", seconds(EAST, u32::to_le_bytes)),
    ]
}

/// Which of the secrets are in `bytes`.
#[must_use]
pub fn secrets_in(bytes: &[u8]) -> Vec<&'static str> {
    let is_in = |secret: &[u8]| bytes.windows(secret.len()).any(|part| part == secret);
    secrets().into_iter().filter(|(_, secret)| is_in(secret)).map(|(name, _)| name).collect()
}

/// XMP, as all of these forms can hold it.
fn xmp() -> String {
    let (north, east) = PLACE;
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description \
         xmlns:exif=\"http://ns.adobe.com/exif/1.0/\" exif:GPSLatitude=\"{north}\" exif:GPSLongitude=\"{east}\" \
         exif:UserComment=\"{CANARY}\"/></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A search for what is not there would always succeed.
    #[test]
    fn every_sample_holds_what_is_searched_for() {
        for sample in corpus() {
            let found = secrets_in(&sample.bytes);
            assert!(found.contains(&"the canary"), "{}: {found:?}", sample.name);
            assert!(found.len() >= 2, "{} says no place: {found:?}", sample.name);
        }
        let all: Vec<_> = corpus().iter().flat_map(|sample| secrets_in(&sample.bytes)).collect();
        for (name, _) in secrets() {
            assert!(all.contains(&name), "no sample holds {name}");
        }
    }
}
