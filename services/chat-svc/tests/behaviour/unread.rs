//! What is unread, and who has reached an entry: right on every device, whatever another one did meanwhile.

use parlor_testkit::{StreamClient, compose, reason};
use parlor_wire::chat::v1::{
    Append, GetBadgeRequest, GetBadgeResponse, GetReceiptsRequest, GetReceiptsResponse, MarkReadRequest,
    PreferenceChanges, SetPreferencesRequest,
};
use parlor_wire::errors::v1::ErrorReason;
use tonic::Status;

use crate::support::{Scene, User};

async fn badge(user: &User) -> (u64, u64, u32) {
    let GetBadgeResponse { unread, unread_mentions, conversations } =
        user.chat.clone().get_badge(GetBadgeRequest {}).await.expect("a badge").into_inner();
    (unread, unread_mentions, conversations)
}

async fn read(user: &User, conversation: &str, seq: u64) {
    let request = MarkReadRequest { conversation_id: conversation.to_owned(), seq };
    user.chat.clone().mark_read(request).await.expect("a member may read");
}

async fn receipts(user: &User, conversation: &str, seq: u64) -> Result<GetReceiptsResponse, Status> {
    let request = GetReceiptsRequest { conversation_id: conversation.to_owned(), seq };
    user.chat.clone().get_receipts(request).await.map(tonic::Response::into_inner)
}

/// A message that calls this user by name.
async fn calls(sender: &User, conversation: &str, whom: &User) {
    let base = sender.row(conversation).await.expect("a row").head;
    let append = compose::text(conversation, base, "you!");
    sender.append(&Append { mention_ids: vec![whom.id()], ..append }).await.expect("a member may write");
}

#[tokio::test]
async fn what_is_unread_is_right_on_a_device_that_was_away() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let (mut laptop, _) = StreamClient::connect(&ben.chat, b"").await;
    let (_, cursor) = laptop.synced().await;
    drop(laptop);
    ada.says(&tea, "two").await;
    calls(&ada, &tea, &ben).await;
    calls(&ada, &tea, &ben).await;
    let phone = scene.another_session(&ben).await;
    let row = phone.row(&tea).await.unwrap();
    assert_eq!((row.unread, row.unread_mentions, badge(&phone).await), (3, 2, (3, 2, 1)));
    read(&phone, &tea, 3).await;

    let (mut laptop, _) = StreamClient::connect(&ben.chat, &cursor).await;
    let (rows, _) = laptop.synced().await;
    assert_eq!((rows[0].unread, rows[0].unread_mentions, badge(&ben).await), (1, 1, (1, 1, 1)));
    phone.says(&tea, "an answer reads").await;
    let row = ben.row(&tea).await.unwrap();
    assert_eq!((row.unread, row.unread_mentions, badge(&ben).await), (0, 0, (0, 0, 0)));
    assert_eq!(badge(&ada).await, (1, 0, 1));
}

#[tokio::test]
async fn a_badge_leaves_out_what_is_muted_or_put_away() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let mut groups = Vec::new();
    for _ in 0..4 {
        let group = ada.group(&[&ben]).await;
        calls(&ada, &group, &ben).await;
        groups.push(group);
    }
    let set = async |conversation: &str, changes| {
        let conversation_id = conversation.to_owned();
        let request = SetPreferencesRequest { conversation_id, changes: Some(changes) };
        ben.chat.clone().set_preferences(request).await.unwrap();
    };
    assert_eq!(badge(&ben).await, (4, 4, 4));
    set(&groups[0], PreferenceChanges { archived: Some(true), ..Default::default() }).await;
    set(&groups[1], PreferenceChanges { hidden: Some(true), ..Default::default() }).await;
    let mut for_ever = parlor_wire::to_time(std::time::UNIX_EPOCH);
    for_ever.seconds = 253_402_300_799;
    set(&groups[2], PreferenceChanges { muted_until: Some(for_ever), ..Default::default() }).await;
    assert_eq!(badge(&ben).await, (1, 2, 1), "a mention is heard though muted");
    read(&ben, &groups[3], 2).await;
    set(&groups[3], PreferenceChanges { marked_unread: Some(true), ..Default::default() }).await;
    assert_eq!(badge(&ben).await, (0, 1, 1));
}

#[tokio::test]
async fn receipts_of_an_entry_are_for_members_and_of_members() {
    let scene = Scene::start().await;
    let (ada, ben, cleo, eve) =
        (scene.user().await, scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.says(&tea, "two").await;
    ada.does(&tea, compose::add(&[cleo.id()])).await.unwrap();
    ada.says(&tea, "four").await;
    read(&ben, &tea, 2).await;
    read(&cleo, &tea, 4).await;
    let two = receipts(&ada, &tea, 2).await.unwrap();
    assert_eq!((two.received_count, two.read_count, two.members.len()), (1, 1, 1), "Cleo was not there");
    let four = receipts(&ada, &tea, 4).await.unwrap();
    assert_eq!((four.received_count, four.read_count, four.members.len()), (1, 1, 2));

    assert_eq!(reason(receipts(&ada, &tea, 5).await), ErrorReason::SeqAhead);
    assert_eq!(reason(receipts(&ada, &tea, u64::MAX).await), ErrorReason::SeqAhead);
    assert_eq!(reason(receipts(&ada, &tea, 0).await), ErrorReason::FieldInvalid);
    assert_eq!(reason(receipts(&cleo, &tea, 2).await), ErrorReason::FieldInvalid, "G7");
    assert_eq!(reason(receipts(&ada, "tea", 1).await), ErrorReason::FieldInvalid);
    let not_found = receipts(&eve, &compose::op(), 1).await.unwrap_err();
    let strangers = receipts(&eve, &tea, 2).await.unwrap_err();
    assert_eq!((not_found.code(), not_found.details()), (strangers.code(), strangers.details()), "G7");
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    assert_eq!(reason(receipts(&ben, &tea, 2).await), ErrorReason::ConversationNotFound, "G7");
}

#[tokio::test]
async fn g8_who_counts_over_everything_again_and_again_is_held_up() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let mut answered = 0;
    let refused = loop {
        match ada.chat.clone().get_badge(GetBadgeRequest {}).await {
            Ok(_) if answered < 350 => answered += 1,
            Ok(_) => panic!("G8: 350 in a row"),
            Err(refused) => break refused,
        }
    };
    assert_eq!((reason::<()>(Err(refused)), answered >= 200), (ErrorReason::RateLimited, true));
}
