//! G7: where a picture was taken, with what, and what else was written into it, is in no byte that the server keeps or gives.

use std::fs;
use std::path::{Path, PathBuf};

use parlor_testkit::compose;
use parlor_tests::account::Login;
use parlor_tests::samples::{Sample, corpus, secrets_in};
use parlor_tests::{Server, uploads};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{File, Image, SetAvatar, Video, Voice};
use parlor_wire::media::v1::{Media, Purpose, Variant};

#[tokio::test]
async fn g7_what_a_picture_says_of_its_owner_is_in_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data).await;
    let ada = Login::register(server.channel(), "ada").await;
    let ben = Login::register(server.channel(), "ben").await;
    let group = ada.chat().create_conversation(compose::group("Trip", &[ben.id()])).await.expect("creates");
    let group = group.into_inner().conversation.expect("a row").id;
    for sample in corpus() {
        let media = uploads::upload_sample(&ada.media(), &sample).await;
        let media = media.unwrap_or_else(|status| panic!("{}: {status:?}", sample.name));
        assert_eq!(media.media_type, sample.media_type, "{}", sample.name);
        assert!(media.preview.is_some(), "{} has no preview", sample.name);
        uploads::say(&ada, &group, content(&sample, &media)).await.expect("stored");
        for variant in variants(&media) {
            let bytes = uploads::download(&ben.media(), &media.id, variant).await.expect("ben has it");
            assert_eq!(secrets_in(&bytes), [""; 0], "G7: {variant:?} of {} says where it was", sample.name);
        }
    }
    // One more, which nobody sends.
    uploads::upload_sample(&ben.media(), &corpus()[0]).await.expect("uploads");
    server.end().await;
    let files = files(&data);
    assert!(files.iter().any(|file| file.ends_with("original")), "files were looked through: {files:?}");
    for file in files {
        let found = secrets_in(&fs::read(&file).expect("it can be read"));
        assert_eq!(found, [""; 0], "G7: {} still says where it was", file.display());
    }
}

/// What is sent as a file is sent as it is: that is what it is for.
#[tokio::test]
async fn a_file_is_the_file_that_was_uploaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data")).await;
    let ada = Login::register(server.channel(), "ada").await;
    let sample = &corpus()[0];
    let media =
        uploads::upload(&ada.media(), sample.name, Purpose::File, &sample.bytes).await.expect("uploads");
    assert_eq!(media.sha256, uploads::sha256(&sample.bytes));
    let bytes = uploads::download(&ada.media(), &media.id, Variant::Original).await.expect("it is hers");
    assert!(bytes == sample.bytes, "byte for byte");
}

/// How it is sent.
fn content(sample: &Sample, media: &Media) -> Kind {
    let (media, caption) = (uploads::named(media), String::new());
    match sample.purpose {
        Purpose::Image => Kind::Image(Image { media, caption }),
        Purpose::Voice => Kind::Voice(Voice { media }),
        Purpose::Video => Kind::Video(Video { media, caption, poster: None }),
        Purpose::Avatar => Kind::SetAvatar(SetAvatar { media }),
        Purpose::File | Purpose::Unspecified => Kind::File(File { media, caption }),
    }
}

/// The forms there are of it.
fn variants(media: &Media) -> Vec<Variant> {
    let thumbnails = match &media.preview {
        Some(parlor_wire::media::v1::media::Preview::Image(image)) => image.thumbnails.clone(),
        _ => Vec::new(),
    };
    let of_thumbnails = thumbnails.iter().map(|thumbnail| thumbnail.variant());
    [Variant::Original].into_iter().chain(of_thumbnails).collect()
}

/// All files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a folder can be read").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
