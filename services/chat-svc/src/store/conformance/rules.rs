//! The rules, one by one.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::conversation::HistoryVisibility;
use crate::people::Action;
use crate::store::{Order, Page, Slice};

rules!(
    a_batch_is_stored_whole_and_only_at_the_head,
    a_load_brings_the_state_and_the_ops_asked_for,
    pages_stop_where_the_reader_may_not_read,
    a_page_is_of_one_moment,
    pages_are_bounded_by_entries_and_bytes,
    a_row_is_as_of_what_its_reader_may_read,
    unread_counts_messages_since_the_mark,
    changed_lists_what_a_cursor_has_not_seen,
    a_time_finds_its_place,
    a_stranger_sees_nothing,
    typing_is_shown_to_the_other_members_of_now,
);

fn everything(order: Order) -> Slice {
    Slice { from: Seq(1), to: Seq(1 << 40), order, across_gaps: true, max_entries: 1000, max_bytes: 1 << 30 }
}

fn seqs(page: &Page) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.seq.0).collect()
}

async fn a_batch_is_stored_whole_and_only_at_the_head(store: Arc<dyn Store>) {
    let (ada, mut writer) = (UserId::new(), Writer::new());
    let first = writer.batch(&[group(ada, &[], Settings::default()), text(ada, "one")]);
    append(&store, first.clone()).await.unwrap();
    assert_eq!(append(&store, first.clone()).await, Err(AppendError::Conflict));
    let second = writer.batch(&[text(ada, "two")]);
    let third = writer.batch(&[text(ada, "three")]);
    assert_eq!(append(&store, third.clone()).await, Err(AppendError::Conflict), "a gap");
    append(&store, second.clone()).await.unwrap();
    append(&store, third.clone()).await.unwrap();
    let page = store.read(ada, writer.conversation, everything(Order::Ascending)).await.unwrap().unwrap();
    let written = [first, second, third];
    let written = written.iter().flat_map(|batch| &batch.entries).map(|new| new.entry.clone());
    assert_eq!(page.entries, written.collect::<Vec<_>>(), "every field comes back");
}

async fn a_load_brings_the_state_and_the_ops_asked_for(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    assert!(store.load(writer.conversation, Seq(0)).await.unwrap().is_none());
    let contents: Vec<_> = (0..5000).map(|number| text(ada, &number.to_string())).collect();
    append(&store, writer.batch(&[group(ada, &[ben], Settings::default())])).await.unwrap();
    append(&store, writer.batch(&contents)).await.unwrap();
    append(&store, writer.batch(&[(ada, Content::Rename("Coffee".into()))])).await.unwrap();
    let tail = store.load(writer.conversation, Seq(5002)).await.unwrap().unwrap();
    assert_eq!(Some(&tail.state), writer.state.as_ref());
    assert_eq!((tail.before, tail.rows.len()), (Seq(5002 - 256), 256));
    let asked = store.load(writer.conversation, Seq(2000)).await.unwrap().unwrap();
    assert_eq!((asked.before, asked.rows.len(), asked.rows[0].seq), (Seq(2000), 3002, Seq(2001)));
    let too_much = store.load(writer.conversation, Seq(1)).await.unwrap().unwrap();
    assert_eq!(too_much.before, Seq(5002 - 4096), "no more than the dedupe span");
    assert_eq!(store.first(writer.conversation).await.unwrap().map(|row| row.seq), Some(Seq(1)));
}

async fn pages_stop_where_the_reader_may_not_read(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    let contents = [
        group(ada, &[], Settings::default()), // 1
        text(ada, "before"),                  // 2
        (ada, Content::Add(vec![ben])),       // 3
        text(ada, "inside"),                  // 4
        (ada, Content::Remove(vec![ben])),    // 5
        text(ada, "between"),                 // 6
        (ada, Content::Add(vec![ben])),       // 7
        text(ben, "back"),                    // 8
    ];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    let all = store.read(ben, id, everything(Order::Ascending)).await.unwrap().unwrap();
    assert_eq!(
        (seqs(&all), all.next, all.head),
        (vec![3, 4, 5, 7, 8], None, Seq(8)),
        "G7: only inside, G5: all of it"
    );
    let down = store.read(ben, id, everything(Order::Descending)).await.unwrap().unwrap();
    assert_eq!(seqs(&down), [8, 7, 5, 4, 3]);
    let unbroken = Slice { across_gaps: false, ..everything(Order::Ascending) };
    let first = store.read(ben, id, unbroken).await.unwrap().unwrap();
    assert_eq!((seqs(&first), first.next), (vec![3, 4, 5], Some(Seq(7))));
    let rest = store.read(ben, id, Slice { from: Seq(6), ..unbroken }).await.unwrap().unwrap();
    assert_eq!((seqs(&rest), rest.next), (vec![7, 8], None));
    let hidden = Slice { from: Seq(6), to: Seq(6), ..unbroken };
    assert!(seqs(&store.read(ben, id, hidden).await.unwrap().unwrap()).is_empty());
}

