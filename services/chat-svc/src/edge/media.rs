//! Content with files, and places, in both directions.

use bytes::Bytes;
use parlor_types::{DisplayName, MediaId, has_control, limits};
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::album_item::Kind as ItemKind;
use parlor_wire::chat::v1::content::Kind as WireKind;
use parlor_wire::media::v1 as media_wire;
use parlor_wire::{Invalid, id};
use prost::Message as _;

use crate::conversation::{AlbumItem, Content, Description, Location, Media, Purpose, Video};

/// As a client sends it, files by their ids alone; `None` if it is of another kind.
pub(super) fn from_client(kind: &WireKind) -> Option<Result<Content, Invalid>> {
    Some(match kind {
        WireKind::Image(image) => captioned("content.image", image.media.as_ref(), &image.caption)
            .map(|(media, caption)| Content::Image { media, caption }),
        WireKind::File(file) => captioned("content.file", file.media.as_ref(), &file.caption)
            .map(|(media, caption)| Content::File { media, caption }),
        WireKind::Voice(voice) => named("content.voice.media", voice.media.as_ref()).map(Content::Voice),
        WireKind::Video(video) => caption("content.video.caption", &video.caption).and_then(|caption| {
            Ok(Content::Video { video: named_video("content.video", video)?, caption: caption.to_owned() })
        }),
        WireKind::Album(album) => from_album(album),
        WireKind::Location(location) => from_location(location).map(Content::Location),
        WireKind::SetAvatar(set) => {
            let media = set.media.as_ref();
            let media = media.map(|media| named("content.set_avatar.media", Some(media))).transpose();
            media.map(Content::SetAvatar)
        }
        _ => return None,
    })
}

fn captioned(path: &str, media: Option<&media_wire::Media>, text: &str) -> Result<(Media, String), Invalid> {
    let media = named(&format!("{path}.media"), media)?;
    let caption = caption(&format!("{path}.caption"), text)?;
    Ok((media, caption.to_owned()))
}

fn named(path: &str, media: Option<&media_wire::Media>) -> Result<Media, Invalid> {
    let media = media.ok_or_else(|| Invalid::field(path, "must be set"))?;
    id::<MediaId>(&format!("{path}.id"), &media.id).map(Media::named)
}

fn named_video(path: &str, video: &wire::Video) -> Result<Video, Invalid> {
    let media = named(&format!("{path}.media"), video.media.as_ref())?;
    let poster = video.poster.as_ref().map(|poster| named(&format!("{path}.poster"), Some(poster)));
    Ok(Video { media, poster: poster.transpose()? })
}

fn caption<'a>(field: &str, text: &'a str) -> Result<&'a str, Invalid> {
    if text.len() > limits::MAX_CAPTION_BYTES {
        return Err(Invalid::field(field, format!("must be at most {} bytes", limits::MAX_CAPTION_BYTES)));
    }
    if has_control(text) {
        return Err(Invalid::field(field, "must not have control characters besides line feed and tab"));
    }
    Ok(text)
}

fn from_album(album: &wire::Album) -> Result<Content, Invalid> {
    if !limits::ALBUM_ITEMS.contains(&album.items.len()) {
        let (least, most) = (limits::ALBUM_ITEMS.start(), limits::ALBUM_ITEMS.end());
        return Err(Invalid::field("content.album.items", format!("must be {least} to {most}")));
    }
    let items = album.items.iter().enumerate().map(|(index, item)| {
        let path = format!("content.album.items[{index}]");
        let bare = |path: &str, caption: &str| match caption {
            "" => Ok(()),
            _ => Err(Invalid::field(format!("{path}.caption"), "must be empty: the album has one for all")),
        };
        match &item.kind {
            Some(ItemKind::Image(image)) => {
                let path = format!("{path}.image");
                bare(&path, &image.caption)?;
                named(&format!("{path}.media"), image.media.as_ref()).map(AlbumItem::Image)
            }
            Some(ItemKind::Video(video)) => {
                let path = format!("{path}.video");
                bare(&path, &video.caption)?;
                named_video(&path, video).map(AlbumItem::Video)
            }
            None => Err(Invalid::field(format!("{path}.kind"), "must be an image or a video")),
        }
    });
    let items = items.collect::<Result<_, _>>()?;
    let caption = caption("content.album.caption", &album.caption)?.to_owned();
    Ok(Content::Album { items, caption })
}

fn from_location(location: &wire::Location) -> Result<Location, Invalid> {
    // A range contains no NaN.
    let within = |name, value: f64, least: f64, most: f64| {
        let inside = (least..=most).contains(&value);
        let fault = || {
            let field = format!("content.location.{name}");
            Invalid::field(field, format!("must be a number from {least} to {most}"))
        };
        inside.then_some(value).ok_or_else(fault)
    };
    let name = match location.name.as_str() {
        "" => String::new(),
        text => DisplayName::new(text, limits::MAX_PLACE_NAME)
            .map(|name| name.as_str().to_owned())
            .map_err(|rule| Invalid::field("content.location.name", rule.to_string()))?,
    };
    let address = &location.address;
    if address.chars().count() > limits::MAX_PLACE_ADDRESS || has_control(address) {
        let rule = format!(
            "must be at most {} characters, without control characters but line feed and tab",
            limits::MAX_PLACE_ADDRESS
        );
        return Err(Invalid::field("content.location.address", rule));
    }
    Ok(Location {
        latitude: within("latitude", location.latitude, -90.0, 90.0)?,
        longitude: within("longitude", location.longitude, -180.0, 180.0)?,
        accuracy_metres: within(
            "accuracy_metres",
            location.accuracy_metres,
            0.0,
            limits::MAX_ACCURACY_METRES,
        )?,
        name,
        address: address.clone(),
    })
}

