//! Lists: every page, both ways, to the end, without loss or doubling.

use parlor_testkit::{compose, reason};
use parlor_wire::chat::v1::list_messages_request::{Conversation as Named, Start};
use parlor_wire::chat::v1::{
    Conversation, Direction, Entry, ListConversationsRequest, ListMessagesRequest, SyncRequest,
};
use parlor_wire::errors::v1::ErrorReason;
use tonic::Status;

use crate::support::{Scene, User, seqs};

fn messages(conversation: &str, direction: Direction, start: Option<Start>) -> ListMessagesRequest {
    ListMessagesRequest {
        conversation: Some(Named::ConversationId(conversation.to_owned())),
        direction: direction.into(),
        start,
        page_size: 7,
        page_token: String::new(),
    }
}

/// All pages, each of which must be full but the last.
async fn all(user: &User, mut request: ListMessagesRequest) -> Result<Vec<Entry>, Status> {
    let mut entries = Vec::new();
    loop {
        let page = user.chat.clone().list_messages(request.clone()).await?.into_inner();
        let size = page.messages.len();
        entries.extend(page.messages.into_iter().map(|message| message.entry.expect("an entry")));
        if page.next_page_token.is_empty() {
            return Ok(entries);
        }
        assert_eq!(size, 7, "a page that is not the last is full");
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn messages_are_listed_both_ways_to_the_end() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (row, _) = ada.create(compose::direct(&ben.id())).await.unwrap();
    for n in 2..=50 {
        assert_eq!(ada.says(&row.id, &format!("message {n}")).await, n);
    }
    let newer = all(&ben, messages(&row.id, Direction::Newer, None)).await.unwrap();
    assert_eq!(newer, ben.log(&row.id).await.unwrap());
    assert_eq!(seqs(&newer), (1..=50).collect::<Vec<_>>());
    let older = all(&ben, messages(&row.id, Direction::Older, None)).await.unwrap();
    assert_eq!(seqs(&older), (1..=50).rev().collect::<Vec<_>>());
    let unspecified = all(&ben, messages(&row.id, Direction::Unspecified, None)).await.unwrap();
    assert_eq!(unspecified, older);

    let with_user = ListMessagesRequest {
        conversation: Some(Named::WithUserId(ada.id())),
        ..messages("", Direction::Newer, Some(Start::Seq(45)))
    };
    assert_eq!(seqs(&all(&ben, with_user).await.unwrap()), [45, 46, 47, 48, 49, 50]);
    let down = all(&ben, messages(&row.id, Direction::Older, Some(Start::Seq(4)))).await.unwrap();
    assert_eq!(seqs(&down), [4, 3, 2, 1]);
    let beyond = all(&ben, messages(&row.id, Direction::Newer, Some(Start::Seq(u64::MAX)))).await.unwrap();
    assert_eq!(beyond, Vec::<Entry>::new());
    let everything =
        all(&ben, messages(&row.id, Direction::Older, Some(Start::Seq(u64::MAX)))).await.unwrap();
    assert_eq!(everything, older);
}

#[tokio::test]
async fn messages_are_found_by_time() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    for _ in 0..20 {
        ada.says(&tea, "now").await;
    }
    let log = ada.log(&tea).await.unwrap();
    let time_of = |entry: &Entry| entry.time.map(|time| (time.seconds, time.nanos)).unwrap();
    for at in [&log[0], &log[10], &log[20]] {
        let time = at.time.unwrap();
        let (earlier, later): (Vec<_>, Vec<_>) =
            log.iter().cloned().partition(|entry| time_of(entry) < (time.seconds, time.nanos));
        let newer = messages(&tea, Direction::Newer, Some(Start::Time(time)));
        assert_eq!(all(&ada, newer).await.unwrap(), later, "at or after it");
        let older = messages(&tea, Direction::Older, Some(Start::Time(time)));
        let before: Vec<_> = earlier.into_iter().rev().collect();
        assert_eq!(all(&ada, older).await.unwrap(), before, "before it");
    }
}

