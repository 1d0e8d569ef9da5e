//! Content with files, and places: as objects and as text.

use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Album, Location, album_item};
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::{Media, Purpose};
use serde_json::{Value, json};

use super::kind_name;
use crate::text::{harmless, hex, one_line, size};

/// Bars of the picture of a voice note.
const BARS: usize = 16;

/// For programs; none if it is of another kind.
pub fn object(kind: &Kind) -> Option<Value> {
    Some(match kind {
        Kind::Image(image) => json!({
            "kind": "image", "media": of_file(image.media.as_ref()), "caption": image.caption,
        }),
        Kind::File(file) => json!({
            "kind": "file", "media": of_file(file.media.as_ref()), "caption": file.caption,
        }),
        Kind::Voice(voice) => json!({ "kind": "voice", "media": of_file(voice.media.as_ref()) }),
        Kind::Video(video) => json!({
            "kind": "video", "media": of_file(video.media.as_ref()), "caption": video.caption,
            "poster": of_file(video.poster.as_ref()),
        }),
        Kind::Album(album) => json!({ "kind": "album", "items": items(album), "caption": album.caption }),
        Kind::Location(place) => json!({
            "kind": "location", "latitude": place.latitude, "longitude": place.longitude,
            "accuracy_metres": place.accuracy_metres, "name": place.name, "address": place.address,
        }),
        Kind::SetAvatar(set) => json!({ "kind": "set_avatar", "media": of_file(set.media.as_ref()) }),
        _ => return None,
    })
}

fn items(album: &Album) -> Vec<Value> {
    let items = album.items.iter().filter_map(|item| item.kind.as_ref());
    items
        .map(|item| match item {
            album_item::Kind::Image(image) => {
                json!({ "kind": "image", "media": of_file(image.media.as_ref()) })
            }
            album_item::Kind::Video(video) => json!({
                "kind": "video", "media": of_file(video.media.as_ref()), "poster": of_file(video.poster.as_ref()),
            }),
        })
        .collect()
}

fn of_file(media: Option<&Media>) -> Value {
    media.map_or(Value::Null, file)
}

/// What is known of a file, for programs.
pub fn file(media: &Media) -> Value {
    let mut object = json!({
        "id": media.id,
        "name": media.name,
        "media_type": media.media_type,
        "size": media.size,
        "sha256": hex(&media.sha256),
        "purpose": kind_name(Purpose::try_from(media.purpose).unwrap_or_default().as_str_name(), "PURPOSE_"),
    });
    let preview = match &media.preview {
        Some(Preview::Image(image)) => json!({
            "width": image.width, "height": image.height, "animated": image.animated,
            "thumbhash": hex(&image.thumbhash),
            "thumbnails": image.thumbnails.iter().map(|thumbnail| json!({
                "variant": kind_name(thumbnail.variant().as_str_name(), "VARIANT_"),
                "width": thumbnail.width, "height": thumbnail.height, "size": thumbnail.size,
            })).collect::<Vec<_>>(),
        }),
        Some(Preview::Audio(audio)) => json!({
            "seconds": seconds(audio.duration), "waveform": hex(&audio.waveform),
        }),
        Some(Preview::Video(video)) => json!({
            "seconds": seconds(video.duration), "width": video.width, "height": video.height,
        }),
        None => json!({}),
    };
    if let (Some(object), Value::Object(preview)) = (object.as_object_mut(), preview) {
        object.extend(preview);
    }
    object
}

/// For people: what a message says instead of a text; none if it is of another kind.
pub fn text(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::Image(image) => with_caption(&described("picture", image.media.as_ref()), &image.caption),
        Kind::File(file) => with_caption(&described("file", file.media.as_ref()), &file.caption),
        Kind::Voice(voice) => described("voice note", voice.media.as_ref()),
        Kind::Video(video) => with_caption(&described("video", video.media.as_ref()), &video.caption),
        Kind::Album(album) => album_text(album),
        Kind::Location(place) => location(place),
        _ => return None,
    })
}

/// For people: what somebody did; none if it is of another kind.
pub fn deed(sender: &str, kind: &Kind) -> Option<String> {
    let Kind::SetAvatar(set) = kind else { return None };
    Some(match &set.media {
        Some(media) => format!("{sender} gave the group another picture ({})", one_line(&media.id)),
        None => format!("{sender} took the group's picture away"),
    })
}

fn album_text(album: &Album) -> String {
    let items = album.items.iter().filter_map(|item| item.kind.as_ref()).map(|item| match item {
        album_item::Kind::Image(image) => described("picture", image.media.as_ref()),
        album_item::Kind::Video(video) => described("video", video.media.as_ref()),
    });
    let mut text = with_caption(&format!("[album of {}]", album.items.len()), &album.caption);
    for item in items {
        text.push('\n');
        text.push_str(&item);
    }
    text
}

fn with_caption(what: &str, caption: &str) -> String {
    if caption.is_empty() { what.to_owned() } else { format!("{what} {}", harmless(caption)) }
}

