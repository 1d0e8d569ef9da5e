//! Uploads that are begun and left, parts that are sent and never ended: so many of a user and no more, and all that they
//! held is given back.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{join, join_all};
use parlor_testkit::{eventually, raw_call};
use parlor_tests::account::{Login, PASSWORD};
use parlor_tests::uploads::{begin, beginning, finish, send_missing, upload};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::media::v1::{DeleteMediaRequest, GetUsageRequest, Purpose, UploadPartRequest};
use parlor_wire::reason::from_status;
use prost::Message as _;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::GROWTH;
use crate::scene::Scene;

/// Users who leave uploads; together they have more than may be open.
const LEAVERS: usize = 9;
/// Uploads each of them tries to begin, on two devices.
const TRIED: usize = 40;
/// How many of them they get.
const UNFINISHED: usize = 32;
/// An upload without a part is forgotten after this.
const EXPIRES: &str = "media.upload_expires=15s";
/// It is gone within this from then on, on a machine that does much else.
const GONE_WITHIN: Duration = Duration::from_secs(45);
/// Bytes of a part.
const PART: usize = 256 * 1024;
/// Bytes of the disk for an upload of which one byte has come.
const ON_DISK: u64 = 8 * 1024;
/// Parts of a user that never end, and how many of them are taken in.
const SILENT: usize = 48;
const TAKEN_IN: usize = 31;
/// How long an upload of others may take meanwhile, if they come back whenever they are told to.
const UPLOADED_WITHIN: Duration = Duration::from_secs(20);
/// A whole file of others.
const WHOLE: usize = 300 * 1024;

async fn leavers(scene: &Scene) -> Vec<Login> {
    let mut people = Vec::with_capacity(LEAVERS);
    for _ in 0..LEAVERS {
        people.push(Login::register(scene.server.channel(), "leaver").await);
    }
    people
}

/// Begins uploads until there are too many, and sends one byte of each, the last.
async fn leave(who: &Login, tries: usize) -> usize {
    let (media, mut begun) = (who.media(), 0);
    for number in 0..tries {
        let bytes = vec![b'x'; PART + 1];
        let request = beginning(&format!("left {number}"), Purpose::File, &bytes);
        let upload = match begin(&media, &request).await {
            Ok(upload) => upload,
            Err(refused) => {
                let reason = from_status(&refused).reason();
                assert_eq!(reason, ErrorReason::TooManyUploads, "G8: {refused:?}");
                continue;
            }
        };
        begun += 1;
        let (offset, data) = (PART as u64, vec![b'x'].into());
        let part = UploadPartRequest { media_id: upload.media_id, offset, data };
        if let Err(refused) = media.clone().upload_part(part).await {
            told_when(&refused, ErrorReason::Overloaded);
        }
    }
    begun
}

/// It was refused for this reason, and said when to come back.
fn told_when(refused: &Status, reason: ErrorReason) -> Duration {
    let Problem { retry_after, .. } = from_status(refused);
    assert_eq!(from_status(refused).reason(), reason, "G8: {refused:?}");
    retry_after.and_then(|after| after.try_into().ok()).unwrap_or_else(|| panic!("G8: when? {refused:?}"))
}

/// Uploads a file as somebody who comes back when told to; deletes it, and answers how long it took.
async fn upload_and_delete(who: &Login) -> Duration {
    let begun = Instant::now();
    let (to, bytes) = (who.media(), Bytes::from(vec![7; WHOLE]));
    // With one op: who begins anew each time leaves uploads, too.
    let request = beginning("whole", Purpose::File, &bytes);
    let go_on = async || {
        let upload = begin(&to, &request).await?;
        send_missing(&to, &upload, &bytes).await?;
        finish(&to, &upload.media_id).await
    };
    let media = loop {
        match go_on().await {
            Ok(media) => break media,
            Err(refused) => {
                // waits: as long as the server says
                tokio::time::sleep(told_when(&refused, ErrorReason::Overloaded)).await;
            }
        }
        assert!(begun.elapsed() < UPLOADED_WITHIN, "G8: others cannot upload for {UPLOADED_WITHIN:?}");
    };
    let took = begun.elapsed();
    who.media().delete_media(DeleteMediaRequest { media_id: media.id }).await.expect("nothing uses it");
    took
}

async fn stored(who: &Login) -> u64 {
    who.media().get_usage(GetUsageRequest {}).await.expect("an answer").into_inner().stored_bytes
}

