//! Content with files, and places, in both directions: as a client sends it (`from_…`), where files have nothing but their
//! ids; as it was stored (`stored_…`), `None` if that is not what this service stores; and as it is sent.

use bytes::Bytes;
use parlor_types::{DisplayName, MediaId, has_control, limits};
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::album_item::Kind as ItemKind;
use parlor_wire::chat::v1::content::Kind as WireKind;
use parlor_wire::media::v1 as media_wire;
use parlor_wire::{Invalid, id};
use prost::Message as _;

use crate::conversation::{AlbumItem, Content, Description, Location, Media, Purpose, Video};

pub(super) fn from_image(image: &wire::Image) -> Result<Content, Invalid> {
    let (media, caption) = captioned("content.image", image.media.as_ref(), &image.caption)?;
    Ok(Content::Image { media, caption })
}

pub(super) fn from_file(file: &wire::File) -> Result<Content, Invalid> {
    let (media, caption) = captioned("content.file", file.media.as_ref(), &file.caption)?;
    Ok(Content::File { media, caption })
}

pub(super) fn from_voice(voice: &wire::Voice) -> Result<Content, Invalid> {
    named("content.voice.media", voice.media.as_ref()).map(Content::Voice)
}

pub(super) fn from_video(video: &wire::Video) -> Result<Content, Invalid> {
    let caption = caption("content.video.caption", &video.caption)?.to_owned();
    Ok(Content::Video { video: named_video("content.video", video)?, caption })
}

pub(super) fn from_set_avatar(set: &wire::SetAvatar) -> Result<Content, Invalid> {
    let media = set.media.as_ref().map(|media| named("content.set_avatar.media", Some(media)));
    media.transpose().map(Content::SetAvatar)
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

pub(super) fn from_album(album: &wire::Album) -> Result<Content, Invalid> {
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

pub(super) fn from_location(location: &wire::Location) -> Result<Content, Invalid> {
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
    Ok(Content::Location(Location {
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
    }))
}

pub(super) fn stored_image(image: &wire::Image) -> Option<Content> {
    Some(Content::Image { media: stored(image.media.as_ref())?, caption: image.caption.clone() })
}

pub(super) fn stored_file(file: &wire::File) -> Option<Content> {
    Some(Content::File { media: stored(file.media.as_ref())?, caption: file.caption.clone() })
}

pub(super) fn stored_voice(voice: &wire::Voice) -> Option<Content> {
    stored(voice.media.as_ref()).map(Content::Voice)
}

pub(super) fn stored_video(video: &wire::Video) -> Option<Content> {
    Some(Content::Video { video: stored_clip(video)?, caption: video.caption.clone() })
}

pub(super) fn stored_album(album: &wire::Album) -> Option<Content> {
    let items = album.items.iter().map(|item| match item.kind.as_ref()? {
        ItemKind::Image(image) => stored(image.media.as_ref()).map(AlbumItem::Image),
        ItemKind::Video(video) => stored_clip(video).map(AlbumItem::Video),
    });
    Some(Content::Album { items: items.collect::<Option<_>>()?, caption: album.caption.clone() })
}

pub(super) fn stored_location(location: &wire::Location) -> Content {
    Content::Location(Location {
        latitude: location.latitude,
        longitude: location.longitude,
        accuracy_metres: location.accuracy_metres,
        name: location.name.clone(),
        address: location.address.clone(),
    })
}

pub(super) fn stored_set_avatar(set: &wire::SetAvatar) -> Option<Content> {
    Some(Content::SetAvatar(match &set.media {
        Some(media) => Some(described(media)?),
        None => None,
    }))
}

fn stored(media: Option<&media_wire::Media>) -> Option<Media> {
    described(media?)
}

fn stored_clip(video: &wire::Video) -> Option<Video> {
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
