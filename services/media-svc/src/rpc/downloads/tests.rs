use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt as _;
use parlor_grpc_kit::CallerKind;
use parlor_runtime::clock::Clock as _;
use parlor_testkit::reason;
use parlor_types::{DeviceId, MediaId, SessionId, UserId};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;

use super::*;
use crate::app::testing::{Scene, noise, sha256};
use crate::http::PREFIX;
use crate::media::{Purpose as Use, random_id};

impl Scene {
    fn rpc(&self) -> OutRpc {
        let clock = Arc::clone(&self.clock) as _;
        OutRpc { downloads: self.downloads.clone(), links: Arc::clone(&self.links), clock }
    }
}

fn somebody() -> Caller {
    Caller {
        user_id: UserId::new(),
        session_id: SessionId::new(),
        device_id: DeviceId::new(),
        kind: CallerKind::Person,
        expires_at: SystemTime::now() + Duration::from_secs(600),
    }
}

fn by<T>(caller: &Caller, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller.clone());
    request
}

fn of(id: MediaId) -> DownloadRequest {
    DownloadRequest { media_id: id.to_string(), ..DownloadRequest::default() }
}

async fn downloaded(
    rpc: &OutRpc,
    caller: &Caller,
    request: DownloadRequest,
) -> Result<(DownloadStart, Vec<u8>), Status> {
    let messages: Vec<_> = download(rpc, by(caller, request)).await?.into_inner().try_collect().await?;
    let mut parts = messages.into_iter().map(|message| message.part.expect("a part"));
    let Some(Part::Start(start)) = parts.next() else { panic!("no start") };
    let mut bytes = Vec::new();
    for part in parts {
        let Part::Data(data) = part else { panic!("a second start") };
        assert!(data.len() <= 64 * 1024, "G8: a message of {}", data.len());
        bytes.extend(data);
    }
    Ok((start, bytes))
}

#[tokio::test]
async fn a_file_is_downloaded_from_any_byte_on() {
    let (scene, ada) = (Scene::new(), somebody());
    let rpc = scene.rpc();
    let bytes = noise(200_000);
    let id = scene.file(ada.user_id, "a", Use::File, "text/plain", &bytes).await;
    for (offset, length, wanted) in [
        (0, 0, 0..200_000),
        (0, 1, 0..1),
        (65_536, 0, 65_536..200_000),
        (199_999, 0, 199_999..200_000),
        (199_999, 5, 199_999..200_000),
        (200_000, 0, 200_000..200_000),
        (7, 130_000, 7..130_007),
    ] {
        let request = DownloadRequest { offset, length, ..of(id) };
        let (start, got) = downloaded(&rpc, &ada, request).await.unwrap();
        assert!(got == bytes[wanted], "{offset}+{length}: other bytes");
        let whole = DownloadStart {
            size: 200_000,
            sha256: sha256(&bytes).0.to_vec().into(),
            media_type: "text/plain".to_owned(),
            offset,
        };
        assert_eq!(start, whole, "{offset}+{length}");
    }
    let beyond = downloaded(&rpc, &ada, DownloadRequest { offset: 200_001, ..of(id) }).await;
    assert_eq!(reason(beyond), ErrorReason::RangeInvalid);
}

#[tokio::test]
async fn a_part_of_other_bytes_is_not_gone_on_with() {
    let (scene, ada) = (Scene::new(), somebody());
    let bytes = noise(1000);
    let id = scene.file(ada.user_id, "a", Use::File, "", &bytes).await;
    let from =
        |sha256: [u8; 32]| DownloadRequest { offset: 900, if_sha256: sha256.to_vec().into(), ..of(id) };
    let (start, got) = downloaded(&scene.rpc(), &ada, from(sha256(&bytes).0)).await.unwrap();
    assert_eq!((start.offset, &got[..]), (900, &bytes[900..]));
    let (start, got) = downloaded(&scene.rpc(), &ada, from([0; 32])).await.unwrap();
    assert_eq!((start.offset, &got[..]), (0, &bytes[..]));
}

#[tokio::test]
async fn fields_that_are_none_are_named() {
    let (scene, ada) = (Scene::new(), somebody());
    let id = random_id();
    for request in [
        DownloadRequest { media_id: "x".to_owned(), ..DownloadRequest::default() },
        DownloadRequest { variant: 9, ..of(id) },
        DownloadRequest { if_sha256: vec![1; 31].into(), ..of(id) },
    ] {
        let answer = downloaded(&scene.rpc(), &ada, request).await;
        assert_eq!(reason(answer), ErrorReason::FieldInvalid);
    }
    let item = |media_id: String| MediaVariant { media_id, variant: 0 };
    for items in [vec![], vec![item(id.to_string()); 51], vec![item("x".to_owned())]] {
        let request = by(&ada, BatchGetMediaUrlsRequest { items });
        assert_eq!(reason(batch_get_media_urls(&scene.rpc(), request).await), ErrorReason::FieldInvalid);
    }
}

/// Every byte of a failure.
fn said(status: &Status) -> (i32, String, Vec<u8>) {
    (status.code().into(), status.message().to_owned(), status.details().to_vec())
}

