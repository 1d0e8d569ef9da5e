//! Stores that are not as they were written, though every page of them can be read.

use std::path::Path;

use parlor_embedded::rusqlite::Connection;

use crate::support::{run_badly, run_well, start};

/// Makes an index of a store lack a row of its table, as a page does that was written to another place.
fn lose_a_row_of_an_index(store: &Path) {
    let run = |sql: &str| {
        let connection = Connection::open(store).unwrap();
        connection.execute_batch(&format!("PRAGMA writable_schema = ON; {sql}")).unwrap();
    };
    run("CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'session_by_user';
         DELETE FROM sqlite_schema WHERE name = 'session_by_user';");
    // Rows have other keys now, of which the index has not heard.
    run("UPDATE session SET device_id = randomblob(16);
         INSERT INTO sqlite_schema SELECT * FROM kept;
         DROP TABLE kept;");
}

#[tokio::test]
async fn g1_a_store_whose_index_lacks_a_row_is_neither_served_nor_backed_up() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let server = start(&data).await;
    server.register("ada").await;
    let sound = ["chat.db", "presence.db", "auth.db", "media.db"].map(|name| format!("{name}: sound\n"));
    assert_eq!(run_well(&data, &["check"]).await, sound.concat(), "while it runs");
    server.stop().await;
    assert_eq!(run_well(&data, &["check"]).await, sound.concat(), "while it does not");

    lose_a_row_of_an_index(&data.join("auth.db"));
    let copied = ["backup", copy.to_str().unwrap()];
    for arguments in [&["check"][..], &copied, &["serve"]] {
        let (code, said) = run_badly(&data, arguments).await;
        assert_eq!(code, 65, "G1: {arguments:?}: {said}");
        assert!(said.contains("auth.db") && said.contains("index session_by_user"), "{arguments:?}: {said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a backup of a damaged store is none");
}

#[tokio::test]
async fn a_folder_without_data_is_not_sound() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = run_badly(&folder.path().join("nothing"), &["check"]).await;
    assert_eq!(code, 64);
    assert!(said.contains("is no data folder: chat.db is missing"), "{said}");
}
