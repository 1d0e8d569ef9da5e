//! Files, places and pictures of groups in entries: claimed, described, stored, read back.

use parlor_testkit::{Mood, StreamClient, compose, eventually, reason};
use parlor_types::MediaId;
use parlor_wire::chat::v1::append_result::Outcome;
use parlor_wire::chat::v1::client_frame::Kind as ClientKind;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::list_messages_request::Conversation as Listed;
use parlor_wire::chat::v1::server_frame::Kind as ServerKind;
use parlor_wire::chat::v1::{
    Album, AlbumItem, Append, Entry, File, Image, ListMessagesRequest, Location, SetAvatar, Video, Voice,
    album_item,
};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::media::v1::r#use::Place;
use parlor_wire::internal::media::v1::{ClaimRequest, EntryUse, ReleaseRequest, Use};
use parlor_wire::media::v1::{Media, Purpose};
use parlor_wire::reason::from_status;

use crate::media_access::Internal;
use crate::support::{Scene, User, outcome, seqs};

/// What a client sends of a file: its id alone.
fn named(media: &Media) -> Option<Media> {
    Some(Media { id: media.id.clone(), ..Media::default() })
}

pub fn image(media: &Media) -> Kind {
    Kind::Image(Image { media: named(media), caption: String::new() })
}

fn avatar(media: Option<&Media>) -> Kind {
    Kind::SetAvatar(SetAvatar { media: media.and_then(named) })
}

impl Scene {
    pub fn upload(&self, owner: &User, purpose: Purpose) -> Media {
        self.media.upload(owner.person.caller.user_id, purpose)
    }
}

/// Everything that a file can be in, once as it is sent and once as it is read.
fn all_kinds(scene: &Scene, owner: &User) -> Vec<(Kind, Kind)> {
    let [picture, file, voice, film, still] =
        [Purpose::Image, Purpose::File, Purpose::Voice, Purpose::Video, Purpose::Image]
            .map(|purpose| scene.upload(owner, purpose));
    let caption = || "under it\nand more".to_owned();
    let kinds = |of: &dyn Fn(&Media) -> Option<Media>| {
        let video = |caption| Video { media: of(&film), caption, poster: of(&still) };
        let item = |kind| AlbumItem { kind: Some(kind) };
        let items = vec![
            item(album_item::Kind::Image(Image { media: of(&picture), caption: String::new() })),
            item(album_item::Kind::Video(video(String::new()))),
            item(album_item::Kind::Image(Image { media: of(&picture), caption: String::new() })),
        ];
        vec![
            Kind::Image(Image { media: of(&picture), caption: caption() }),
            Kind::File(File { media: of(&file), caption: caption() }),
            Kind::File(File { media: of(&picture), caption: String::new() }),
            Kind::Voice(Voice { media: of(&voice) }),
            Kind::Video(video(caption())),
            Kind::Video(Video { media: of(&film), caption: String::new(), poster: None }),
            Kind::Album(Album { items, caption: caption() }),
        ]
    };
    kinds(&named).into_iter().zip(kinds(&|media| Some(media.clone()))).collect()
}

fn kind(entry: &Entry) -> Kind {
    entry.content.clone().and_then(|content| content.kind).expect("content")
}

#[tokio::test]
async fn every_kind_is_the_same_live_fetched_listed_and_after_a_restart() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut kinds = all_kinds(&scene, &ada);
    let place = Location {
        latitude: -33.8568,
        longitude: 151.2153,
        accuracy_metres: 12.5,
        name: "Opera House".to_owned(),
        address: "Bennelong Point\nSydney".to_owned(),
    };
    kinds.push((Kind::Location(place.clone()), Kind::Location(place)));
    let messages = kinds.len() as u64;
    let face = scene.upload(&ada, Purpose::Avatar);
    kinds.push((avatar(Some(&face)), Kind::SetAvatar(SetAvatar { media: Some(face.clone()) })));
    let mut live = ben.stream().await;
    for (sent, _) in &kinds {
        ada.does(&tea, sent.clone()).await.expect("it is stored");
    }
    let stored: Vec<Kind> = kinds.into_iter().map(|(_, stored)| stored).collect();
    for expected in &stored {
        assert_eq!(kind(&live.event().await), *expected, "live");
    }
    let row = ben.row(&tea).await.unwrap();
    assert_eq!((row.unread, row.head), (messages, messages + 2), "the picture of the group is no message");
    assert_eq!(row.avatar, Some(face));
    assert_eq!(kind(row.last_message.as_ref().unwrap()), stored[stored.len() - 2]);
    let fetched = |log: Vec<Entry>| log.iter().skip(1).map(kind).collect::<Vec<_>>();
    assert_eq!(fetched(ben.log(&tea).await.unwrap()), stored, "fetched");
    let request =
        ListMessagesRequest { conversation: Some(Listed::ConversationId(tea.clone())), ..Default::default() };
    let listed = ben.chat.clone().list_messages(request).await.unwrap().into_inner().messages;
    let listed = listed.iter().filter_map(|message| message.entry.as_ref());
    let mut listed: Vec<Kind> = listed.filter(|entry| entry.seq > 1).map(kind).collect();
    listed.reverse();
    assert_eq!(listed, stored, "listed");

    let person = ben.person.clone();
    let scene = scene.restart(None, |_| {}).await;
    let ben = scene.session(person).await;
    assert_eq!(fetched(ben.log(&tea).await.unwrap()), stored, "after a restart");
}

