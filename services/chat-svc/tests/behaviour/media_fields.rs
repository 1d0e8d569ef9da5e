//! What is wrong with content that has files or places in it is said exactly.

use parlor_testkit::compose;
use parlor_types::MediaId;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Album, AlbumItem, File, Image, Location, SetAvatar, Video, Voice, album_item};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::Media;
use parlor_wire::reason::from_status;

use crate::support::Scene;

fn some() -> Option<Media> {
    Some(Media { id: MediaId::new().to_string(), ..Media::default() })
}

fn bad() -> Option<Media> {
    Some(Media { id: "picture.jpg".to_owned(), ..Media::default() })
}

fn image(media: Option<Media>, caption: &str) -> Image {
    Image { media, caption: caption.to_owned() }
}

fn video(media: Option<Media>, caption: &str, poster: Option<Media>) -> Video {
    Video { media, caption: caption.to_owned(), poster }
}

fn album(items: Vec<Option<album_item::Kind>>) -> Kind {
    let items = items.into_iter().map(|kind| AlbumItem { kind }).collect();
    Kind::Album(Album { items, caption: String::new() })
}

/// Each wrong in one thing, with the path of that.
fn wrong() -> Vec<(Kind, &'static str)> {
    let long = "x".repeat(4097);
    let picture = || Some(album_item::Kind::Image(image(some(), "")));
    let with = |item: album_item::Kind| album(vec![picture(), Some(item)]);
    let of_image = |media, caption: &str| with(album_item::Kind::Image(image(media, caption)));
    let of_video = |video| with(album_item::Kind::Video(video));
    let whole = album((0..2).map(|_| picture()).collect());
    let Kind::Album(whole) = whole else { unreachable!("an album") };
    vec![
        (Kind::Image(image(None, "")), "content.image.media"),
        (Kind::Image(image(bad(), "")), "content.image.media.id"),
        (Kind::Image(image(some(), &long)), "content.image.caption"),
        (Kind::Image(image(some(), "bell\u{7}")), "content.image.caption"),
        (Kind::File(File { media: None, caption: String::new() }), "content.file.media"),
        (Kind::File(File { media: some(), caption: long.clone() }), "content.file.caption"),
        (Kind::Voice(Voice { media: None }), "content.voice.media"),
        (Kind::Voice(Voice { media: bad() }), "content.voice.media.id"),
        (Kind::Video(video(None, "", None)), "content.video.media"),
        (Kind::Video(video(some(), &long, None)), "content.video.caption"),
        (Kind::Video(video(some(), "", bad())), "content.video.poster.id"),
        (album(vec![]), "content.album.items"),
        (album(vec![picture()]), "content.album.items"),
        (album((0..11).map(|_| picture()).collect()), "content.album.items"),
        (album(vec![picture(), None]), "content.album.items[1].kind"),
        (of_image(None, ""), "content.album.items[1].image.media"),
        (of_image(bad(), ""), "content.album.items[1].image.media.id"),
        (of_image(some(), "its own"), "content.album.items[1].image.caption"),
        (of_video(video(some(), "its own", None)), "content.album.items[1].video.caption"),
        (of_video(video(bad(), "", None)), "content.album.items[1].video.media.id"),
        (of_video(video(some(), "", bad())), "content.album.items[1].video.poster.id"),
        (Kind::Album(Album { caption: long, ..whole }), "content.album.caption"),
        (Kind::SetAvatar(SetAvatar { media: bad() }), "content.set_avatar.media.id"),
        (Kind::SetAvatar(SetAvatar { media: Some(Media::default()) }), "content.set_avatar.media.id"),
    ]
}

/// The same of places.
fn nowhere() -> Vec<(Kind, &'static str)> {
    let place = Location::default();
    let mut wrong = Vec::new();
    for no_number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        wrong.push((Location { latitude: no_number, ..place.clone() }, "latitude"));
        wrong.push((Location { longitude: no_number, ..place.clone() }, "longitude"));
        wrong.push((Location { accuracy_metres: no_number, ..place.clone() }, "accuracy_metres"));
    }
    wrong.extend([
        (Location { latitude: 90.000_001, ..place.clone() }, "latitude"),
        (Location { latitude: -90.000_001, ..place.clone() }, "latitude"),
        (Location { longitude: 180.000_001, ..place.clone() }, "longitude"),
        (Location { longitude: -180.000_001, ..place.clone() }, "longitude"),
        (Location { accuracy_metres: -0.1, ..place.clone() }, "accuracy_metres"),
        (Location { accuracy_metres: 100_000.1, ..place.clone() }, "accuracy_metres"),
        (Location { name: "ü".repeat(101), ..place.clone() }, "name"),
        (Location { name: "two\nlines".to_owned(), ..place.clone() }, "name"),
        (Location { address: "ü".repeat(301), ..place.clone() }, "address"),
        (Location { address: "bell\u{7}".to_owned(), ..place }, "address"),
    ]);
    let path = |field| match field {
        "latitude" => "content.location.latitude",
        "longitude" => "content.location.longitude",
        "accuracy_metres" => "content.location.accuracy_metres",
        "name" => "content.location.name",
        _ => "content.location.address",
    };
    wrong.into_iter().map(|(location, field)| (Kind::Location(location), path(field))).collect()
}

#[tokio::test]
async fn fields_of_files_and_places_are_named() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    for (kind, field) in wrong().into_iter().chain(nowhere()) {
        let problem = from_status(&ada.append(&compose::append(&tea, 1, kind.clone())).await.unwrap_err());
        assert_eq!(problem.reason(), ErrorReason::FieldInvalid, "{kind:?}");
        let fields: Vec<&str> = problem.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, [format!("append.{field}")], "{kind:?}");
    }
    assert!(scene.media.claims().is_empty(), "nobody is asked of what is malformed");
    let farthest = Location {
        latitude: -90.0,
        longitude: 180.0,
        accuracy_metres: 100_000.0,
        name: "ü".repeat(100),
        address: "ü".repeat(300),
    };
    assert_eq!(ada.append(&compose::append(&tea, 1, Kind::Location(farthest))).await.unwrap().seq, 2);
    let picture = scene.upload(&ada, parlor_wire::media::v1::Purpose::Image);
    let most = Kind::Image(image(Some(picture), &"x".repeat(4096)));
    assert_eq!(ada.append(&compose::append(&tea, 1, most)).await.unwrap().seq, 3);
}