/// Files of uploads, and bytes of the disk they take.
fn on_disk(folder: &Path) -> (usize, u64) {
    let files =
        fs::read_dir(folder).expect("the folder of uploads").filter_map(|file| file.ok()?.metadata().ok());
    files.fold((0, 0), |(count, bytes), file| (count + 1, bytes + file.blocks() * 512))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_uploads_begun_and_left_are_few_cost_little_and_are_given_back() {
    let mut scene = Scene::with(&[EXPIRES, "media.collect_every=100ms"]).await;
    let uploads = scene.data().join("uploads");
    let people = leavers(&scene).await;
    // What was uploaded once makes all buffers of the server as large as they get.
    upload_and_delete(&scene.ben).await;
    let before = scene.server.resident_bytes();
    let floods = people.iter().map(async |who| {
        let other = who.another_device(PASSWORD).await.expect("logs in");
        let (one, two) = join(leave(who, TRIED / 2), leave(&other, TRIED / 2)).await;
        one + two
    });
    let ben = scene.ben.clone();
    let others = async {
        let mut worst = Duration::ZERO;
        for _ in 0..5 {
            worst = worst.max(upload_and_delete(&ben).await);
        }
        worst
    };
    let work = join(join_all(floods), others);
    let ((begun, worst), meanwhile) = scene.undisturbed("uploads begun and left", work).await;
    let after_all = upload_and_delete(&scene.ben).await;
    let grown = scene.server.resident_bytes().saturating_sub(before);
    let (files, bytes) = on_disk(&uploads);
    println!(
        "{begun:?} uploads left: grown by {} KiB, {files} files of {bytes} bytes; others upload in {worst:?}, \
         {after_all:?}; {meanwhile:?}",
        grown >> 10
    );
    assert_eq!(begun, [UNFINISHED; LEAVERS], "G8: so many of a user and no more");
    assert!(grown < GROWTH, "G8: uploads that are left make the server grow by {} MiB", grown >> 20);
    let most = LEAVERS * UNFINISHED;
    assert!(files <= most && bytes <= most as u64 * ON_DISK, "G8: {files} files take {bytes} bytes");

    let gone = async || on_disk(&uploads).0 == 0 && scene.server.open_files(&uploads) == 0;
    eventually("G8: what was left is given back", GONE_WITHIN, gone).await;
    for who in &people {
        assert_eq!(stored(who).await, 0, "G8: what is forgotten counts no more");
    }
    assert_eq!(leave(&people[0], UNFINISHED).await, UNFINISHED, "G8: there is room again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_parts_that_never_end_are_few_and_hold_up_nobody_else() {
    let mut scene = Scene::new().await;
    let people = leavers(&scene).await;
    let mut silent = JoinSet::new();
    for who in &people {
        let upload = begin(&who.media(), &beginning("silent", Purpose::File, &vec![b'x'; PART])).await;
        let media_id = upload.expect("begins").media_id;
        let part = UploadPartRequest { media_id, offset: 0, data: vec![b'x'; PART].into() }.encode_to_vec();
        for _ in 0..SILENT {
            let (channel, token, part) = (who.channel(), who.credentials.access_token.clone(), part.clone());
            silent.spawn(async move {
                raw_call(channel, &token, "/parlor.media.v1.MediaService/UploadPart", &part).await
            });
        }
    }
    let ben = scene.ben.clone();
    let refusals = async {
        // All others are refused at once; those that are taken in have nothing to say.
        for _ in 0..LEAVERS * (SILENT - TAKEN_IN) {
            let (_, status) = silent.join_next().await.expect("there are more").expect("it does not panic");
            let status = status.expect("G8: it is refused");
            assert_eq!(status.code(), Code::ResourceExhausted, "G8: {status:?}");
            told_when(&status, ErrorReason::RateLimited);
        }
        upload_and_delete(&ben).await
    };
    let (took, meanwhile) = scene.undisturbed("parts that never end", refusals).await;
    println!("{} parts wait for their end; others upload in {took:?}; {meanwhile:?}", silent.len());
    assert_eq!(silent.len(), LEAVERS * TAKEN_IN, "G8: so many of a user are taken in");
    // Who gives up what was never ended has all the room again.
    silent.shutdown().await;
    eventually("G8: the room is given back", GONE_WITHIN, async || {
        upload(&people[0].media(), "after all", Purpose::File, &vec![b'y'; PART]).await.is_ok()
    })
    .await;
}
