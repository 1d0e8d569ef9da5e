//! G1 on a full disk: a file that does not fit is refused, and said to be; what is there stays, messages are stored all the same, and
//! once something is deleted there is room again.

use bytes::Bytes;
use parlor_testkit::compose;
use parlor_tests::account::Login;
use parlor_tests::{Seed, Server, disk, uploads};
use parlor_wire::chat::v1::Text;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::{DeleteMediaRequest, Purpose, Variant};
use parlor_wire::reason::from_status;
use rand::RngExt as _;

/// What the server's disk holds.
const DISK: &str = "24m";
/// What files leave of it.
const SETTINGS: &[&str] = &["media.min_free_bytes=6MiB"];
const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn g1_a_full_disk_refuses_what_does_not_fit_and_keeps_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder can be made");
    if disk::is_impossible(&data) {
        return;
    }
    let seed = Seed::new();
    let mut noise = seed.rng(0);
    let mut noise = |bytes: usize| -> Bytes {
        let mut buffer = vec![0; bytes];
        noise.fill(&mut buffer[..]);
        buffer.into()
    };
    let server = Server::start_under(&disk::small(&data, DISK, 0), &data, SETTINGS).await;
    let ada = Login::register(server.channel(), "ada").await;
    let small = noise(4 * MIB);
    let kept = uploads::upload(&ada.media(), "small", Purpose::File, &small).await.expect("there is room");

    let large = noise(40 * MIB);
    let request = uploads::beginning("large", Purpose::File, &large);
    let refused = match uploads::begin(&ada.media(), &request).await {
        Ok(upload) => {
            uploads::send_missing(&ada.media(), &upload, &large).await.expect_err("40 MiB fit into 24")
        }
        Err(status) => status,
    };
    assert_eq!(from_status(&refused).reason(), ErrorReason::StorageFull, "{refused:?}");
    let bytes = uploads::download(&ada.media(), &kept.id, Variant::Original).await.expect("G1: reads go on");
    assert!(bytes == small, "G1: what was there is there");

    let notes = ada.chat().create_conversation(compose::direct(&ada.id())).await.expect("G1: messages go on");
    let notes = notes.into_inner().conversation.expect("a row").id;
    for number in 0..20 {
        let text = Text { body: format!("still here {number}").repeat(500) };
        uploads::say(&ada, &notes, Kind::Text(text)).await.expect("G1: files leave room for messages");
    }

    let upload = uploads::begin(&ada.media(), &request).await.expect("the same op is the same upload");
    ada.media().delete_media(DeleteMediaRequest { media_id: upload.media_id }).await.expect("it is given up");
    let fits = noise(3 * MIB);
    let second =
        uploads::upload(&ada.media(), "fits", Purpose::File, &fits).await.expect("there is room again");
    let bytes =
        uploads::download(&ada.media(), &second.id, Variant::Original).await.expect("G1: it is there");
    assert!(bytes == fits);
    server.end().await;
}