#[tokio::test]
async fn a_page_token_goes_with_its_request_only() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let (tea, coffee) = (ada.group(&[]).await, ada.group(&[]).await);
    for _ in 0..8 {
        ada.says(&tea, "tea").await;
    }
    let page = ada.chat.clone().list_messages(messages(&tea, Direction::Newer, None)).await.unwrap();
    let token = page.into_inner().next_page_token;
    for (conversation, direction, page_token) in [
        (&coffee, Direction::Newer, token.clone()),
        (&tea, Direction::Older, token.clone()),
        (&tea, Direction::Newer, format!("{token}A")),
        (&tea, Direction::Newer, "garbage".to_owned()),
    ] {
        let request = ListMessagesRequest { page_token, ..messages(conversation, direction, None) };
        let refused = ada.chat.clone().list_messages(request).await;
        assert_eq!(reason(refused), ErrorReason::PageTokenInvalid);
    }
    let request = ListConversationsRequest { page_size: 0, page_token: token.clone() };
    assert_eq!(reason(ada.chat.clone().list_conversations(request).await), ErrorReason::PageTokenInvalid);
    let request = SyncRequest { page_token: token, ..SyncRequest::default() };
    assert_eq!(reason(ada.chat.clone().sync(request).await), ErrorReason::PageTokenInvalid);
}

#[tokio::test]
async fn the_chat_list_is_paged_latest_activity_first() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let mut wanted = Vec::new();
    for _ in 0..15 {
        wanted.insert(0, ada.group(&[]).await);
    }
    let woken = wanted.pop().unwrap();
    ada.says(&woken, "the oldest becomes the newest").await;
    wanted.insert(0, woken);

    let mut request = ListConversationsRequest { page_size: 4, page_token: String::new() };
    let mut rows: Vec<Conversation> = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let page = ada.chat.clone().list_conversations(request.clone()).await.unwrap().into_inner();
        sizes.push(page.conversations.len());
        rows.extend(page.conversations);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [4, 4, 4, 3]);
    assert_eq!(rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), wanted);
    assert_eq!(rows[0], ada.row(&rows[0].id).await.unwrap());
}

#[tokio::test]
async fn g5_a_paged_sync_with_changes_in_between_and_its_cursor_miss_nothing() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let mut groups = Vec::new();
    for _ in 0..130 {
        groups.push(ada.group(&[]).await);
    }
    let sync = |cursor: bytes::Bytes, page_token: String| {
        let mut chat = ada.chat.clone();
        async move { chat.sync(SyncRequest { cursor, page_token }).await.unwrap().into_inner() }
    };
    let first = sync(bytes::Bytes::new(), String::new()).await;
    assert_eq!(first.conversations.len(), 100);
    assert!(
        first.cursor.is_empty() && !first.next_page_token.is_empty(),
        "a cursor comes with the last page"
    );
    // One of a page that has come, and one of a page that has not.
    ada.says(&groups[129], "behind").await;
    ada.says(&groups[0], "before").await;
    let second = sync(bytes::Bytes::new(), first.next_page_token).await;
    assert!(second.next_page_token.is_empty() && !second.cursor.is_empty());
    let rest = sync(second.cursor.clone(), String::new()).await;
    let heads = |rows: &[Conversation]| rows.iter().map(|row| (row.id.clone(), row.head)).collect::<Vec<_>>();
    assert_eq!(heads(&rest.conversations), [(groups[0].clone(), 2), (groups[129].clone(), 2)], "G5");

    let mut got: Vec<String> =
        first.conversations.iter().chain(&second.conversations).map(|row| row.id.clone()).collect();
    got.extend(rest.conversations.iter().map(|row| row.id.clone()));
    got.sort();
    got.dedup();
    groups.sort();
    assert_eq!(got, groups, "G5");
    let nothing = sync(rest.cursor, String::new()).await;
    assert_eq!(heads(&nothing.conversations), [], "nothing changed since");
}
