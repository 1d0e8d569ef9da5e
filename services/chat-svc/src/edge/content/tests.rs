//! One value of every kind: what the domain says of it and what its form on the wire says of it are the same.

use std::collections::BTreeSet;

use parlor_types::{Id as _, MediaId};
use parlor_wire::media::v1 as media_wire;

use super::*;
use crate::conversation::{AlbumItem, Location, Media, Video};

fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

fn media(number: u8, purpose: media_wire::Purpose) -> Media {
    let id = MediaId::from_bytes([number; 16]).to_string();
    let described = media_wire::Media { id, purpose: purpose.into(), ..media_wire::Media::default() };
    media::described(&described).unwrap()
}

fn image(number: u8) -> Media {
    media(number, media_wire::Purpose::Image)
}

fn video(number: u8) -> Video {
    Video { media: media(number, media_wire::Purpose::Video), poster: Some(image(number + 1)) }
}

/// The kind after this one: a new kind does not compile without a place here.
fn next(content: &Content) -> Option<Content> {
    let caption = || "seen".to_owned();
    Some(match content {
        Content::Created { .. } => Content::Text("said".to_owned()),
        Content::Text(_) => Content::Add(vec![user(2)]),
        Content::Add(_) => Content::Remove(vec![user(2), user(3)]),
        Content::Remove(_) => Content::Leave(Some(user(2))),
        Content::Leave(_) => Content::Rename("Group".to_owned()),
        Content::Rename(_) => Content::Settings(Settings { history_visibility: HistoryVisibility::All }),
        Content::Settings(_) => Content::SetRole(user(2), Role::Admin),
        Content::SetRole(..) => Content::Image { media: image(1), caption: caption() },
        Content::Image { .. } => {
            Content::File { media: media(2, media_wire::Purpose::File), caption: caption() }
        }
        Content::File { .. } => Content::Voice(media(3, media_wire::Purpose::Voice)),
        Content::Voice(_) => Content::Video { video: video(4), caption: caption() },
        Content::Video { .. } => Content::Album {
            items: vec![AlbumItem::Image(image(6)), AlbumItem::Video(video(7))],
            caption: caption(),
        },
        Content::Album { .. } => Content::Location(Location {
            latitude: 52.5,
            longitude: -13.25,
            accuracy_metres: 10.0,
            name: "Place".to_owned(),
            address: "1 Street".to_owned(),
        }),
        Content::Location(_) => Content::SetAvatar(Some(media(9, media_wire::Purpose::Avatar))),
        Content::SetAvatar(_) => Content::Edit("edited".to_owned()),
        Content::Edit(_) => Content::Delete,
        Content::Delete => Content::Deleted(user(4)),
        Content::Deleted(_) => Content::Withheld(Withheld::SenderBlocked),
        Content::Withheld(_) => return None,
    })
}

fn kinds() -> impl Iterator<Item = Content> {
    let created = Content::Created {
        kind: Kind::Group,
        name: "Group".to_owned(),
        members: vec![user(1), user(2)],
        settings: Settings { history_visibility: HistoryVisibility::All },
    };
    std::iter::successors(Some(created), next)
}

#[test]
fn what_is_stored_comes_back_as_it_was() {
    for content in kinds() {
        let is_stored = !matches!(content, Content::Withheld(_));
        assert_eq!(from_stored(&to_wire(&content)), is_stored.then_some(content));
    }
}

#[test]
fn every_kind_is_on_the_wire_what_it_is_in_the_domain() {
    for content in kinds() {
        let kind = to_wire(&content).kind.unwrap();
        assert_eq!(kind.is_message(), content.is_message(), "{content:?}");
        let on_wire: BTreeSet<String> = kind.media().into_iter().map(|media| media.id.clone()).collect();
        let in_domain: BTreeSet<String> = content.media_ids().iter().map(MediaId::to_string).collect();
        assert_eq!(on_wire, in_domain, "{content:?}");
        let has_text = content.text_kind().is_some();
        assert_eq!(kind.words().is_some(), has_text, "{content:?}");
        let edited = to_wire(&content.clone().edited("other")).kind.unwrap();
        assert_eq!(edited.words().is_some_and(|words| words == "other"), has_text, "{content:?}");
    }
}
