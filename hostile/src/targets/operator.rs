//! What an operator hands over: configuration, backups, lists of accounts. None of it is an attacker's, all of it may be damaged,
//! and a backup may come from anywhere.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parlor_runtime::config::Sources;
use parlor_server::{Config, PARLOR_SERVER, commands, load};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::Target;
use crate::input::{Input, Script};

pub(super) const CONFIGURATION: Target = Target {
    name: "configuration",
    about: "configuration: a file, variables and flags",
    run: configuration,
    seeds: configuration_seeds,
    max_len: 2048,
};

pub(super) const BACKUP: Target = Target {
    name: "backup",
    about: "backups to be restored: any manifest, and any file under any name",
    run: backup,
    seeds: backup_seeds,
    max_len: 1024,
};

pub(super) const IMPORT: Target = Target {
    name: "import",
    about: "lists of accounts to be imported",
    run: import,
    seeds: import_seeds,
    max_len: 2048,
};

struct Place {
    folder: TempDir,
    runtime: Runtime,
}

thread_local! {
    static PLACE: Place = Place {
        folder: TempDir::new().expect("a folder for files"),
        runtime: Builder::new_current_thread().build().expect("a runtime without I/O"),
    };
}

/// What is taken is printed, and what is printed is taken as the same.
fn configuration(data: &[u8]) {
    let mut input = Input::new(data);
    let env = (0..input.byte() % 4).map(|_| (format!("PARLOR_{}", input.text()), input.text())).collect();
    let set = (0..input.byte() % 4).map(|_| input.text()).collect();
    PLACE.with(|place| {
        let file = place.folder.path().join("parlor.toml");
        fs::write(&file, input.rest()).expect("the folder is there");
        let Ok(loaded) = load(&PARLOR_SERVER, Sources { file: Some(file.clone()), env, set }) else { return };
        let printed = loaded.to_toml().expect("what is loaded can be printed");
        fs::write(&file, &printed).expect("the folder is there");
        let again = load(&PARLOR_SERVER, Sources { file: Some(file), ..Sources::default() });
        let again =
            again.unwrap_or_else(|problems| panic!("what is printed is refused: {problems}\n{printed}"));
        assert_eq!(format!("{:?}", again.value), format!("{:?}", loaded.value));
    });
}

fn configuration_seeds() -> Vec<Vec<u8>> {
    let file = "[server]\nlisten = \"127.0.0.1:0\"\nallowed_origins = [\"https://a.example\"]\nstop_within = \"5s\"\n\
                [chat]\n[media]\n[auth.password]\nmemory_kib = 19456\n[log]\n";
    let alone = [Script::default().byte(0).byte(0).end(), file.as_bytes().to_vec()].concat();
    let sources = Script::default()
        .byte(1)
        .bytes(b"SERVER__MAX_CONNECTIONS")
        .bytes(b"17")
        .byte(2)
        .bytes(b"server.keepalive_interval=1m")
        .bytes(b"server.trusted_proxies=[\"10.0.0.0/8\"]");
    let whole = load(&PARLOR_SERVER, Sources::default()).expect("the defaults are good");
    let printed = whole.to_toml().expect("the defaults can be printed");
    let small: String = printed.lines().take(40).flat_map(|line| [line, "\n"]).collect();
    vec![alone, [sources.end(), file.as_bytes().to_vec()].concat(), [vec![0, 0], small.into_bytes()].concat()]
}

/// Whatever a backup says, nothing is written outside the folder that is to be made; and what is not whole makes none.
fn backup(data: &[u8]) {
    let mut input = Input::new(data);
    PLACE.with(|place| {
        let folder = place.folder.path().join("restoring");
        let source = folder.join("backup");
        fs::create_dir_all(source.join("blobs/a")).expect("the folder is there");
        let manifest = if input.flag() { input.rest().to_vec() } else { described(&mut input, &source) };
        fs::write(source.join("manifest.json"), manifest).expect("the folder is there");
        let mut config = Config::default();
        config.server.data = folder.join("data");
        let restored = place.runtime.block_on(commands::restore(&PARLOR_SERVER, &source, &config));
        assert!(restored.is_err(), "no database here is one");
        let names = fs::read_dir(&folder).expect("the folder is there").map(|entry| entry.expect("an entry"));
        let names: Vec<_> = names.map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["backup"], "a restore that fails leaves nothing");
        fs::remove_dir_all(&folder).expect("the folder is there");
    });
}

/// A manifest that is true of its files, whatever they are.
fn described(input: &mut Input<'_>, source: &Path) -> Vec<u8> {
    let mut files = Vec::new();
    for number in 0..input.byte() % 8 {
        let known = ["auth.db", "auth.keys", "chat.db", "media.db", "presence.db", "blobs/a/b", "blobs/../x"];
        let name = match known.get(usize::from(input.byte() % 8)) {
            Some(name) => (*name).to_owned(),
            None => input.text(),
        };
        let content = input.bytes();
        // Where it may be written: what is named otherwise is to be refused before it is looked for.
        let plain =
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.') && !name.contains("..");
        if (plain && !name.is_empty()) || name == "blobs/a/b" {
            let _ = fs::write(source.join(&name), content);
        }
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
        let sha256: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = if input.byte() == 255 { u64::from(number) } else { content.len() as u64 };
        files.push(json!({ "name": name, "bytes": bytes, "sha256": sha256 }));
    }
    let manifest = json!({ "format": 1, "made_by": "x", "made_at": "2026-01-01T00:00:00Z", "files": files });
    manifest.to_string().into_bytes()
}

fn backup_seeds() -> Vec<Vec<u8>> {
    let manifest = br#"{"format":1,"made_by":"parlor-server 0.1.0","made_at":"2026-01-01T00:00:00Z",
        "files":[{"name":"chat.db","bytes":1,"sha256":"00"}]}"#;
    let all = (0..6).fold(Script::default().byte(0).byte(6), |script, name| {
        script.byte(name).bytes(b"SQLite format 3\0").byte(0)
    });
    let page =
        STANDARD.decode("U1FMaXRlIGZvcm1hdCAzABAAAgIAQCAgAAAAAQAAAAEAAAAAAAAAAAAAAAE=").expect("base64");
    let databases = [0, 2, 3, 4]
        .into_iter()
        .fold(Script::default().byte(0).byte(5), |script, name| script.byte(name).bytes(&page).byte(0));
    let out = Script::default().byte(0).byte(1).byte(7).bytes(b"../../out").bytes(b"x").byte(0);
    vec![
        [vec![1], manifest.to_vec()].concat(),
        all.end(),
        databases.byte(1).bytes(b"key").byte(0).end(),
        out.end(),
    ]
}

/// A list is checked as a whole before anything is made of it.
fn import(data: &[u8]) {
    PLACE.with(|place| {
        let file = place.folder.path().join("people.jsonl");
        fs::write(&file, data).expect("the folder is there");
        let mut config = Config::default();
        // A folder under a file can be made by nobody: good lists come so far and no further.
        config.server.data = file.join("data");
        let imported = place.runtime.block_on(commands::import_users(config, &file));
        assert!(imported.is_err(), "accounts without a folder");
    });
}

fn import_seeds() -> Vec<Vec<u8>> {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
    let line = |name: &str| {
        json!({ "username": name, "display_name": "Ada", "password_hash": hash, "email": "ada@example.org",
                "user_id": "0190a0b0-0000-7000-8000-000000000001" })
        .to_string()
    };
    let (ada, eve) = (line("ada"), line("eve"));
    vec![ada.clone().into_bytes(), format!("{ada}\n{ada}\n\n{eve}\n").into_bytes()]
}
