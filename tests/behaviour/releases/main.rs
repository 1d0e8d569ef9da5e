//! What a release has kept, a later one opens, and shows as it was.
//!
//! Beside this file is a folder for each release: `data.tar.gz` is what its server left when it had ended, `seen.json` what
//! people saw of it before. `PARLOR_RENEW_RELEASE=1` makes both for the version that is there now; it is done once, with a
//! release, and not to make this test pass.

mod seen;
mod story;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use parlor_testkit::compose;
use parlor_tests::Server;
use parlor_tests::account::{Login, PASSWORD};
use parlor_tests::uploads;
use parlor_wire::chat::v1::Text;
use parlor_wire::chat::v1::content::Kind;
use serde_json::Value;

/// Set to renew.
const RENEW: &str = "PARLOR_RENEW_RELEASE";
const DATA: &str = "data.tar.gz";
const SEEN: &str = "seen.json";
/// In the archive.
const FOLDER: &str = "data";
/// Bytes of an archive: it is in the repository for good.
const MAX_ARCHIVE: u64 = 200_000;

fn releases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("behaviour/releases")
}

fn tar(words: &[&OsStr]) {
    let status = Command::new("tar").args(words).status();
    assert!(status.as_ref().is_ok_and(std::process::ExitStatus::success), "tar {words:?}: {status:?}");
}

/// What all of them see.
async fn seen_by(people: &[Login]) -> Value {
    let mut all = Vec::new();
    for login in people {
        all.push(seen::by(login).await);
    }
    Value::Array(all)
}

async fn renew() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join(FOLDER);
    let server = Server::start(&data).await;
    let people = story::told(&server.channel()).await;
    let seen = seen_by(&people).await;
    server.end().await;
    let release = releases().join(env!("CARGO_PKG_VERSION"));
    fs::create_dir_all(&release).expect("it can be made");
    let text = serde_json::to_string_pretty(&seen).expect("JSON") + "\n";
    fs::write(release.join(SEEN), text).expect("it can be written");
    let archive = release.join(DATA);
    let (to, from) = (archive.as_os_str(), folder.path().as_os_str());
    tar(&["-czf".as_ref(), to, "-C".as_ref(), from, FOLDER.as_ref()]);
}

#[tokio::test]
async fn what_each_release_has_kept_opens_and_is_as_it_was() {
    if std::env::var_os(RENEW).is_some() {
        renew().await;
    }
    let mut count = 0;
    for release in fs::read_dir(releases()).expect("it is in the repository") {
        let release = release.expect("a name").path();
        if !release.is_dir() {
            continue;
        }
        count += 1;
        opens(&release).await;
    }
    assert!(count > 0, "there is no release to open");
}

async fn opens(release: &Path) {
    let name = release.display();
    let archive = release.join(DATA);
    let size = fs::metadata(&archive).expect("each release has one").len();
    assert!(size < MAX_ARCHIVE, "{name}: {size} bytes");
    let text = fs::read_to_string(release.join(SEEN)).expect("each release has it");
    let kept: Value = serde_json::from_str(&text).expect("JSON");
    let folder = tempfile::tempdir().expect("a folder");
    tar(&["-xzf".as_ref(), archive.as_os_str(), "-C".as_ref(), folder.path().as_os_str()]);

    let data = folder.path().join(FOLDER);
    // Once more, so that what the first start changed is read too.
    for _ in 0..2 {
        let server = Server::start(&data).await;
        for person in kept.as_array().expect("people") {
            let username = person["username"].as_str().expect("a name");
            let login = Login::enter(server.channel(), username, PASSWORD).await.expect("logs in");
            let seen = seen::by(&login).await;
            assert_eq!(differences(person, &seen), Vec::<String>::new(), "{name}: what {username} sees");
        }
        server.end().await;
    }
    goes_on(&data, &kept).await;
}

/// The first of those who were there says something.
async fn goes_on(data: &Path, kept: &Value) {
    let server = Server::start(data).await;
    let username = kept[0]["username"].as_str().expect("a name");
    let login = Login::enter(server.channel(), username, PASSWORD).await.expect("logs in");
    let created = login.chat().create_conversation(compose::direct(&login.id())).await.expect("creates");
    let notes = created.into_inner().conversation.expect("a row").id;
    for conversation in kept[0]["conversations"].as_array().expect("some") {
        let text = || Kind::Text(Text { body: "and on it goes".to_owned() });
        let id = conversation["id"].as_str().expect("an id");
        let head = conversation["head"].as_u64().expect("a number");
        let appended = uploads::say(&login, id, text()).await.expect("it is stored");
        assert_eq!(appended.seq, head + 1);
        uploads::say(&login, &notes, text()).await.expect("it is stored");
    }
    server.end().await;
}

/// Where two of the same shape differ.
fn differences(kept: &Value, seen: &Value) -> Vec<String> {
    match (kept, seen) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            let parts = one.iter().zip(other.values());
            let of = |((key, one), other)| {
                differences(one, other).into_iter().map(move |what| format!("{key}: {what}"))
            };
            parts.flat_map(of).collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let parts = one.iter().zip(other).enumerate();
            let of = |(index, (one, other))| {
                differences(one, other).into_iter().map(move |what| format!("{index}: {what}"))
            };
            parts.flat_map(of).collect()
        }
        _ if kept == seen => Vec::new(),
        _ => vec![format!("{kept} then, {seen} now")],
    }
}
