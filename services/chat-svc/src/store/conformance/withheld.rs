//! What blocked senders wrote, one rule after another.

use super::people::relate;
use super::*;
use crate::conversation::Withheld;
use crate::people::Action;
use crate::store::{Order, Row, Slice};

rules!(
    a_message_is_kept_from_those_who_have_blocked_its_sender,
    what_was_withheld_stays_so_and_nothing_else_is,
    a_row_passes_over_what_is_withheld,
    many_blockers_and_many_members_are_found_alike,
);

const EVERYTHING: Slice = Slice {
    from: Seq(1),
    to: Seq(1 << 40),
    order: Order::Ascending,
    across_gaps: true,
    max_entries: 1000,
    max_bytes: 1 << 30,
};

/// The seqs of entries without their content.
async fn withheld(store: &Arc<dyn Store>, user: UserId, id: ConversationId) -> Vec<u64> {
    let page = store.read(user, id, EVERYTHING).await.unwrap().unwrap();
    let down = Slice { order: Order::Descending, ..EVERYTHING };
    let mut down = store.read(user, id, down).await.unwrap().unwrap();
    down.entries.reverse();
    assert_eq!(page.entries, down.entries, "the same in either direction");
    let entries = page.entries.iter();
    entries.filter(|entry| matches!(entry.content, Content::Withheld(_))).map(|entry| entry.seq.0).collect()
}

async fn row(store: &Arc<dyn Store>, user: UserId, id: ConversationId) -> Row {
    store.rows(user, vec![id]).await.unwrap().remove(0)
}

async fn a_message_is_kept_from_those_who_have_blocked_its_sender(store: Arc<dyn Store>) {
    let (ada, ben, cleo, mut tea) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    append(&store, tea.batch(&[group(ada, &[ben, cleo], Settings::default()), text(cleo, "2")]))
        .await
        .unwrap();
    relate(&store, ben, cleo, Action::Block).await.unwrap();
    relate(&store, UserId::new(), cleo, Action::Block).await.unwrap();
    let batch = [text(cleo, "3"), text(ada, "4"), text(cleo, "5"), (ada, Content::Rename("Mocha".into()))];
    let batch = tea.batch(&batch);
    let stored = append(&store, batch.clone()).await.unwrap();
    assert_eq!(stored.withheld, [(Seq(3), vec![ben]), (Seq(5), vec![ben])], "G7");
    assert_eq!(withheld(&store, ben, id).await, [3, 5], "G7");
    assert!(withheld(&store, ada, id).await.is_empty());
    assert!(withheld(&store, cleo, id).await.is_empty(), "whoever is blocked sees what they wrote");
    let page = store.read(ben, id, Slice { from: Seq(5), to: Seq(5), ..EVERYTHING }).await.unwrap().unwrap();
    let whole = &batch.entries[2].entry;
    assert_eq!(page.entries, [whole.withheld(Withheld::SenderBlocked)]);
    assert!(page.entries[0].mentions.is_empty() && page.entries[0].labels.is_empty(), "G7");
    assert_eq!((page.entries[0].reply_to, page.entries[0].number), (None, whole.number), "the seq stays");
}

async fn what_was_withheld_stays_so_and_nothing_else_is(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    append(&store, tea.batch(&[group(ada, &[ben], Settings::default())])).await.unwrap();
    relate(&store, ada, ben, Action::Block).await.unwrap();
    append(&store, tea.batch(&[text(ben, "2"), (ada, Content::Remove(vec![ben]))])).await.unwrap();
    relate(&store, ada, ben, Action::Unblock).await.unwrap();
    append(&store, tea.batch(&[(ada, Content::Add(vec![ben])), text(ben, "5")])).await.unwrap();
    assert_eq!(withheld(&store, ada, id).await, [2]);
    // Not by those who are away, nor what they missed.
    append(&store, tea.batch(&[(ada, Content::SetRole(ben, crate::conversation::Role::Owner))]))
        .await
        .unwrap();
    append(&store, tea.batch(&[(ada, Content::Leave(None))])).await.unwrap();
    relate(&store, ada, ben, Action::Block).await.unwrap();
    assert_eq!(append(&store, tea.batch(&[text(ben, "8")])).await.unwrap().withheld, []);
    append(&store, tea.batch(&[(ben, Content::Add(vec![ada])), text(ben, "10")])).await.unwrap();
    assert_eq!(withheld(&store, ada, id).await, [2, 10]);
}

async fn a_row_passes_over_what_is_withheld(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    append(&store, tea.batch(&[group(ada, &[ben], Settings::default()), text(ben, "2")])).await.unwrap();
    relate(&store, ada, ben, Action::Block).await.unwrap();
    let contents = [text(ben, "3"), text(ben, "4"), (ben, Content::Leave(None))];
    append(&store, tea.batch(&contents[..2])).await.unwrap();
    let seen = row(&store, ada, id).await;
    assert_eq!((seen.unread, seen.number, seen.head), (1, 3, Seq(4)), "unread is what can be read");
    assert_eq!(seen.last_message.unwrap().seq, Seq(2));
    assert_eq!(seen.active, at(Seq(2)), "nothing came that can be seen");
    mark(&store, ada, id, (0, 3)).await;
    assert_eq!(row(&store, ada, id).await.unread, 0);
    append(&store, tea.batch(&contents[2..])).await.unwrap();
    let seen = row(&store, ada, id).await;
    assert_eq!((seen.unread, seen.active), (0, at(Seq(5))));
    assert_eq!(seen.last_message.unwrap().seq, Seq(2), "beyond an entry that is no message");
    let theirs = row(&store, ben, id).await;
    assert_eq!((theirs.last_message.unwrap().seq, theirs.active), (Seq(4), at(Seq(5))));
    let mut chess = Writer::new();
    append(&store, chess.batch(&[group(ada, &[ben], Settings::default()), text(ben, "2")])).await.unwrap();
    let seen = row(&store, ada, chess.conversation).await;
    assert_eq!((seen.last_message, seen.unread, seen.active), (None, 0, at(Seq(1))));
}

async fn many_blockers_and_many_members_are_found_alike(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    let crowd: Vec<UserId> = (0..700).map(|_| UserId::new()).collect();
    append(&store, tea.batch(&[group(ada, &crowd[..40], Settings::default())])).await.unwrap();
    append(&store, tea.batch(&[(ada, Content::Add(vec![ben]))])).await.unwrap();
    for (number, user) in crowd.iter().enumerate() {
        let relate = crate::store::Relate { user: *user, other: ben, action: Action::Block, at: at(Seq(1)) };
        let (done, told) = oneshot::channel();
        store.relate(relate, Box::new(move |result| done.send(result.is_ok()).unwrap_or_default()));
        if number % 300 == 299 || number + 1 == crowd.len() {
            assert!(told.await.unwrap());
        }
        if number == 29 || number + 1 == crowd.len() {
            let stored = append(&store, tea.batch(&[text(ben, "hi")])).await.unwrap();
            let mut wanted = crowd[..40.min(number + 1)].to_vec();
            wanted.sort();
            assert_eq!(stored.withheld[0].1, wanted, "with {} who have blocked the sender", number + 1);
        }
    }
}
