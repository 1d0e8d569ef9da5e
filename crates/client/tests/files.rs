//! Files up and down over real connections that break: against a MediaService in memory.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use parlor_client::core::{Event, FileFault, UploadNews};
use parlor_client::{Client, Error, FileDraft, FileToSend, News, TransferNews};
use parlor_types::{ConversationId, Id as _, MediaId, Seq};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::media::v1::{Purpose, Variant};
use support::{PART, Server, problem};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);
const SIZE: usize = 40 * PART + 7;

fn bytes() -> Vec<u8> {
    (0..SIZE).map(|at| (at * 31 % 253) as u8).collect()
}

struct Desk {
    folder: TempDir,
    server: Server,
    client: Client,
    path: PathBuf,
}

fn desk(patience: Duration) -> Desk {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let client = server.client(&folder.path().join("profile"), patience);
    let path = folder.path().join("file.bin");
    std::fs::write(&path, bytes()).unwrap();
    Desk { folder, server, client, path }
}

fn conversation() -> ConversationId {
    ConversationId::from_bytes([9; 16])
}

fn draft(paths: &[&Path]) -> FileDraft {
    let files = paths.iter().map(|path| FileToSend { path: path.to_path_buf(), ..FileToSend::default() });
    FileDraft {
        conversation: conversation(),
        files: files.collect(),
        caption: "look".into(),
        reply_to: Seq(0),
        mentions: Vec::new(),
    }
}

/// What the outbox names.
fn named(client: &Client) -> Vec<String> {
    let rows = client.store().outbox(None).unwrap();
    let kinds = rows.into_iter().filter_map(|row| row.append.content?.kind);
    kinds
        .flat_map(|kind| kind.media().into_iter().map(|media| media.id.clone()).collect::<Vec<_>>())
        .collect()
}

fn finished(server: &Server) -> Vec<(MediaId, Vec<u8>)> {
    let state = server.state();
    let whole = state.shelves.iter().filter(|(_, shelf)| shelf.finished);
    whole.map(|(id, shelf)| (*id, shelf.parts.values().flatten().copied().collect())).collect()
}

#[tokio::test]
async fn an_upload_goes_on_after_the_server_was_away_and_lost_some() {
    let mut desk = desk(PATIENCE);
    desk.server.state().away_at_part = Some(20);
    let (client, path) = (desk.client.clone(), desk.path.clone());
    let upload = tokio::spawn(async move {
        let (mut told, mut waits) = (Vec::new(), 0);
        let answer = client
            .upload(&path, None, &mut |news| match news {
                TransferNews::Progress(progress) => told.push(progress),
                TransferNews::Waits(_) => waits += 1,
            })
            .await;
        (answer, told, waits)
    });
    desk.server.go_away(5).await;
    desk.server.come_back();
    let (answer, told, waits) = upload.await.unwrap();
    let id = answer.unwrap().media.unwrap().id;
    assert_eq!(finished(&desk.server), [(MediaId::parse(&id).unwrap(), bytes())]);
    assert!(waits >= 1);
    assert_eq!(told.last().map(|progress| (progress.done, progress.total)), Some((SIZE as u64, SIZE as u64)));
    assert!(desk.server.state().parts_taken < 41 + 5 + 2 * 4, "what was there is not sent again");
}

#[tokio::test]
async fn an_upload_goes_on_in_another_process() {
    let mut desk = desk(PATIENCE);
    desk.server.state().away_at_part = Some(20);
    {
        let mut nobody = |_| {};
        let upload = desk.client.upload(&desk.path, None, &mut nobody);
        tokio::select! {
            _ = upload => panic!("it was to be stopped in the middle"),
            () = desk.server.go_away(0) => {}
        }
    }
    desk.server.come_back();
    let before = desk.server.state().parts_taken;
    let again = desk.server.client(&desk.folder.path().join("profile"), PATIENCE);
    again.upload(&desk.path, None, &mut |_| {}).await.unwrap();
    assert_eq!(finished(&desk.server).len(), 1);
    assert_eq!(desk.server.state().shelves.len(), 1, "the same upload");
    assert!(desk.server.state().parts_taken - before <= 41 - 16, "with what was missing alone");
    again.upload(&desk.path, None, &mut |_| {}).await.unwrap();
    assert_eq!(finished(&desk.server).len(), 2, "what is done is done: the next is another");
}

