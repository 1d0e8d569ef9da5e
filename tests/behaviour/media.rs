//! Everything one can send to somebody, from one account to another through the real server: what is shown before the bytes are
//! there, and then the bytes.

use parlor_testkit::{StreamClient, compose};
use parlor_tests::account::Login;
use parlor_tests::samples::{self, Sample};
use parlor_tests::{Server, reading, uploads};
use parlor_wire::auth::v1::{GetProfileRequest, UpdateProfileRequest, get_profile_request};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Album, AlbumItem, Entry, File, Image, Location, SetAvatar, Video, Voice, album_item,
};
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::{ImageInfo, Media, Purpose, Variant};
use tempfile::TempDir;

struct World {
    ada: Login,
    ben: Login,
    conversation: String,
    on_ben: StreamClient,
    server: Server,
    _folder: TempDir,
}

impl World {
    /// Ada, and Ben, who is live in the same group.
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(&folder.path().join("data")).await;
        let ada = Login::register(server.channel(), "ada").await;
        let ben = Login::register(server.channel(), "ben").await;
        let group =
            ada.chat().create_conversation(compose::group("Trip", &[ben.id()])).await.expect("creates");
        let conversation = group.into_inner().conversation.expect("a row").id;
        let (mut on_ben, _) = StreamClient::connect(&ben.chat(), b"").await;
        on_ben.synced().await;
        Self { ada, ben, conversation, on_ben, server, _folder: folder }
    }

    async fn upload(&self, sample: &Sample) -> Media {
        uploads::upload_sample(&self.ada.media(), sample).await.expect("uploads")
    }

    /// Ada says it; what Ben hears, live, and what the log says.
    async fn say(&mut self, kind: Kind) -> Kind {
        let appended = uploads::say(&self.ada, &self.conversation, kind).await.expect("stored");
        let live = self.on_ben.event().await;
        assert_eq!(live.seq, appended.seq);
        let log = reading::log(&self.ben.chat(), &self.conversation).await.expect("reads");
        let read = log.into_iter().find(|entry| entry.seq == appended.seq).expect("it is in the log");
        assert_eq!(kind_of(live.clone()), kind_of(read), "live and read are the same");
        kind_of(live)
    }

    async fn ben_gets(&self, media: &Media, variant: Variant) -> Vec<u8> {
        uploads::download(&self.ben.media(), &media.id, variant).await.expect("ben can have it")
    }
}

fn kind_of(entry: Entry) -> Kind {
    entry.content.and_then(|content| content.kind).expect("content")
}

fn sample(name: &str) -> Sample {
    samples::corpus().into_iter().find(|sample| sample.name == name).expect("a sample of that name")
}

fn image_of(media: &Media) -> &ImageInfo {
    let Some(Preview::Image(image)) = &media.preview else { panic!("no picture: {media:?}") };
    image
}

fn size(bytes: &[u8]) -> (u32, u32) {
    let picture = image::load_from_memory(bytes).expect("a picture");
    (picture.width(), picture.height())
}

#[tokio::test]
async fn a_picture_is_shown_at_once_and_had_whole_on_demand() {
    let mut world = World::new().await;
    let uploaded = world.upload(&sample("turned.jpg")).await;
    let caption = "the lake".to_owned();
    let said = Kind::Image(Image { media: uploads::named(&uploaded), caption: caption.clone() });
    let Kind::Image(heard) = world.say(said).await else { panic!("no picture") };
    let media = heard.media.expect("it names a file");
    assert_eq!(
        (heard.caption, &media),
        (caption, &uploaded),
        "all that there is to show comes with the entry"
    );
    assert_eq!((media.name.as_str(), media.media_type.as_str()), ("turned.jpg", "image/jpeg"));
    let image = image_of(&media);
    assert_eq!((image.width, image.height), (600, 800), "upright");
    assert!(!image.thumbhash.is_empty() && image.thumbhash.len() <= 25);
    let small = image.thumbnails.iter().find(|thumbnail| thumbnail.variant() == Variant::Small);
    let small = small.expect("one for a list");
    let bytes = world.ben_gets(&media, Variant::Small).await;
    assert_eq!((bytes.len() as u64, size(&bytes)), (small.size, (small.width, small.height)));
    assert_eq!((small.width, small.height), (240, 320));
    let whole = world.ben_gets(&media, Variant::Original).await;
    assert_eq!((uploads::sha256(&whole), size(&whole)), (media.sha256, (600, 800)));
}

#[tokio::test]
async fn files_voice_notes_and_videos_arrive_as_what_they_are() {
    let mut world = World::new().await;
    let lies = uploads::upload(&world.ada.media(), "a.jpg", Purpose::File, b"<html>hello</html>").await;
    let said = Kind::File(File { media: uploads::named(&lies.expect("uploads")), caption: String::new() });
    let Kind::File(heard) = world.say(said).await else { panic!("no file") };
    let media = heard.media.expect("it names a file");
    assert_eq!((media.name.as_str(), media.preview.is_none()), ("a.jpg", true));
    assert_ne!(media.media_type, "image/jpeg", "it is none");
    assert_eq!(world.ben_gets(&media, Variant::Original).await, b"<html>hello</html>");

    let voice = world.upload(&sample("note.ogg")).await;
    let Kind::Voice(heard) = world.say(Kind::Voice(Voice { media: uploads::named(&voice) })).await else {
        panic!("no voice note")
    };
    let media = heard.media.expect("it names a file");
    let Some(Preview::Audio(audio)) = &media.preview else { panic!("nothing to show: {media:?}") };
    let duration = audio.duration.expect("a duration");
    assert_eq!((duration.seconds, audio.waveform.len()), (3, 64), "150 times 20 milliseconds");
    world.ben_gets(&media, Variant::Original).await;

    let (video, poster) =
        (world.upload(&sample("walk.mp4")).await, world.upload(&sample("screen.png")).await);
    let said =
        Video { media: uploads::named(&video), caption: String::new(), poster: uploads::named(&poster) };
    let Kind::Video(heard) = world.say(Kind::Video(said)).await else { panic!("no video") };
    let media = heard.media.expect("it names a file");
    let Some(Preview::Video(info)) = &media.preview else { panic!("nothing to show: {media:?}") };
    assert_eq!((info.width, info.height, info.duration.expect("a duration").seconds), (640, 360, 2));
    world.ben_gets(&media, Variant::Original).await;
    let poster = heard.poster.expect("a poster");
    assert_eq!(size(&world.ben_gets(&poster, Variant::Original).await), (700, 400));
}

