//! Content with files, and places, for programs.

use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Album, album_item};
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::{Media, Purpose};
use serde_json::{Value, json};

use super::kind_name;
use crate::text::hex;

/// None if it is of another kind.
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

fn seconds(duration: Option<prost_types::Duration>) -> f64 {
    duration.map_or(0.0, |duration| duration.seconds as f64 + f64::from(duration.nanos) / 1e9)
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::{File, Image};
    use parlor_wire::media::v1::ImageInfo;

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
