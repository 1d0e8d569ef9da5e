//! A store without room.

use parlor_wire::errors::v1::ErrorReason;

use crate::support::*;

#[tokio::test]
async fn without_room_writes_are_refused_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.store.max_bytes = 160 * 1024;
    let server = Server::start_with(config).await;
    let ada = server.register("ada").await;
    let mut number = 0;
    let refused = loop {
        let answer = server.auth().register(registration(&format!("user{number}"))).await;
        number += 1;
        if answer.is_err() {
            break problem(answer);
        }
    };
    assert_eq!(refused.reason(), ErrorReason::StorageFull);
    assert!(refused.retry_after.is_some());
    server.check(&ada.access_token).await.unwrap();
}