fn location(place: &Location) -> String {
    let (latitude, longitude) = (place.latitude, place.longitude);
    let name = if place.name.is_empty() { String::new() } else { format!(" {}", one_line(&place.name)) };
    let address =
        if place.address.is_empty() { String::new() } else { format!(" {}", one_line(&place.address)) };
    format!("[place{name}, geo:{latitude},{longitude}]{address}")
}

/// What it is, what it is called, how large, and its id, by which it can be had.
pub fn described(what: &str, media: Option<&Media>) -> String {
    let Some(media) = media else { return format!("[{what}]") };
    let mut said = vec![what.to_owned()];
    if !media.name.is_empty() {
        said[0] = format!("{what} {}", one_line(&media.name));
    }
    match &media.preview {
        Some(Preview::Image(image)) => said.push(format!("{}x{}", image.width, image.height)),
        Some(Preview::Audio(audio)) => {
            said.push(clock(audio.duration));
            said.push(bars(&audio.waveform));
        }
        Some(Preview::Video(video)) => {
            said.push(clock(video.duration));
            said.push(format!("{}x{}", video.width, video.height));
        }
        None => {}
    }
    said.push(size(media.size));
    said.push(one_line(&media.id));
    format!("[{}]", said.join(", "))
}

/// Eight heights, from silence to the loudest part.
fn bars(waveform: &[u8]) -> String {
    let each = waveform.len().div_ceil(BARS).max(1);
    let loudest = waveform.chunks(each).map(|part| part.iter().copied().max().unwrap_or_default());
    loudest.filter_map(|level| char::from_u32(0x2581 + u32::from(level) / 32)).collect()
}

fn seconds(duration: Option<prost_types::Duration>) -> f64 {
    duration.map_or(0.0, |duration| duration.seconds as f64 + f64::from(duration.nanos) / 1e9)
}

fn clock(duration: Option<prost_types::Duration>) -> String {
    let seconds = duration.map_or(0, |duration| duration.seconds + i64::from(duration.nanos >= 500_000_000));
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::{AlbumItem, File, Image, SetAvatar, Voice};
    use parlor_wire::media::v1::{AudioInfo, ImageInfo};

    use super::*;

    fn picture() -> Media {
        let info = ImageInfo { width: 4032, height: 3024, ..ImageInfo::default() };
        Media {
            id: "an-id".into(),
            name: "sea\u{1b}.jpg".into(),
            size: 3_250_000,
            sha256: vec![0xab, 1].into(),
            preview: Some(Preview::Image(info)),
            ..Media::default()
        }
    }

    #[test]
    fn a_line_says_what_it_is_and_how_to_get_it() {
        let image = Image { media: Some(picture()), caption: "look\u{7}".into() };
        let shown = "[picture sea\u{241b}.jpg, 4032x3024, 3.2 MB, an-id]";
        assert_eq!(text(&Kind::Image(image.clone())).unwrap(), format!("{shown} look\u{2407}"));
        let item = AlbumItem { kind: Some(album_item::Kind::Image(image)) };
        let album = Album { items: vec![item.clone(), item], caption: "two".into() };
        assert_eq!(text(&Kind::Album(album)).unwrap(), format!("[album of 2] two\n{shown}\n{shown}"));
        let duration = Some(prost_types::Duration { seconds: 61, nanos: 600_000_000 });
        let audio = AudioInfo { duration, waveform: vec![0, 40, 255, 128].into() };
        let voice =
            Media { id: "v".into(), size: 999, preview: Some(Preview::Audio(audio)), ..Media::default() };
        assert_eq!(
            text(&Kind::Voice(Voice { media: Some(voice) })).unwrap(),
            "[voice note, 1:02, ▁▂█▅, 999 B, v]"
        );
        let place =
            Location { latitude: 52.5, longitude: 13.25, name: "Café".into(), ..Location::default() };
        assert_eq!(text(&Kind::Location(place)).unwrap(), "[place Café, geo:52.5,13.25]");
        assert_eq!(text(&Kind::File(File::default())).unwrap(), "[file]");
    }

    #[test]
    fn a_group_s_picture_comes_and_goes() {
        let set = |media| deed("ada", &Kind::SetAvatar(SetAvatar { media })).unwrap();
        assert_eq!(set(Some(picture())), "ada gave the group another picture (an-id)");
        assert_eq!(set(None), "ada took the group's picture away");
    }

    #[test]
    fn objects_name_the_file_and_what_there_is_to_show() {
        let image = Kind::Image(Image { media: Some(picture()), caption: "look".into() });
        let object = object(&image).unwrap();
        assert_eq!((&object["kind"], &object["caption"]), (&json!("image"), &json!("look")));
        let media = &object["media"];
        assert_eq!(
            (&media["id"], &media["width"], &media["sha256"]),
            (&json!("an-id"), &json!(4032), &json!("ab01"))
        );
        let none = super::object(&Kind::File(File::default())).unwrap();
        assert_eq!(none["media"], Value::Null);
    }
}