/// Ben comes and goes while he reads.
async fn a_page_is_of_one_moment(store: Arc<dyn Store>) {
    const TIMES: usize = 150;
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    append(&store, writer.batch(&[group(ada, &[], Settings::default())])).await.unwrap();
    let (id, newest) = (writer.conversation, Slice { max_entries: 10, ..everything(Order::Descending) });
    let over = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (store, over) = (store.clone(), over.clone());
        async move {
            let mut pages = 0;
            while !over.load(Ordering::Relaxed) {
                if let Some(page) = store.read(ben, id, newest).await.unwrap() {
                    let said: Vec<_> = page.entries.iter().map(|entry| &entry.content).collect();
                    assert!(!said.contains(&&Content::Text("between".into())), "G7: {:?}", seqs(&page));
                    pages += 1;
                }
                tokio::task::yield_now().await;
            }
            pages
        }
    });
    for _ in 0..TIMES {
        for (change, words) in [(Content::Add(vec![ben]), "inside"), (Content::Remove(vec![ben]), "between")]
        {
            append(&store, writer.batch(&[(ada, change), text(ada, words)])).await.unwrap();
            tokio::task::yield_now().await;
        }
    }
    over.store(true, Ordering::Relaxed);
    assert!(reader.await.unwrap() > 0, "nothing was read meanwhile");
}

async fn pages_are_bounded_by_entries_and_bytes(store: Arc<dyn Store>) {
    let (ada, mut writer) = (UserId::new(), Writer::new());
    append(&store, writer.batch(&[group(ada, &[], Settings::default())])).await.unwrap();
    let contents: Vec<_> = (0..9).map(|_| text(ada, &"x".repeat(1000))).collect();
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    let three = Slice { max_entries: 3, ..everything(Order::Ascending) };
    let page = store.read(ada, id, three).await.unwrap().unwrap();
    assert_eq!((seqs(&page), page.next), (vec![1, 2, 3], Some(Seq(4))));
    let down = store.read(ada, id, Slice { order: Order::Descending, ..three }).await.unwrap().unwrap();
    assert_eq!((seqs(&down), down.next), (vec![10, 9, 8], Some(Seq(7))));
    let bytes = Slice { max_bytes: 2500, from: Seq(2), ..everything(Order::Ascending) };
    let page = store.read(ada, id, bytes).await.unwrap().unwrap();
    assert_eq!(
        (seqs(&page), page.next),
        (vec![2, 3, 4], Some(Seq(5))),
        "the one that crosses the bound is the last"
    );
    let exact = Slice { max_entries: 10, ..everything(Order::Ascending) };
    assert_eq!(store.read(ada, id, exact).await.unwrap().unwrap().next, None);
}

async fn a_row_is_as_of_what_its_reader_may_read(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    let contents = [
        group(ada, &[ben], Settings { history_visibility: HistoryVisibility::All }),
        text(ada, "hello"),
        (ada, Content::Remove(vec![ben])),
        (ada, Content::Rename("Without Ben".into())),
        text(ada, "secret"),
    ];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    let ours = &store.rows(ada, vec![id]).await.unwrap()[0];
    assert_eq!((ours.name.as_str(), ours.head, ours.number, ours.unread), ("Without Ben", Seq(5), 2, 0));
    assert_eq!((ours.created, ours.active), (at(Seq(1)), at(Seq(5))));
    assert_eq!(ours.members.len(), 1);
    let theirs = &store.rows(ben, vec![id]).await.unwrap()[0];
    assert_eq!(
        (theirs.name.as_str(), theirs.head, theirs.number, theirs.unread),
        ("Tea", Seq(3), 1, 1),
        "G7"
    );
    assert_eq!((theirs.members.len(), theirs.active), (0, at(Seq(3))));
    assert_eq!(theirs.last_message.as_ref().unwrap().seq, Seq(2));
    append(&store, writer.batch(&[(ada, Content::Add(vec![ben]))])).await.unwrap();
    let again = &store.rows(ben, vec![id]).await.unwrap()[0];
    assert_eq!((again.name.as_str(), again.head, again.unread), ("Without Ben", Seq(6), 0));
    assert_eq!(again.ranges.all().len(), 2, "all history is visible to whoever joins");
    assert_eq!(again.last_message.as_ref().unwrap().seq, Seq(5));
}

async fn unread_counts_messages_since_the_mark(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    let contents = [
        group(ada, &[], Settings { history_visibility: HistoryVisibility::All }),
        text(ada, "1"),
        (ada, Content::Add(vec![ben])),
        text(ada, "2"),
        (ada, Content::Rename("Not a message".into())),
        text(ada, "3"),
    ];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    let unread = async |user| store.rows(user, vec![id]).await.unwrap()[0].unread;
    assert_eq!(
        (unread(ada).await, unread(ben).await),
        (0, 2),
        "own ones, and those before joining, are read"
    );
    mark(&store, ben, id, (0, 5)).await;
    assert_eq!(unread(ben).await, 1);
    append(&store, writer.batch(&[text(ben, "4")])).await.unwrap();
    assert_eq!((unread(ada).await, unread(ben).await), (1, 0), "sending reads");
}

