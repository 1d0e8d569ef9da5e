//! G7: a file is for those who can read an entry that has it, for as long as they can; to all others it is what a made-up id
//! is, byte for byte.

use parlor_testkit::{PATIENCE, compose, eventually};
use parlor_tests::account::Login;
use parlor_tests::{Server, reading, uploads};
use parlor_types::MediaId;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{File, Image};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::{
    BatchGetMediaUrlsRequest, DownloadRequest, GetMediaRequest, Media, MediaVariant, Purpose, Variant,
};
use parlor_wire::reason::from_status;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Status;

struct World {
    server: Server,
    ada: Login,
    ben: Login,
    eve: Login,
    group: String,
    media: Media,
    _folder: TempDir,
}

impl World {
    /// Ada has sent a file to a group with Ben. Eve has nothing to do with it.
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(&folder.path().join("data")).await;
        let ada = Login::register(server.channel(), "ada").await;
        let ben = Login::register(server.channel(), "ben").await;
        let eve = Login::register(server.channel(), "eve").await;
        let group =
            ada.chat().create_conversation(compose::group("Tea", &[ben.id()])).await.expect("creates");
        let group = group.into_inner().conversation.expect("a row").id;
        let media =
            uploads::upload(&ada.media(), "plan.txt", Purpose::File, b"tea at five").await.expect("uploads");
        uploads::say(&ada, &group, file(&media)).await.expect("stored");
        Self { server, ada, ben, eve, group, media, _folder: folder }
    }

    /// A made-up id gets the same.
    async fn is_none_of(&self, who: &Login) {
        let made_up = MediaId::new().to_string();
        let mut found = Vec::new();
        for id in [&self.media.id, &made_up] {
            found.push(refusals(who, id).await);
        }
        assert_eq!(found[0], found[1], "G7: it is told from an id that does not exist");
    }
}

fn file(media: &Media) -> Kind {
    Kind::File(File { media: uploads::named(media), caption: String::new() })
}

/// What each call says to an id, in bytes, without the id; all of them refuse.
async fn refusals(who: &Login, id: &str) -> Vec<(String, Vec<u8>)> {
    let media_id = id.to_owned();
    let mut client = who.media();
    let get = client.get_media(GetMediaRequest { media_id: media_id.clone() }).await.map(drop);
    let mut refusals = vec![get];
    for variant in [Variant::Original, Variant::Small] {
        let request = DownloadRequest {
            media_id: media_id.clone(),
            variant: variant.into(),
            ..DownloadRequest::default()
        };
        refusals.push(client.download(request).await.map(drop));
    }
    let item = MediaVariant { media_id: media_id.clone(), variant: Variant::Original.into() };
    let urls = client.batch_get_media_urls(BatchGetMediaUrlsRequest { items: vec![item] }).await;
    assert_eq!(urls.expect("answers").into_inner().urls, [], "G7: an address of what is not theirs");
    let upload = client.get_upload(parlor_wire::media::v1::GetUploadRequest { media_id: media_id.clone() });
    refusals.push(upload.await.map(drop));
    let finish = client.finish_upload(parlor_wire::media::v1::FinishUploadRequest { media_id });
    refusals.push(finish.await.map(drop));
    refusals.into_iter().map(|refusal| shown(&refusal.expect_err("G7: it is theirs"), id)).collect()
}

fn shown(status: &Status, id: &str) -> (String, Vec<u8>) {
    assert_eq!(from_status(status).reason(), ErrorReason::MediaNotFound);
    assert!(!status.message().contains(id));
    (format!("{:?} {}", status.code(), status.message()), status.details().to_vec())
}

#[tokio::test]
async fn g7_a_file_is_for_those_who_can_read_what_has_it() {
    let world = World::new().await;
    for member in [&world.ada, &world.ben] {
        let bytes = uploads::download(&member.media(), &world.media.id, Variant::Original).await;
        assert_eq!(bytes.expect("a member has it"), b"tea at five");
    }
    world.is_none_of(&world.eve).await;

    let remove = compose::remove(&[world.ben.id()]);
    let later = uploads::upload(&world.ada.media(), "later.txt", Purpose::File, b"without ben")
        .await
        .expect("uploads");
    uploads::say(&world.ada, &world.group, remove).await.expect("removed");
    uploads::say(&world.ada, &world.group, file(&later)).await.expect("stored");
    let before = uploads::download(&world.ben.media(), &world.media.id, Variant::Original).await;
    assert_eq!(before.expect("an ex-member has what it can read"), b"tea at five");
    let after = World { media: later, ..world };
    after.is_none_of(&after.ben).await;
    after.is_none_of(&after.eve).await;
    after.server.end().await;
}