#[tokio::test]
async fn a_file_that_changes_on_the_way_is_noticed_and_nothing_wrong_is_sent() {
    let desk = desk(PATIENCE);
    let (path, mut done) = (desk.path.clone(), false);
    let answer = desk
        .client
        .upload(&desk.path, None, &mut |news| {
            if matches!(news, TransferNews::Progress(progress) if progress.done > SIZE as u64 / 2) && !done {
                done = true;
                std::fs::write(&path, vec![0; SIZE]).unwrap();
            }
        })
        .await;
    assert!(matches!(answer, Err(Error::FileChanged(path)) if path == desk.path));
    assert!(desk.server.state().shelves.is_empty(), "the server keeps nothing of it");
    assert_eq!(desk.server.state().deleted.len(), 1);
}

#[tokio::test]
async fn a_full_quota_ends_a_call_at_once_and_the_day_s_too() {
    let desk = desk(PATIENCE);
    let advice = Some(prost_types::Duration { seconds: 7_200, nanos: 0 });
    let today = Problem { retry_after: advice, ..problem(ErrorReason::DailyQuotaExceeded) };
    for refusal in [problem(ErrorReason::QuotaExceeded), today, problem(ErrorReason::MediaTooLarge)] {
        desk.server.state().refuses = Some(refusal.clone());
        let error = desk.client.upload(&desk.path, None, &mut |_| {}).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(problem) if problem.reason == refusal.reason), "{error}");
    }
    desk.server.state().refuses = None;
    desk.client.upload(&desk.path, None, &mut |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_download_goes_on_after_a_cut_and_in_another_process() {
    let desk = desk(PATIENCE);
    let target = desk.folder.path().join("target.bin");
    let get = async |client: &Client| {
        client.download(MediaId::new(), Variant::Original, &target, &mut |_| {}).await
    };
    *desk.server.state() = support::State { remote: bytes(), cut_after: Some(10_000), ..Default::default() };
    get(&desk.client).await.unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), bytes());
    assert_eq!(desk.server.state().asked_from, [0, 10_000]);

    std::fs::remove_file(&target).unwrap();
    let media = MediaId::new();
    desk.server.state().cut_after = Some(20_000);
    let folder = desk.folder.path().join("profile");
    let impatient = desk.server.client(&folder, Duration::ZERO);
    let answer = impatient.download(media, Variant::Original, &target, &mut |_| {}).await;
    assert!(matches!(answer, Err(Error::Unreachable(_))));
    assert!(!target.exists(), "nothing has its name before it is whole");
    desk.server.state().asked_from.clear();
    desk.client.download(media, Variant::Original, &target, &mut |_| {}).await.unwrap();
    assert_eq!(desk.server.state().asked_from, [20_000]);
    assert_eq!(std::fs::read(&target).unwrap(), bytes());
    assert!(!parts_lie_about(desk.folder.path()));
}

#[tokio::test]
async fn bytes_that_are_not_what_was_promised_are_not_kept() {
    let desk = desk(PATIENCE);
    let target = desk.folder.path().join("target.bin");
    std::fs::write(&target, "before").unwrap();
    *desk.server.state() =
        support::State { remote: bytes(), remote_sha256: Some(vec![1; 32]), ..Default::default() };
    let answer = desk.client.download(MediaId::new(), Variant::Original, &target, &mut |_| {}).await;
    assert_eq!(answer.unwrap_err().reason(), Some(ErrorReason::HashMismatch));
    assert_eq!(desk.server.state().asked_from, [0, 0], "once more, and no more");
    assert_eq!(std::fs::read(&target).unwrap(), b"before");
    assert!(!parts_lie_about(desk.folder.path()), "nor anything beside it");
}

/// There is no chat service here: what is sent stays in the outbox.
#[tokio::test]
async fn a_message_enters_the_outbox_when_its_files_are_there_and_not_before() {
    let desk = desk(Duration::from_secs(1));
    desk.client.store().raise_head(conversation(), Seq(41)).unwrap();
    desk.server.state().refuses = Some(problem(ErrorReason::Unavailable));
    let sent = desk.client.send_file(draft(&[&desk.path]), &mut |_, _| {}).await;
    let Err(Error::Undelivered(op, _)) = sent else { panic!("{sent:?}") };
    assert!(desk.client.store().outbox(None).unwrap().is_empty());
    let waiting = desk.client.store().parcels().unwrap();
    assert_eq!(waiting.iter().map(|parcel| parcel.outgoing.op).collect::<Vec<_>>(), [op]);

    desk.server.state().refuses = None;
    let again = desk.client.send_file(draft(&[&desk.path]), &mut |_, _| {}).await;
    assert!(
        matches!(again, Err(Error::Undelivered(same, _)) if same == op),
        "G2: the same message: {again:?}"
    );
    let rows = desk.client.store().outbox(None).unwrap();
    assert_eq!(rows.iter().map(|row| (row.op, row.base_seq)).collect::<Vec<_>>(), [(op, Seq(41))]);
    assert_eq!(named(&desk.client), [finished(&desk.server)[0].0.to_string()]);
    assert!(desk.client.store().parcels().unwrap().is_empty());

    let once_more = desk.client.send_file(draft(&[&desk.path]), &mut |_, _| {}).await;
    assert!(matches!(once_more, Err(Error::Undelivered(same, _)) if same == op), "G2: {once_more:?}");
    assert_eq!(desk.client.store().outbox(None).unwrap().len(), 1, "G2: one message");
    assert_eq!(finished(&desk.server).len(), 1, "and its file is not uploaded again");
}