async fn changed_lists_what_a_cursor_has_not_seen(store: Arc<dyn Store>) {
    let (ada, ben) = (UserId::new(), UserId::new());
    let (mut tea, mut chess) = (Writer::new(), Writer::new());
    let ids = async |user, since| {
        let (now, changed) = store.changed(user, since).await.unwrap();
        (now, changed.iter().map(|changed| changed.id).collect::<Vec<_>>())
    };
    append(&store, tea.batch(&[group(ada, &[ben], Settings::default())])).await.unwrap();
    append(&store, chess.batch(&[group(ada, &[ben], Settings::default())])).await.unwrap();
    let (first, list) = ids(ben, Commit(0)).await;
    assert_eq!(list, [chess.conversation, tea.conversation], "last active first");
    assert_eq!(ids(ben, first).await.1, []);
    append(&store, tea.batch(&[text(ada, "hello")])).await.unwrap();
    let (second, list) = ids(ben, first).await;
    assert_eq!((list, second > first), (vec![tea.conversation], true));
    mark(&store, ben, tea.conversation, (0, 2)).await;
    let (third, list) = ids(ben, second).await;
    assert_eq!(list, [tea.conversation], "read elsewhere");
    append(&store, tea.batch(&[(ada, Content::Remove(vec![ben]))])).await.unwrap();
    let (fourth, list) = ids(ben, third).await;
    assert_eq!(list, [tea.conversation], "removed");
    append(&store, tea.batch(&[text(ada, "secret")])).await.unwrap();
    assert_eq!(ids(ben, fourth).await.1, [], "G7: nothing of what follows");
    assert_eq!(store.memberships(vec![ada, ben, UserId::new()]).await.unwrap(), [2, 1, 0]);
}

async fn a_time_finds_its_place(store: Arc<dyn Store>) {
    let (ada, mut writer) = (UserId::new(), Writer::new());
    let contents = [group(ada, &[], Settings::default()), text(ada, "2"), text(ada, "3")];
    append(&store, writer.batch(&contents)).await.unwrap();
    for (seconds, seq) in [(0, 1), (1, 1), (2, 2), (3, 3), (4, 4)] {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(store.seq_at(writer.conversation, time).await.unwrap(), Seq(seq), "{seconds}");
    }
}

async fn a_stranger_sees_nothing(store: Arc<dyn Store>) {
    let (ada, eve, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    append(&store, writer.batch(&[group(ada, &[], Settings::default()), text(ada, "x")])).await.unwrap();
    let id = writer.conversation;
    assert_eq!(store.read(eve, id, everything(Order::Ascending)).await.unwrap(), None, "G7");
    assert_eq!(store.rows(eve, vec![id]).await.unwrap(), []);
    assert_eq!(store.changed(eve, Commit(0)).await.unwrap().1, []);
}

async fn typing_is_shown_to_the_other_members_of_now(store: Arc<dyn Store>) {
    let (ada, ben, cem, mut writer) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    let contents = [group(ada, &[ben, cem], Settings::default()), (ada, Content::Remove(vec![cem]))];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    assert_eq!(store.audience(ada, id).await.unwrap(), Some(vec![ben]), "G7");
    assert_eq!(store.audience(ben, id).await.unwrap(), Some(vec![ada]));
    assert_eq!(store.audience(cem, id).await.unwrap(), None, "G7: an ex-member");
    assert_eq!(store.audience(UserId::new(), id).await.unwrap(), None, "G7");
    assert_eq!(store.audience(ada, ConversationId::new()).await.unwrap(), None);
    super::people::relate(&store, ben, ada, Action::Block).await.unwrap();
    assert_eq!(store.audience(ada, id).await.unwrap(), Some(vec![]), "blocked by Ben");
    assert_eq!(store.audience(ben, id).await.unwrap(), Some(vec![]), "who sees nothing of her either");
    super::people::relate(&store, ben, ada, Action::Unblock).await.unwrap();
    let more: Vec<UserId> = (0..126).map(|_| UserId::new()).collect();
    append(&store, writer.batch(&[(ada, Content::Add(more))])).await.unwrap();
    assert_eq!(store.audience(ada, id).await.unwrap().unwrap().len(), 127, "128 members");
    append(&store, writer.batch(&[(ada, Content::Add(vec![cem]))])).await.unwrap();
    assert_eq!(store.audience(ada, id).await.unwrap(), Some(vec![]), "one too many");
    append(&store, writer.batch(&[(ben, Content::Leave(None))])).await.unwrap();
    assert_eq!(store.audience(ada, id).await.unwrap().unwrap().len(), 127);
}