/// To name an id gives nobody the file, nor a way to have it by sending it to oneself.
#[tokio::test]
async fn g7_a_stranger_cannot_send_what_it_cannot_have() {
    let world = World::new().await;
    let notes =
        world.eve.chat().create_conversation(compose::direct(&world.eve.id())).await.expect("creates");
    let notes = notes.into_inner().conversation.expect("a row").id;
    let made_up = Media { id: MediaId::new().to_string(), ..Media::default() };
    let head = reading::row(&world.eve.chat(), &notes).await.expect("reads").head;
    let mut answers = Vec::new();
    for media in [&world.media, &made_up] {
        let image = Kind::Image(Image { media: uploads::named(media), caption: String::new() });
        for kind in [file(media), image] {
            let refused = uploads::say(&world.eve, &notes, kind).await.expect_err("G7: it can be sent on");
            answers.push(shown(&refused, &media.id));
        }
    }
    assert_eq!(answers[..2], answers[2..], "G7: it is told from an id that does not exist");
    assert_eq!(
        reading::row(&world.eve.chat(), &notes).await.expect("reads").head,
        head,
        "nothing was stored"
    );
    world.is_none_of(&world.eve).await;

    let sent_on =
        world.ben.chat().create_conversation(compose::direct(&world.eve.id())).await.expect("creates");
    let sent_on = sent_on.into_inner().conversation.expect("a row").id;
    uploads::say(&world.ben, &sent_on, file(&world.media)).await.expect("who has it can send it on");
    let bytes = uploads::download(&world.eve.media(), &world.media.id, Variant::Original).await;
    assert_eq!(bytes.expect("and then eve has it"), b"tea at five");
}

#[tokio::test]
async fn g7_an_address_is_good_for_its_session_alone_and_as_long_as_the_file_is_theirs() {
    let world = World::new().await;
    let url = address(&world.ben, &world.media).await;
    assert_eq!(get(&world.server, &url).await, (200, b"tea at five".to_vec()));
    let forged = format!("{}A", &url[..url.len() - 1]);
    if forged != url {
        assert_eq!(get(&world.server, &forged).await.0, 404, "G7: a forged address leads somewhere");
    }
    let phone = world.ben.another_device(parlor_tests::account::PASSWORD).await.expect("logs in");
    let of_phone = address(&phone, &world.media).await;
    phone.auth().logout(parlor_wire::auth::v1::LogoutRequest::default()).await.expect("logs out");
    eventually("the address of a session that has ended leads nowhere", PATIENCE, async || {
        get(&world.server, &of_phone).await.0 == 404
    })
    .await;
    assert_eq!(get(&world.server, &url).await.0, 200, "another session's is not touched");

    let later =
        uploads::upload(&world.ada.media(), "later.txt", Purpose::File, b"for now").await.expect("uploads");
    let sent = uploads::say(&world.ada, &world.group, file(&later)).await.expect("stored");
    let url = address(&world.ben, &later).await;
    assert_eq!(get(&world.server, &url).await.0, 200);
    let delete = parlor_wire::chat::v1::Append {
        target: sent.seq,
        ..compose::append(&world.group, sent.seq, Kind::Delete(parlor_wire::chat::v1::Delete {}))
    };
    world.ada.chat().append(compose::unary(&delete)).await.expect("deleted");
    assert_eq!(get(&world.server, &url).await.0, 404, "G7: what was deleted for all can still be had");
    let after = World { media: later, ..world };
    after.is_none_of(&after.ben).await;
}

async fn address(who: &Login, media: &Media) -> String {
    let item = MediaVariant { media_id: media.id.clone(), variant: Variant::Original.into() };
    let request = BatchGetMediaUrlsRequest { items: vec![item] };
    let mut urls = who.media().batch_get_media_urls(request).await.expect("answers").into_inner().urls;
    urls.pop().expect("one that is theirs").url
}

/// Status and body of a plain GET.
async fn get(server: &Server, url: &str) -> (u16, Vec<u8>) {
    let mut tcp = TcpStream::connect(server.address()).await.expect("the server takes connections");
    let request = format!("GET {url} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address());
    tcp.write_all(request.as_bytes()).await.expect("it can be asked");
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.expect("it answers");
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|number| number.parse().ok()).expect("a status");
    (status, answer[end + 4..].to_vec())
}