#[tokio::test]
async fn a_live_connection_takes_up_what_another_process_has_left() {
    let desk = desk(Duration::ZERO);
    desk.client.store().raise_head(conversation(), Seq(1)).unwrap();
    desk.server.state().refuses = Some(problem(ErrorReason::Unavailable));
    let sent = desk.client.send_file(draft(&[&desk.path]), &mut |_, _| {}).await;
    assert!(matches!(sent, Err(Error::Undelivered(..))));
    desk.server.state().refuses = None;

    let other = desk.server.client(&desk.folder.path().join("profile"), PATIENCE);
    let (_live, mut events) = other.live().await.unwrap();
    let mut last = None;
    while !matches!(last, Some((done, total)) if done == total) {
        let news = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap();
        if let News::Event(Event::Upload { news: UploadNews::Progress { progress, .. }, .. }) = news {
            last = Some((progress.done, progress.total));
        }
    }
    eventually(|| !named(&other).is_empty()).await;
    assert_eq!(named(&other), [finished(&desk.server)[0].0.to_string()]);
}

#[tokio::test]
async fn a_message_whose_file_is_gone_fails_for_all_to_see() {
    let desk = desk(PATIENCE);
    desk.server.state().refuses = Some(problem(ErrorReason::QuotaExceeded));
    let (live, mut events) = desk.client.live().await.unwrap();
    let pending = live.send_file(draft(&[&desk.path])).await.unwrap();
    let op = pending.op;
    let wait_for = async |events: &mut parlor_client::Events, wanted: fn(&UploadNews) -> bool| loop {
        let news = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap();
        if let News::Event(Event::Upload { message, news }) = news
            && message == op
            && wanted(&news)
        {
            return;
        }
    };
    wait_for(&mut events, |news| {
        matches!(news, UploadNews::Waits { problem, .. } if problem.reason() == ErrorReason::QuotaExceeded)
    })
    .await;
    // A quota may be raised: it waits, and fails only when the file does.
    std::fs::remove_file(&desk.path).unwrap();
    desk.server.state().refuses = None;
    wait_for(&mut events, |news| matches!(news, UploadNews::Failed(_))).await;
    assert!(matches!(pending.settled().await, Err(Error::Refused(_))));
    let failed = desk.client.store().parcels().unwrap().remove(0);
    assert!(matches!(failed.failed.unwrap().why, FileFault::Unreadable(_)));
    assert!(named(&desk.client).is_empty());
    desk.client.discard(op).await.unwrap();
    assert!(desk.client.store().parcels().unwrap().is_empty());
}

#[tokio::test]
async fn files_that_no_message_holds_together_are_refused_before_anything_is_sent() {
    let desk = desk(PATIENCE);
    desk.client.store().raise_head(conversation(), Seq(1)).unwrap();
    let two = desk.client.send_file(draft(&[&desk.path, &desk.path]), &mut |_, _| {}).await;
    assert!(matches!(two, Err(Error::NoMessage)));
    let gone = desk.folder.path().join("no such file");
    let missing = desk.client.send_file(draft(&[&gone]), &mut |_, _| {}).await;
    assert!(matches!(missing, Err(Error::File { path, .. }) if path == gone));
    let poster =
        FileToSend { poster: Some(desk.path.clone()), path: desk.path.clone(), purpose: Some(Purpose::File) };
    let with_poster = FileDraft { files: vec![poster], ..draft(&[]) };
    assert!(matches!(desk.client.send_file(with_poster, &mut |_, _| {}).await, Err(Error::NoMessage)));
    assert!(desk.client.store().parcels().unwrap().is_empty() && desk.server.state().shelves.is_empty());
}

fn parts_lie_about(folder: &Path) -> bool {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    names.into_iter().any(|name| name.to_string_lossy().ends_with(".part"))
}

async fn eventually(mut holds: impl FnMut() -> bool) {
    let all = async {
        while !holds() {
            // waits: for another task, between two looks
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
}