#[tokio::test]
async fn albums_and_places_arrive_as_they_were_sent() {
    let mut world = World::new().await;
    let mut items = Vec::new();
    for name in ["upright.jpg", "sticker.webp", "cat.gif"] {
        let media = uploads::named(&world.upload(&sample(name)).await);
        let image = Image { media, caption: String::new() };
        items.push(AlbumItem { kind: Some(album_item::Kind::Image(image)) });
    }
    let video = uploads::named(&world.upload(&sample("walk.mp4")).await);
    let video = Video { media: video, ..Video::default() };
    items.push(AlbumItem { kind: Some(album_item::Kind::Video(video)) });
    let Kind::Album(heard) = world.say(Kind::Album(Album { items, caption: "all".to_owned() })).await else {
        panic!("no album")
    };
    let files = heard.items.into_iter().map(|item| match item.kind.expect("a kind") {
        album_item::Kind::Image(image) => image.media.expect("a file"),
        album_item::Kind::Video(video) => video.media.expect("a file"),
    });
    let files: Vec<_> = files.collect();
    let order: Vec<_> = files.iter().map(|media| media.name.as_str()).collect();
    assert_eq!(order, ["upright.jpg", "sticker.webp", "cat.gif", "walk.mp4"]);
    assert!(image_of(&files[2]).animated && !image_of(&files[0]).animated);
    for media in &files {
        world.ben_gets(media, Variant::Original).await;
    }

    let place = Location {
        latitude: 48.858_221,
        longitude: 2.294_495,
        accuracy_metres: 12.5,
        name: "Tower".to_owned(),
        address: "Champ de Mars".to_owned(),
    };
    assert_eq!(world.say(Kind::Location(place.clone())).await, Kind::Location(place));
}

#[tokio::test]
async fn groups_and_people_have_pictures() {
    let mut world = World::new().await;
    let media = world.upload(&sample("me.jpg")).await;
    let said = Kind::SetAvatar(SetAvatar { media: uploads::named(&media) });
    world.say(said).await;
    let row = reading::row(&world.ben.chat(), &world.conversation).await.expect("reads");
    assert_eq!(row.avatar.as_ref().map(|avatar| avatar.id.as_str()), Some(media.id.as_str()));
    assert_eq!(size(&world.ben_gets(&media, Variant::Small).await), (320, 320));

    let own = world.upload(&sample("me.jpg")).await;
    let request = UpdateProfileRequest { avatar_id: Some(own.id.clone()), ..UpdateProfileRequest::default() };
    world.ada.profiles().update_profile(request).await.expect("her own picture");
    let eve = Login::register(world.server.channel(), "eve").await;
    let user = Some(get_profile_request::User::UserId(world.ada.id()));
    let profile = eve.profiles().get_profile(GetProfileRequest { user }).await.expect("anybody sees it");
    let profile = profile.into_inner().profile.expect("a profile");
    assert_eq!(profile.avatar.map(|avatar| avatar.id), Some(own.id.clone()));
    let bytes = uploads::download(&eve.media(), &own.id, Variant::Original).await;
    bytes.expect("a profile's picture is for everybody with an account");
    uploads::download(&eve.media(), &media.id, Variant::Original).await.expect_err("G7: a group's is not");
}

/// Who has it can send it on; nothing is uploaded. What is deleted for all stays where else it was sent.
#[tokio::test]
async fn what_was_received_can_be_sent_on_and_outlives_its_first_message() {
    let mut world = World::new().await;
    let media = world.upload(&sample("upright.jpg")).await;
    let image = || Kind::Image(Image { media: uploads::named(&media), caption: String::new() });
    world.say(image()).await;
    let eve = Login::register(world.server.channel(), "eve").await;
    let direct = world.ben.chat().create_conversation(compose::direct(&eve.id())).await.expect("creates");
    let direct = direct.into_inner().conversation.expect("a row").id;
    uploads::say(&world.ben, &direct, image()).await.expect("who has it can send it on");
    let head = reading::row(&world.ada.chat(), &world.conversation).await.expect("reads").head;
    let delete = parlor_wire::chat::v1::Append {
        target: head,
        ..compose::append(&world.conversation, head, Kind::Delete(parlor_wire::chat::v1::Delete {}))
    };
    world.ada.chat().append(compose::unary(&delete)).await.expect("deleted");
    for who in [&world.ben, &eve] {
        uploads::download(&who.media(), &media.id, Variant::Original)
            .await
            .expect("it was sent elsewhere too");
    }
}