/// As it was stored; `None` if it is of another kind, or not what this service stores.
pub(super) fn from_stored(kind: &WireKind) -> Option<Content> {
    Some(match kind {
        WireKind::Image(image) => {
            Content::Image { media: stored(image.media.as_ref())?, caption: image.caption.clone() }
        }
        WireKind::File(file) => {
            Content::File { media: stored(file.media.as_ref())?, caption: file.caption.clone() }
        }
        WireKind::Voice(voice) => Content::Voice(stored(voice.media.as_ref())?),
        WireKind::Video(video) => {
            Content::Video { video: stored_video(video)?, caption: video.caption.clone() }
        }
        WireKind::Album(album) => {
            let items = album.items.iter().map(|item| match item.kind.as_ref()? {
                ItemKind::Image(image) => stored(image.media.as_ref()).map(AlbumItem::Image),
                ItemKind::Video(video) => stored_video(video).map(AlbumItem::Video),
            });
            Content::Album { items: items.collect::<Option<_>>()?, caption: album.caption.clone() }
        }
        WireKind::Location(location) => Content::Location(Location {
            latitude: location.latitude,
            longitude: location.longitude,
            accuracy_metres: location.accuracy_metres,
            name: location.name.clone(),
            address: location.address.clone(),
        }),
        WireKind::SetAvatar(set) => Content::SetAvatar(match &set.media {
            Some(media) => Some(described(media)?),
            None => None,
        }),
        _ => return None,
    })
}

fn stored(media: Option<&media_wire::Media>) -> Option<Media> {
    described(media?)
}

fn stored_video(video: &wire::Video) -> Option<Video> {
    let poster = match &video.poster {
        Some(poster) => Some(described(poster)?),
        None => None,
    };
    Some(Video { media: stored(video.media.as_ref())?, poster })
}

/// A file as media-svc describes it; `None` if that says nothing that this release understands.
#[must_use]
pub fn described(media: &media_wire::Media) -> Option<Media> {
    let purpose = match media.purpose() {
        media_wire::Purpose::Image => Purpose::Image,
        media_wire::Purpose::File => Purpose::File,
        media_wire::Purpose::Voice => Purpose::Voice,
        media_wire::Purpose::Video => Purpose::Video,
        media_wire::Purpose::Avatar => Purpose::Avatar,
        media_wire::Purpose::Unspecified => return None,
    };
    let description = Description { purpose, encoded: media.encode_to_vec().into() };
    Some(Media { description: Some(description), ..Media::named(id("", &media.id).ok()?) })
}

/// A file for those who may have it.
pub(super) fn media(media: &Media) -> media_wire::Media {
    match &media.description {
        Some(Description { encoded, .. }) => media_wire::Media::decode(Bytes::clone(encoded))
            .expect("a description is what this file has encoded"),
        None => media_wire::Media { id: media.id.to_string(), ..media_wire::Media::default() },
    }
}

pub(super) fn image(picture: &Media, caption: &str) -> wire::Image {
    wire::Image { media: Some(media(picture)), caption: caption.to_owned() }
}

pub(super) fn file(file: &Media, caption: &str) -> wire::File {
    wire::File { media: Some(media(file)), caption: caption.to_owned() }
}

pub(super) fn voice(note: &Media) -> wire::Voice {
    wire::Voice { media: Some(media(note)) }
}

pub(super) fn video(video: &Video, caption: &str) -> wire::Video {
    wire::Video {
        media: Some(media(&video.media)),
        caption: caption.to_owned(),
        poster: video.poster.as_ref().map(media),
    }
}

pub(super) fn album(items: &[AlbumItem], caption: &str) -> wire::Album {
    let kind = |item: &AlbumItem| match item {
        AlbumItem::Image(picture) => ItemKind::Image(image(picture, "")),
        AlbumItem::Video(clip) => ItemKind::Video(video(clip, "")),
    };
    let items = items.iter().map(|item| wire::AlbumItem { kind: Some(kind(item)) }).collect();
    wire::Album { items, caption: caption.to_owned() }
}

pub(super) fn location(location: &Location) -> wire::Location {
    wire::Location {
        latitude: location.latitude,
        longitude: location.longitude,
        accuracy_metres: location.accuracy_metres,
        name: location.name.clone(),
        address: location.address.clone(),
    }
}

/// The content with nothing of its files but their ids: what a client means, whatever else it may have copied.
pub(super) fn by_ids(mut content: wire::Content) -> wire::Content {
    for media in content.kind.iter_mut().flat_map(WireKind::media_mut) {
        *media = media_wire::Media { id: std::mem::take(&mut media.id), ..media_wire::Media::default() };
    }
    content
}
