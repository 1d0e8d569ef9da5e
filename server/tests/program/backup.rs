//! Backups of a server that runs, and what is made of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use parlor_wire::auth::v1::Credentials;
use parlor_wire::chat::v1::chat_service_client::ChatServiceClient;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Append, AppendRequest, Content, ConversationKind, CreateConversationRequest, FetchRequest, Text,
};
use sha2::{Digest as _, Sha256};
use tonic::transport::Channel;

use crate::support::{Running, run_badly, run_well, seqs, start, uuid, with_token};

/// A person in a conversation with herself.
struct Writer {
    client: ChatServiceClient<Channel>,
    who: Credentials,
    conversation_id: String,
}

impl Writer {
    async fn new(server: &Running, who: Credentials) -> Self {
        let mut client = ChatServiceClient::new(server.channel().await);
        let request = CreateConversationRequest {
            op: uuid("create"),
            kind: ConversationKind::Direct.into(),
            member_ids: vec![who.user_id.clone()],
            ..CreateConversationRequest::default()
        };
        let created = client.create_conversation(with_token(request, &who)).await.unwrap().into_inner();
        Self { client, who, conversation_id: created.conversation.unwrap().id }
    }

    async fn write(&mut self, number: u64) {
        let content = Content { kind: Some(Kind::Text(Text { body: format!("number {number}") })) };
        let append = Append {
            conversation_id: self.conversation_id.clone(),
            op: uuid(&format!("write {number}")),
            base_seq: number,
            content: Some(content),
            ..Append::default()
        };
        let request = with_token(AppendRequest { append: Some(append) }, &self.who);
        self.client.append(request).await.unwrap();
    }

    /// The seqs of the whole log, and the generation.
    async fn read(&mut self) -> (Vec<u64>, String) {
        let request =
            FetchRequest { conversation_id: self.conversation_id.clone(), from_seq: 1, to_seq: 100 };
        let answer = self.client.fetch(with_token(request, &self.who)).await.unwrap().into_inner();
        (seqs(&answer.page.unwrap().entries), answer.generation)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_backed_up_while_the_server_ran_is_what_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = start(&path("data")).await;
    let mut ada = Writer::new(&server, server.register("ada").await).await;
    for number in 1..=5 {
        ada.write(number).await;
    }
    run_well(&path("data"), &["backup", text(&path("copy"))]).await;
    for number in 6..=8 {
        ada.write(number).await;
    }
    server.register("ben").await;
    let (all, generation) = ada.read().await;
    assert_eq!(all, (1..=9).collect::<Vec<_>>());
    server.stop().await;

    assert_eq!(
        names(&path("copy")),
        ["auth-keys.json", "auth.db", "chat.db", "manifest.json", "media.db", "presence.db"]
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(mode(&path("copy")), 0, "others can look into the backup");
    assert_eq!(mode(&path("copy").join("auth-keys.json")), 0);

    run_well(&path("restored"), &["restore", text(&path("copy"))]).await;
    assert_eq!(names(&path("restored")), ["auth-keys.json", "auth.db", "chat.db", "media.db", "presence.db"]);
    assert_eq!(mode(&path("restored")), 0);
    let server = start(&path("restored")).await;
    let mut again = Writer::new(&server, server.login("ada").await).await;
    let (restored, new_generation) = again.read().await;
    assert_eq!(
        restored,
        (1..=6).collect::<Vec<_>>(),
        "G1: all that was acked before the backup, and no more"
    );
    assert_ne!(new_generation, generation, "clients must notice");
    again.write(6).await;
    server.register("ben").await;
}

#[tokio::test]
async fn a_stopped_server_can_be_backed_up_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = start(&path("data")).await;
    server.register("ada").await;
    server.stop().await;
    fs::create_dir(path("copy")).unwrap();
    run_well(&path("data"), &["backup", text(&path("copy"))]).await;
    fs::create_dir(path("restored")).unwrap();
    run_well(&path("restored"), &["restore", text(&path("copy"))]).await;
    start(&path("restored")).await.login("ada").await;
}

/// A folder of before there was presence, or were files, and a backup of it, are whole.
#[tokio::test]
async fn what_has_no_presence_and_no_files_is_backed_up_and_restored_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = start(&path("data")).await;
    server.register("ada").await;
    server.stop().await;
    for name in ["presence.db", "media.db"] {
        fs::remove_file(path("data").join(name)).unwrap();
    }
    run_well(&path("data"), &["backup", text(&path("copy"))]).await;
    assert_eq!(names(&path("copy")), ["auth-keys.json", "auth.db", "chat.db", "manifest.json"]);
    run_well(&path("restored"), &["restore", text(&path("copy"))]).await;
    start(&path("restored")).await.login("ada").await;
    assert!(path("restored").join("presence.db").exists() && path("restored").join("media.db").exists());
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_needs_something_to_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (code, said) = run_badly(&path("data"), &["backup", text(&path("copy"))]).await;
    assert_eq!(code, 64);
    assert!(said.contains("is no data folder"), "{said}");
    assert!(!path("data").exists() && !path("copy").exists());