#[tokio::test]
async fn g7_a_stranger_an_ex_member_and_a_guess_get_one_and_the_same_answer() {
    let (scene, ada, ben, cyd) = (Scene::new(), somebody(), somebody(), somebody());
    let rpc = scene.rpc();
    let id = scene.file(ada.user_id, "a", Use::File, "", b"abc").await;
    scene.told.lets_read(ben.user_id, id, true);
    downloaded(&rpc, &ben, of(id)).await.expect("a member");
    scene.told.lets_read(ben.user_id, id, false);
    let harmful = scene.quarantined(ada.user_id, b"harm").await;

    let mut answers = Vec::new();
    for (caller, id) in [(&ben, id), (&cyd, id), (&cyd, harmful), (&cyd, random_id()), (&ada, random_id())] {
        answers.push(said(&downloaded(&rpc, caller, of(id)).await.unwrap_err()));
        let request = by(caller, GetMediaRequest { media_id: id.to_string() });
        answers.push(said(&get_media(&rpc, request).await.unwrap_err()));
    }
    let not_found = downloaded(&rpc, &cyd, of(random_id())).await;
    assert_eq!(from_status(&not_found.unwrap_err()).reason(), ErrorReason::MediaNotFound);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "G7: {answers:?}");
}

#[tokio::test]
async fn what_is_in_quarantine_is_known_and_not_given() {
    let (scene, ada) = (Scene::new(), somebody());
    let rpc = scene.rpc();
    let id = scene.quarantined(ada.user_id, b"harm").await;
    let get = async || get_media(&rpc, by(&ada, GetMediaRequest { media_id: id.to_string() })).await;
    let known = get().await.unwrap().into_inner();
    assert!(known.checking && known.media.is_some_and(|media| media.id == id.to_string()));
    let checking = downloaded(&rpc, &ada, of(id)).await.unwrap_err();
    let checking = from_status(&checking);
    assert_eq!(checking.reason(), ErrorReason::MediaChecking);
    assert!(checking.retry_after.is_some());
    scene.store.checked(id, false).await.unwrap();
    assert_eq!(reason(downloaded(&rpc, &ada, of(id)).await), ErrorReason::MediaRefused);
    assert_eq!(reason(get().await), ErrorReason::MediaNotFound);
}

#[tokio::test]
async fn addresses_are_given_for_what_there_is_and_in_the_order_asked_for() {
    let (scene, ada, ben) = (Scene::new(), somebody(), somebody());
    let rpc = scene.rpc();
    let picture = scene.picture(ada.user_id, &noise(500), &noise(70)).await;
    let secret = scene.file(ada.user_id, "a", Use::File, "", b"abc").await;
    let harmful = scene.quarantined(ada.user_id, b"harm").await;
    scene.told.lets_read(ben.user_id, picture, true);
    scene.told.lets_read(ben.user_id, harmful, true);
    let items = [
        (picture, Variant::Small),
        (secret, Variant::Original),
        (picture, Variant::Large),
        (harmful, Variant::Original),
        (random_id(), Variant::Original),
        (picture, Variant::Unspecified),
        (picture, Variant::Small),
    ]
    .map(|(id, variant)| MediaVariant { media_id: id.to_string(), variant: variant.into() });
    let request = BatchGetMediaUrlsRequest { items: items.to_vec() };
    let urls = batch_get_media_urls(&rpc, by(&ben, request)).await.unwrap().into_inner().urls;
    let given: Vec<_> = urls.iter().map(|url| url.item.clone().unwrap()).collect();
    let original = MediaVariant { variant: Variant::Original.into(), ..items[5].clone() };
    assert_eq!(given, [items[0].clone(), original, items[0].clone()]);
    assert_eq!(urls[0], urls[2], "G2: the same for a while");

    let now = scene.clock.wall();
    for url in &urls {
        let token = url.url.strip_prefix(PREFIX).expect("on the address that was called");
        let link = scene.links.open(token, now).await.unwrap().unwrap();
        assert_eq!((link.media, link.user, link.session), (picture, ben.user_id, ben.session_id));
        assert_eq!(url.expires_at, Some(to_time(link.ends)));
        assert!(link.ends > now && link.ends <= now + Duration::from_secs(300));
    }
}

#[tokio::test]
async fn while_chat_svc_is_away_the_owner_has_their_own() {
    let (scene, ada, ben) = (Scene::new(), somebody(), somebody());
    let id = scene.file(ada.user_id, "a", Use::File, "", b"abc").await;
    scene.told.answers(false);
    downloaded(&scene.rpc(), &ada, of(id)).await.unwrap();
    for id in [id, random_id()] {
        let unknown = from_status(&downloaded(&scene.rpc(), &ben, of(id)).await.unwrap_err());
        assert_eq!(unknown.reason(), ErrorReason::Unavailable);
        assert!(unknown.retry_after.is_some());
    }
}

#[tokio::test]
async fn g7_a_session_that_ends_gets_no_more_of_its_download() {
    let (scene, ada) = (Scene::new(), somebody());
    let id = scene.file(ada.user_id, "a", Use::File, "", &noise(1 << 20)).await;
    let mut messages = download(&scene.rpc(), by(&ada, of(id))).await.unwrap().into_inner();
    messages.try_next().await.unwrap().expect("the start");
    messages.try_next().await.unwrap().expect("a piece");
    scene.end(ada.session_id);
    let mut more = 0;
    let ended = loop {
        match messages.try_next().await {
            Ok(Some(_)) => more += 1,
            Ok(None) => panic!("G7: it got all of it"),
            Err(ended) => break ended,
        }
    };
    assert_eq!(from_status(&ended).reason(), ErrorReason::SessionEnded);
    assert!(more <= 2, "G7: {more} pieces after the end");
}