#[tokio::test]
async fn files_are_claimed_before_the_entry_is_stored() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let picture = scene.upload(&ada, Purpose::Image);
    let append = compose::append(&tea, 1, image(&picture));
    assert_eq!(ada.append(&append).await.unwrap().seq, 2);
    let entry = EntryUse { conversation_id: tea.clone(), op: append.op.clone() };
    let claim = ClaimRequest {
        user_id: ada.id(),
        r#use: Some(Use { place: Some(Place::Entry(entry)) }),
        media_ids: vec![picture.id.clone()],
        readable_ids: Vec::new(),
    };
    assert_eq!(scene.media.claims(), [claim]);
    ada.says(&tea, "text").await;
    ada.does(&tea, avatar(None)).await.unwrap();
    assert_eq!(scene.media.claims().len(), 1, "what names no file asks nobody");
}

#[tokio::test]
async fn g2_a_retry_is_answered_though_the_file_has_gone() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let (picture, other) = (scene.upload(&ada, Purpose::Image), scene.upload(&ada, Purpose::Image));
    let append = compose::append(&tea, 1, image(&picture));
    assert_eq!(ada.append(&append).await.unwrap().seq, 2);
    let mut stream = ada.stream().await;
    let with = |kind| Append { content: compose::append(&tea, 1, kind).content, ..append.clone() };
    // What a client has copied of a description is not what it means.
    let full = with(Kind::Image(Image { media: Some(picture.clone()), caption: String::new() }));
    let another = with(image(&other));
    scene.media.remove(&picture);
    for mood in [Mood::Well, Mood::Fails(ErrorReason::MediaRefused), Mood::Fails(ErrorReason::Unavailable)] {
        scene.media.set(mood);
        for again in [&append, &full] {
            let answer = ada.append(again).await.unwrap();
            assert_eq!((answer.seq, answer.duplicate), (2, true), "G2: {mood:?}");
        }
        assert_eq!(outcome(stream.append(append.clone()).await), Ok((2, true)), "G2: {mood:?}");
        assert_eq!(reason(ada.append(&another).await), ErrorReason::OpReused);
    }
    assert_eq!(seqs(&ada.log(&tea).await.unwrap()), [1, 2], "G2");
}

#[tokio::test]
async fn what_media_svc_does_not_give_is_not_stored() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let (mine, theirs) = (scene.upload(&ada, Purpose::Image), scene.upload(&ben, Purpose::Image));
    let gone = Media { id: MediaId::new().to_string(), ..Media::default() };
    for media in [&theirs, &gone] {
        assert_eq!(reason(ada.does(&tea, image(media)).await), ErrorReason::MediaNotFound);
    }
    for (mood, expected) in [
        (ErrorReason::MediaRefused, ErrorReason::MediaRefused),
        (ErrorReason::StorageFull, ErrorReason::StorageFull),
        (ErrorReason::Internal, ErrorReason::Unavailable),
        (ErrorReason::Unavailable, ErrorReason::Unavailable),
    ] {
        scene.media.set(Mood::Fails(mood));
        let problem = from_status(&ada.does(&tea, image(&mine)).await.unwrap_err());
        assert_eq!(problem.reason(), expected);
        let retries = matches!(expected, ErrorReason::StorageFull | ErrorReason::Unavailable);
        assert_eq!(problem.retry_after.is_some(), retries, "{problem:?}");
    }
    scene.media.set(Mood::Well);
    assert_eq!(ada.does(&tea, image(&mine)).await.unwrap(), 2, "nothing was stored before");
}

