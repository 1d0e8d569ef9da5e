//! G1 on a disk that holds no more of anything: each service refuses what it would have to keep, says why and when to come back,
//! answers everything else, and goes on when there is room again.

use std::fs;

use parlor_testkit::{compose, reason};
use parlor_tests::account::{Login, PASSWORD, name};
use parlor_tests::{Server, disk, reading, uploads};
use parlor_types::{DeviceId, Op};
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::{Device, RegisterRequest};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::{Purpose, Variant};
use parlor_wire::presence::v1::{SetStatusRequest, Status as Shown};
use parlor_wire::reason::from_status;
use tonic::Status;

/// What the server's disk holds, and how much of it is taken at first.
const DISK: &str = "24m";
const BALLAST: u64 = 6 << 20;
/// Files may take all of it.
const SETTINGS: &[&str] = &["media.min_free_bytes=0"];
/// More than the disk holds of anything.
const MANY: usize = 20_000;
/// Bytes of a file, and of a long text.
const FILE: usize = 1 << 20;
const TEXT: usize = 15_000;

/// Does something until it is refused for want of room; answers how often it was done.
async fn until_full<T>(what: &str, mut act: impl AsyncFnMut() -> Result<T, Status>) -> usize {
    for done in 0..MANY {
        if let Err(status) = act().await {
            let problem = from_status(&status);
            assert_eq!(problem.reason(), ErrorReason::StorageFull, "{what}: {status:?}");
            assert!(problem.retry_after.is_some(), "{what}: it is said when to come back");
            return done;
        }
    }
    panic!("{what}: a disk of {DISK} holds {MANY}");
}

struct Scene {
    ada: Login,
    notes: String,
    /// What was said and acked.
    said: Vec<String>,
    files: Vec<String>,
}

impl Scene {
    async fn says(&mut self, bytes: usize) -> Result<(), Status> {
        let body = format!("{} {}", self.said.len(), "x".repeat(bytes));
        let append = compose::text(&self.notes, 1, &body);
        self.ada.chat().append(compose::unary(&append)).await?;
        self.said.push(body);
        Ok(())
    }

    async fn uploads(&mut self) -> Result<(), Status> {
        let number = self.files.len().to_le_bytes();
        let bytes: Vec<u8> = number.into_iter().cycle().take(FILE).collect();
        let media = uploads::upload(&self.ada.media(), "file", Purpose::File, &bytes).await?;
        self.files.push(media.id);
        Ok(())
    }

    async fn registers(&self) -> Result<(), Status> {
        let device = Device { device_id: DeviceId::new().to_string(), name: "test".to_owned() };
        let request = RegisterRequest {
            op: Op::new().to_string(),
            username: name("somebody"),
            password: PASSWORD.to_owned(),
            display_name: String::new(),
            device: Some(device),
        };
        AuthServiceClient::new(self.ada.channel()).register(request).await.map(drop)
    }

    async fn shows(&self, text: &str) -> Result<(), Status> {
        let status = Some(Shown { text: text.to_owned(), ..Shown::default() });
        self.ada.presence().set_status(SetStatusRequest { status }).await.map(drop)
    }

    /// Everything that was acked is there.
    async fn is_whole(&self) {
        let log = reading::log(&self.ada.chat(), &self.notes).await.expect("G1: reads go on");
        let texts = log.iter().filter_map(|entry| match entry.kind() {
            Some(Kind::Text(text)) => Some(&text.body),
            _ => None,
        });
        assert!(texts.eq(&self.said), "G1: what was said is there, and nothing else");
        for id in self.files.iter().take(3) {
            let bytes = uploads::download(&self.ada.media(), id, Variant::Original).await;
            assert_eq!(bytes.expect("G1: files can be had").len(), FILE);
        }
    }
}

#[tokio::test]
async fn g1_a_disk_without_room_refuses_all_writes_and_keeps_what_was_acked() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder can be made");
    if disk::is_impossible(&data) {
        return;
    }
    let server = Server::start_under(&disk::small(&data, DISK, BALLAST), &data, SETTINGS).await;
    let ada = Login::register(server.channel(), "ada").await;
    let created = ada.chat().create_conversation(compose::direct(&ada.id())).await.expect("creates");
    let notes = created.into_inner().conversation.expect("a row").id;
    let mut scene = Scene { ada, notes, said: Vec::new(), files: Vec::new() };
    scene.says(10).await.expect("there is room");
    scene.shows("well").await.expect("there is room");

    let files = until_full("files", async || scene.uploads().await).await;
    let texts = until_full("texts", async || scene.says(TEXT).await).await;
    let words = until_full("short texts", async || scene.says(1).await).await;
    let people = until_full("accounts", async || scene.registers().await).await;
    let mut number = 0;
    let statuses = until_full("statuses", async || {
        number += 1;
        scene.shows(&format!("status {number}")).await
    })
    .await;
    println!("{files} files, {texts} texts, {words} short ones, {people} accounts, {statuses} statuses");
    assert!(files > 0, "nothing was on the disk");
    // One that found a little room does not mean that there is some for another.
    assert_eq!(reason(scene.says(TEXT).await), ErrorReason::StorageFull);
    scene.is_whole().await;

    fs::remove_file(disk::ballast(server.pid(), &data)).expect("there was ballast");
    scene.says(TEXT).await.expect("G1: there is room again");
    scene.registers().await.expect("G1: there is room again");
    scene.shows("well again").await.expect("G1: there is room again");
    scene.uploads().await.expect("G1: there is room again");
    scene.is_whole().await;
    server.end().await;
}
