//! G1: what was acked is there after a restart, and everybody goes on where they were.

use chat_svc::store::new_generation;
use parlor_testkit::{StreamClient, compose};
use parlor_wire::chat::v1::{MarkReadRequest, SyncRequest};

use crate::support::{Scene, outcome};

#[tokio::test]
async fn g1_g2_a_restart_changes_nothing() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (tea, quiet) = (ada.group(&[&ben]).await, ada.group(&[&ben]).await);
    let (mut stream, before) = StreamClient::connect(&ben.chat, b"").await;
    let (_, cursor) = stream.synced().await;
    let append = compose::text(&tea, 1, "before the restart");
    assert_eq!(outcome(stream.append(append.clone()).await), Ok((2, false)));
    let request = MarkReadRequest { conversation_id: quiet.clone(), seq: 1 };
    ben.chat.clone().mark_read(request).await.unwrap();
    let (log, row) = (ada.log(&tea).await.unwrap(), ada.row(&tea).await.unwrap());

    let scene = scene.restart(None, |_| ()).await;
    let (ada, ben) = (scene.session(ada.person).await, scene.session(ben.person).await);
    assert_eq!(ada.log(&tea).await.unwrap(), log, "G1");
    assert_eq!(ada.row(&tea).await.unwrap(), row, "G1");
    let (mut stream, after) = StreamClient::connect(&ben.chat, &cursor).await;
    assert_eq!(after.generation, before.generation, "one life of the store");
    let (rows, _) = stream.synced().await;
    assert_eq!(rows.iter().map(|row| &row.id).collect::<Vec<_>>(), [&tea], "G5: the cursor goes on");
    assert_eq!(outcome(stream.append(append).await), Ok((2, true)), "G2");
    assert_eq!(outcome(stream.append(compose::text(&tea, 2, "after it")).await), Ok((3, false)), "G3");
}

/// What `restore` does to the file of a backup.
#[tokio::test]
async fn a_new_generation_sends_everything_again() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let (tea, coffee) = (ada.group(&[]).await, ada.group(&[]).await);
    let (mut stream, before) = StreamClient::connect(&ada.chat, b"").await;
    let (_, cursor) = stream.synced().await;

    let scene = scene.restart(None, |path| new_generation(&path).expect("the file is ours")).await;
    let ada = scene.session(ada.person).await;
    let (mut stream, after) = StreamClient::connect(&ada.chat, &cursor).await;
    assert_ne!(after.generation, before.generation);
    let (rows, new_cursor) = stream.synced().await;
    assert_eq!(rows.iter().map(|row| &row.id).collect::<Vec<_>>(), [&coffee, &tea], "rule 5: a first sync");
    let sync = |cursor| {
        let mut chat = ada.chat.clone();
        async move { chat.sync(SyncRequest { cursor, ..SyncRequest::default() }).await.unwrap().into_inner() }
    };
    let unary = sync(cursor).await;
    assert_eq!((unary.generation, unary.conversations.len()), (after.generation.clone(), 2));
    let unary = sync(new_cursor).await;
    assert_eq!((unary.generation, unary.conversations.len()), (after.generation, 0));
}