#[tokio::test]
async fn a_file_is_only_what_it_was_uploaded_for() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let [picture, file, voice, film, face] =
        [Purpose::Image, Purpose::File, Purpose::Voice, Purpose::Video, Purpose::Avatar]
            .map(|purpose| scene.upload(&ada, purpose));
    let video =
        |media, poster| Kind::Video(Video { media: named(media), poster: named(poster), ..Video::default() });
    for wrong in [
        image(&file),
        image(&face),
        Kind::Voice(Voice { media: named(&film) }),
        video(&voice, &picture),
        video(&film, &film),
        avatar(Some(&picture)),
    ] {
        assert_eq!(reason(ada.does(&tea, wrong.clone()).await), ErrorReason::MediaTypeMismatch, "{wrong:?}");
    }
    for any in [&picture, &file, &voice, &film, &face] {
        let right = Kind::File(File { media: named(any), caption: String::new() });
        ada.does(&tea, right).await.expect("anything can be sent as a file");
    }
}

#[tokio::test]
async fn only_who_manages_a_group_gives_it_a_picture() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let face = scene.upload(&ben, Purpose::Avatar);
    assert_eq!(reason(ben.does(&tea, avatar(Some(&face))).await), ErrorReason::RoleInsufficient);
    assert_eq!(reason(ben.does(&tea, avatar(None)).await), ErrorReason::RoleInsufficient);
    let (row, _) = ben.create(compose::direct(&ada.id())).await.unwrap();
    assert_eq!(reason(ben.does(&row.id, avatar(Some(&face))).await), ErrorReason::ContentNotAllowed);
    let face = scene.upload(&ada, Purpose::Avatar);
    ada.does(&tea, avatar(Some(&face))).await.unwrap();
    let (mut stream, _) = StreamClient::connect(&ben.chat, b"").await;
    let (rows, _) = stream.synced().await;
    let shown = rows.iter().find(|row| row.id == tea).map(|row| row.avatar.clone());
    assert_eq!(shown, Some(Some(face)), "a new device sees it in its first sync");
    ada.does(&tea, avatar(None)).await.unwrap();
    assert_eq!(ben.row(&tea).await.unwrap().avatar, None);
}

#[tokio::test]
async fn without_media_svc_text_goes_on() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (tea, work) = (ada.group(&[&ben]).await, ada.group(&[]).await);
    let picture = scene.upload(&ada, Purpose::Image);
    scene.media.set(Mood::Hangs);
    let (mut ada_s, mut ben_s) = (ada.stream().await, ben.stream().await);
    let waiting = compose::append(&tea, 1, image(&picture));
    let behind = compose::text(&tea, 1, "sent after the picture");
    ada_s.send_all([&waiting, &behind].map(|append| ClientKind::Append(append.clone()))).await;
    eventually("the claim is under way", parlor_testkit::PATIENCE, async || !scene.media.claims().is_empty())
        .await;
    for n in 0..5 {
        let said = compose::text(&tea, 1, &format!("{n}"));
        assert_eq!(outcome(ben_s.append(said).await), Ok((n + 2, false)), "text of others is not held up");
    }
    assert_eq!(ada.says(&tea, "by another way").await, 7);
    let elsewhere = compose::text(&work, 1, "of the same stream");
    assert_eq!(outcome(ada_s.append(elsewhere).await), Ok((2, false)));
    let early = ada_s.take_mail();
    let answered = early.iter().any(|frame| matches!(frame, ServerKind::AppendResult(_)));
    assert!(!answered, "other conversations do not wait for the picture: {early:?}");
    // The picture comes to nothing within 2 s, and what was sent after it keeps its order.
    let Some(Outcome::Problem(problem)) = ada_s.result_of(&waiting.op).await.outcome else {
        panic!("stored")
    };
    assert_eq!((problem.reason(), problem.retry_after.is_some()), (ErrorReason::Unavailable, true));
    assert_eq!(outcome(ada_s.result_of(&behind.op).await), Err((ErrorReason::OutOfOrder, 1)), "G4");
    scene.media.set(Mood::Well);
    let again = [waiting, behind].map(|append| ClientKind::Append(Append { lane: 1, ..append }));
    let ops = again.clone().map(|kind| match kind {
        ClientKind::Append(append) => append.op,
        _ => unreachable!("both are appends"),
    });
    ada_s.send_all(again).await;
    assert_eq!(outcome(ada_s.result_of(&ops[0]).await), Ok((8, false)));
    assert_eq!(outcome(ada_s.result_of(&ops[1]).await), Ok((9, false)), "G4");
}

