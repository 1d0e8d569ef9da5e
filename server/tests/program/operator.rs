//! What an operator does with the accounts of a server that is stopped.

use std::path::Path;

use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::{Device, LoginServiceRequest};

use crate::support::{Running, run, run_badly, run_well, start, uuid};

/// Argon2id of the password that all tests use.
const HASH: &str =
    "$argon2id$v=19$m=64,t=1,p=1$nXXDStLE4CKgtp1n86MCJg$1FbK8VkSPFxVLWeqVvdJ8dHbPklzrM4JWTQ0asYruK8";

fn line(username: &str) -> String {
    format!("{{\"username\": \"{username}\", \"password_hash\": \"{HASH}\"}}\n")
}

fn file(folder: &Path, lines: &[String]) -> String {
    let path = folder.join("users.jsonl");
    std::fs::write(&path, lines.concat()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn imported_people_log_in_with_the_password_they_had() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let id = "0f0e1c3e-7d0c-4b5f-9a51-0a4f6d1c2b3a";
    let with_id = line("ben").replace('{', &format!("{{\"user_id\": \"{id}\", "));
    let users = file(folder.path(), &[line("ada"), with_id, line("ada")]);
    assert_eq!(run_well(&data, &["import-users", &users]).await, "imported 2, there already 0\n");
    let again = run(&data, &["import-users", &users]).await;
    assert_eq!(String::from_utf8(again.stdout).unwrap(), "imported 0, there already 2\n");
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains("line 1:") && told.contains("line 2:") && !told.contains("line 3:"), "{told}");

    let server = start(&data).await;
    server.login("ada").await;
    assert_eq!(server.login("ben").await.user_id, id);
    let (code, _) = run_badly(&data, &["import-users", &users]).await;
    assert_eq!(code, 69, "the server runs");
}

#[tokio::test]
async fn one_bad_line_and_nobody_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let users = file(folder.path(), &[line("ada"), line("b"), "{}\n".to_owned()]);
    let (code, text) = run_badly(&data, &["import-users", &users]).await;
    assert_eq!(code, 65);
    assert!(text.contains("line 2: username") && text.contains("line 3: not an object"), "{text}");
    let good = file(folder.path(), &[line("ada")]);
    assert_eq!(run_well(&data, &["import-users", &good]).await, "imported 1, there already 0\n");
    let (code, text) = run_badly(&data, &["import-users", "/nowhere/users.jsonl"]).await;
    assert_eq!(code, 74);
    assert!(text.contains("/nowhere/users.jsonl"), "{text}");
}

async fn login_service(server: &Running, id: &str, secret: &str) -> bool {
    let request = LoginServiceRequest {
        service_account_id: id.to_owned(),
        secret: secret.to_owned(),
        device: Some(Device { device_id: uuid("bot"), name: "a test".to_owned() }),
    };
    AuthServiceClient::new(server.channel().await).login_service(request).await.is_ok()
}

#[tokio::test]
async fn a_service_account_logs_in_with_the_secret_it_was_shown() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run_well(folder.path(), &["service-account", "create", "bot"]).await;
    let word = |key: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(key)).expect("it is printed");
        line.trim().to_owned()
    };
    let (id, secret) = (word("id"), word("secret"));
    let (code, text) = run_badly(folder.path(), &["service-account", "create", "bot"]).await;
    assert_eq!(code, 65, "{text}");
    let (code, _) = run_badly(folder.path(), &["service-account", "create", "b"]).await;
    assert_eq!(code, 64);

    let server = start(folder.path()).await;
    assert!(login_service(&server, &id, &secret).await);
    assert!(!login_service(&server, &id, &secret.to_ascii_uppercase()).await);
    let (code, _) = run_badly(folder.path(), &["service-account", "create", "other"]).await;
    assert_eq!(code, 69, "the server runs");
}