    let server = start(&path("data")).await;
    fs::create_dir(path("taken")).unwrap();
    fs::write(path("taken/file"), "").unwrap();
    let (code, said) = run_badly(&path("data"), &["backup", text(&path("taken"))]).await;
    assert_eq!(code, 64);
    assert!(said.contains("is not empty"), "{said}");
    fs::create_dir(path("copy.partial")).unwrap();
    let (code, said) = run_badly(&path("data"), &["backup", text(&path("copy"))]).await;
    assert_eq!(code, 64);
    assert!(said.contains("cut short") && path("copy.partial").exists(), "{said}");
    let (code, _) = run_badly(&path("data"), &["backup", text(&path("no/such/folder"))]).await;
    assert_eq!(code, 74);
    server.stop().await;
}

#[tokio::test]
async fn a_restore_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = start(&path("data")).await;
    run_well(&path("data"), &["backup", text(&path("copy"))]).await;
    let (code, said) = run_badly(&path("data"), &["restore", text(&path("copy"))]).await;
    assert_eq!(code, 69);
    assert!(said.contains("in use by process"), "{said}");
    server.stop().await;
    let before = names(&path("data"));
    let (code, said) = run_badly(&path("data"), &["restore", text(&path("copy"))]).await;
    assert_eq!(code, 64);
    assert!(said.contains("is not empty"), "{said}");
    assert_eq!(names(&path("data")), before);
}

#[tokio::test]
async fn a_damaged_backup_restores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    start(&path("data")).await.stop().await;
    run_well(&path("data"), &["backup", text(&path("copy"))]).await;
    let refused = async |why: &str| {
        let (code, said) = run_badly(&path("restored"), &["restore", text(&path("copy"))]).await;
        assert!(code == 65 && said.contains(why), "{why:?} is not what {code} says: {said}");
        assert_eq!(names(folder.path()), ["copy", "data"], "something was left behind");
    };
    for name in ["chat.db", "presence.db", "auth.db", "auth-keys.json", "media.db"] {
        let file = path("copy").join(name);
        let good = fs::read(&file).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 1;
        fs::write(&file, &bad).unwrap();
        refused("is not as it was written").await;
        fs::write(&file, &good[..good.len() - 1]).unwrap();
        refused("is not as it was written").await;
        fs::write(&file, &good).unwrap();
    }
    let manifest = path("copy").join("manifest.json");
    let good = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, good.replace("chat.db", "../chat.db")).unwrap();
    refused("a backup of parlor-server has").await;
    fs::write(&manifest, &good[..good.len() / 2]).unwrap();
    refused("is damaged").await;
    fs::remove_file(&manifest).unwrap();
    refused("is no backup").await;
}

/// A manifest proves that nothing changed since it was made, not that what it was made of was sound.
#[tokio::test]
async fn a_backup_of_a_damaged_store_restores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    start(&path("data")).await.stop().await;
    run_well(&path("data"), &["backup", text(&path("copy"))]).await;
    let (file, manifest) = (path("copy/chat.db"), path("copy/manifest.json"));
    let sha256 =
        |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect() };
    let good = fs::read(&file).unwrap();
    let mut bad = good.clone();
    bad[4096..8192].fill(0x5a);
    fs::write(&file, &bad).unwrap();
    let listed = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, listed.replace(&sha256(&good), &sha256(&bad))).unwrap();
    let (code, said) = run_badly(&path("restored"), &["restore", text(&path("copy"))]).await;
    assert_eq!(code, 65);
    assert!(said.contains("chat.db: damaged"), "{said}");
    assert_eq!(names(folder.path()), ["copy", "data"]);
}