#[tokio::test]
async fn a_caption_is_edited_and_the_file_stays() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let picture = scene.upload(&ada, Purpose::Image);
    let sent = Kind::Image(Image { media: named(&picture), caption: "before".to_owned() });
    assert_eq!(ada.does(&tea, sent).await.unwrap(), 2);
    for caption in ["after", ""] {
        let head = ada.row(&tea).await.unwrap().head;
        ada.append(&compose::edit(&tea, head, 2, caption)).await.unwrap();
        let shown = kind(&ada.log(&tea).await.unwrap()[1]);
        let expected = Image { media: Some(picture.clone()), caption: caption.to_owned() };
        assert_eq!(shown, Kind::Image(expected));
    }
    let long = compose::edit(&tea, 4, 2, &"x".repeat(4097));
    assert_eq!(reason(ada.append(&long).await), ErrorReason::ContentTooLarge);
    let note = scene.upload(&ada, Purpose::Voice);
    let seq = ada.does(&tea, Kind::Voice(Voice { media: named(&note) })).await.unwrap();
    let edit = compose::edit(&tea, seq, seq, "words");
    assert_eq!(reason(ada.append(&edit).await), ErrorReason::TargetNotFound, "it has no text");
    assert_eq!(scene.media.claims().len(), 2, "an edit claims nothing");
}

#[tokio::test]
async fn what_is_deleted_names_its_files_no_more() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let [one, two] = [(); 2].map(|()| scene.upload(&ada, Purpose::Image));
    let item = |media| AlbumItem {
        kind: Some(album_item::Kind::Image(Image { media: named(media), caption: String::new() })),
    };
    let album = Album { items: vec![item(&one), item(&two)], caption: String::new() };
    let album = compose::append(&tea, 1, Kind::Album(album));
    assert_eq!(ada.append(&album).await.unwrap().seq, 2);
    ben.does(&tea, image(&one)).await.expect("what can be read can be sent on");
    scene.media.set(Mood::Hangs);
    ada.append(&compose::delete(&tea, 3, 2)).await.expect("it waits for nobody");
    let entry = EntryUse { conversation_id: tea.clone(), op: album.op.clone() };
    let release = ReleaseRequest {
        r#use: Some(Use { place: Some(Place::Entry(entry)) }),
        media_ids: vec![one.id.clone(), two.id.clone()],
    };
    eventually("media-svc is told", parlor_testkit::PATIENCE, async || {
        scene.media.releases() == [release.clone()]
    })
    .await;
    let internal = Internal::of(&scene);
    let both = [one, two];
    assert_eq!(internal.can_have(&ben, &both).await, [0], "G7: the other message names it still");
    assert_eq!(internal.referenced(&both).await, [0]);
    ada.append(&compose::delete(&tea, 4, 3)).await.expect("the owner of a group moderates");
    assert!(internal.can_have(&ben, &both).await.is_empty(), "G7");
    assert!(internal.referenced(&both).await.is_empty());
    scene.media.set(Mood::Well);
    let again = ada.append(&album).await.unwrap();
    assert_eq!((again.seq, again.duplicate), (2, true), "G2: a retry brings nothing back");
}

/// What is refused anyway is not waited for: a lane that is broken costs the time limit of one claim, not of each.
#[tokio::test]
async fn g4_pictures_of_a_broken_lane_ask_nobody() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let picture = scene.upload(&ada, Purpose::Image);
    let mut stream = ada.stream().await;
    scene.media.set(Mood::Fails(ErrorReason::Unavailable));
    let appends: Vec<Append> = (0..20).map(|_| compose::append(&tea, 1, image(&picture))).collect();
    stream.send_all(appends.iter().cloned().map(ClientKind::Append)).await;
    assert_eq!(outcome(stream.result_of(&appends[0].op).await), Err((ErrorReason::Unavailable, 1)));
    for append in &appends[1..] {
        assert_eq!(outcome(stream.result_of(&append.op).await), Err((ErrorReason::OutOfOrder, 1)), "G4");
    }
    assert_eq!(scene.media.claims().len(), 1);
}

#[tokio::test]
async fn g4_pictures_and_texts_keep_their_order() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let picture = scene.upload(&ada, Purpose::Image);
    let mut stream = ada.stream().await;
    let append = |n: u64| match n % 3 {
        0 => compose::append(&tea, 1, image(&picture)),
        _ => compose::text(&tea, 1, "text"),
    };
    let appends: Vec<Append> = (0..30).map(append).collect();
    stream.send_all(appends.iter().cloned().map(ClientKind::Append)).await;
    for (place, append) in appends.iter().enumerate() {
        let answer = outcome(stream.result_of(&append.op).await);
        assert_eq!(answer, Ok((place as u64 + 2, false)), "G4");
    }
}
