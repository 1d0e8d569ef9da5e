//! Edits and deletes, one rule after another.

use super::people::relate;
use super::*;
use crate::conversation::{HistoryVisibility, TextKind, Withheld};
use crate::people::Action;
use crate::store::{Order, Row, Slice};

rules!(
    an_edit_changes_the_message_and_a_delete_leaves_no_copy,
    what_was_deleted_fits_any_retry,
    a_change_says_nothing_to_those_who_cannot_read_the_message,
    what_came_after_a_membership_is_not_in_what_was_read_within,
    a_blocked_sender_says_nothing_by_an_edit,
    a_change_raises_nothing_and_moves_mentions,
    those_whose_last_message_changes_are_told,
    only_messages_that_can_be_read_can_be_changed,
);

const EVERYTHING: Slice = Slice {
    from: Seq(1),
    to: Seq(1 << 40),
    order: Order::Ascending,
    across_gaps: true,
    max_entries: 1000,
    max_bytes: 1 << 30,
};

fn edit(body: &str) -> Content {
    Content::Edit(body.to_owned())
}

fn says(entry: &Entry) -> &Content {
    &entry.content
}

fn said(body: &str) -> Content {
    Content::Text(body.to_owned())
}

async fn log(store: &Arc<dyn Store>, user: UserId, id: ConversationId) -> Vec<Entry> {
    let page = store.read(user, id, EVERYTHING).await.unwrap().unwrap();
    let down = Slice { order: Order::Descending, ..EVERYTHING };
    let mut down = store.read(user, id, down).await.unwrap().unwrap();
    down.entries.reverse();
    assert_eq!(page.entries, down.entries, "the same in either direction");
    page.entries
}

async fn row(store: &Arc<dyn Store>, user: UserId, id: ConversationId) -> Row {
    store.rows(user, vec![id]).await.unwrap().remove(0)
}

async fn an_edit_changes_the_message_and_a_delete_leaves_no_copy(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    let begin = [group(ada, &[ben], Settings::default()), text(ben, "2"), text(ada, "3"), text(ben, "4")];
    append(&store, tea.batch(&begin)).await.unwrap();
    let before = log(&store, ada, id).await;
    append(&store, tea.change(ben, &edit("two"), 2)).await.unwrap();
    append(&store, tea.change(ben, &edit("Two"), 2)).await.unwrap();
    let edited = log(&store, ada, id).await;
    assert_eq!((says(&edited[1]), edited[1].rev), (&said("Two"), Seq(6)));
    assert_eq!(edited[1].mentions, edited[5].mentions, "an edit's mentions are the message's");
    assert_eq!((&edited[1].labels, edited[1].time), (&before[1].labels, before[1].time));
    assert_eq!((says(&edited[4]), edited[4].target, edited[4].rev), (&edit("two"), Some(Seq(2)), Seq(0)));
    assert_eq!((&edited[2], &edited[3]), (&before[2], &before[3]), "nothing else changes");
    append(&store, tea.change(ada, &Content::Delete, 2)).await.unwrap();
    let after = log(&store, ben, id).await;
    for place in [1, 4, 5] {
        let entry = &after[place];
        assert_eq!((says(entry), entry.rev), (&Content::Deleted(ada), Seq(7)), "{place}");
        assert!(entry.mentions.is_empty() && entry.labels.is_empty() && entry.reply_to.is_none());
        assert_eq!((entry.number, entry.op, entry.sender), (edited[place].number, edited[place].op, ben));
    }
    assert_eq!((says(&after[6]), after[6].target), (&Content::Delete, Some(Seq(2))));
    assert_eq!((&after[2], &after[3]), (&before[2], &before[3]));
}

async fn what_was_deleted_fits_any_retry(store: Arc<dyn Store>) {
    let (ada, mut tea) = (UserId::new(), Writer::new());
    append(&store, tea.batch(&[group(ada, &[], Settings::default()), text(ada, "2")])).await.unwrap();
    append(&store, tea.change(ada, &edit("two"), 2)).await.unwrap();
    append(&store, tea.change(ada, &Content::Delete, 2)).await.unwrap();
    let rows = store.load(tea.conversation, Seq(0)).await.unwrap().unwrap().rows;
    let cleared = rows.iter().map(|row| row.digest == Digest::CLEARED);
    assert_eq!(cleared.collect::<Vec<_>>(), [false, true, true, false], "no hash of a short text");
    assert!(rows[1].digest.fits(Digest([8; 16])) && !rows[3].digest.fits(Digest([8; 16])));
}

async fn a_change_says_nothing_to_those_who_cannot_read_the_message(store: Arc<dyn Store>) {
    let (ada, ben, cleo, mut tea) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    append(&store, tea.batch(&[group(ada, &[ben], Settings::default()), text(ada, "2")])).await.unwrap();
    append(&store, tea.batch(&[(ada, Content::Add(vec![cleo]))])).await.unwrap();
    let stored = append(&store, tea.change(ada, &edit("secret"), 2)).await.unwrap();
    assert_eq!(stored.not_members, [(Seq(4), vec![cleo])], "G7");
    let seen = log(&store, cleo, id).await.pop().unwrap();
    let whole = log(&store, ben, id).await.pop().unwrap();
    assert_eq!(seen, whole.withheld(Withheld::NotMember), "G7");
    assert_eq!((seen.target, seen.seq, seen.sender), (None, Seq(4), ada));
    assert!(seen.mentions.is_empty() && seen.labels.is_empty());
    let stored = append(&store, tea.change(ada, &Content::Delete, 2)).await.unwrap();
    assert_eq!(stored.not_members, [(Seq(5), vec![cleo])], "G7");
    let seen = log(&store, cleo, id).await;
    assert!(seen[1..].iter().all(|entry| *says(entry) == Content::Withheld(Withheld::NotMember)));
    // With all history visible, they read it as everybody does.
    let all = Settings { history_visibility: HistoryVisibility::All };
    let dora = UserId::new();
    append(&store, tea.batch(&[(ada, Content::Settings(all)), (ada, Content::Add(vec![dora]))]))
        .await
        .unwrap();
    append(&store, tea.batch(&[text(ada, "8")])).await.unwrap();
    assert_eq!(append(&store, tea.change(ada, &edit("eight"), 8)).await.unwrap().not_members, []);
    assert_eq!(log(&store, dora, id).await, log(&store, ada, id).await);
}

async fn what_came_after_a_membership_is_not_in_what_was_read_within(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    let begin = [group(ada, &[ben], Settings::default()), text(ada, "2"), text(ada, "3"), text(ada, "4")];
    append(&store, tea.batch(&begin)).await.unwrap();
    append(&store, tea.change(ada, &edit("TWO"), 2)).await.unwrap();
    append(&store, tea.batch(&[(ada, Content::Remove(vec![ben]))])).await.unwrap();
    let before = row(&store, ben, id).await;
    assert_eq!(before.unread_mentions, 1, "seq 4");
    let stored = append(&store, tea.change(ada, &edit("later"), 4)).await.unwrap();
    assert!(
        !stored.returned.contains(&ben) && stored.not_members.is_empty(),
        "who is not there is told nothing"
    );
    append(&store, tea.change(ada, &Content::Delete, 3)).await.unwrap();
    let seen = log(&store, ben, id).await;
    assert_eq!(*says(&seen[1]), said("TWO"));
    for place in [2, 3] {
        let kept = (&Content::Withheld(Withheld::NotMember), seen[place].seq);
        assert_eq!((says(&seen[place]), seen[place].rev), kept, "G7: what it says now is not for them");
    }
    let after = row(&store, ben, id).await;
    assert_eq!((after.head, after.unread, after.active), (before.head, before.unread, before.active));
    assert_eq!(*says(&after.last_message.unwrap()), Content::Withheld(Withheld::NotMember));
    // Changed again while they are a member again, it is.
    append(&store, tea.batch(&[(ada, Content::Add(vec![ben]))])).await.unwrap();
    assert_eq!(*says(&log(&store, ben, id).await[3]), Content::Withheld(Withheld::NotMember));
    append(&store, tea.change(ada, &edit("now"), 4)).await.unwrap();
    let seen = log(&store, ben, id).await;
    assert_eq!((says(&seen[3]), says(seen.last().unwrap())), (&said("now"), &edit("now")));
}

async fn a_blocked_sender_says_nothing_by_an_edit(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    let begin = [group(ada, &[ben], Settings::default()), text(ben, "2"), text(ben, "3")];
    append(&store, tea.batch(&begin)).await.unwrap();
    relate(&store, ada, ben, Action::Block).await.unwrap();
    let stored = append(&store, tea.change(ben, &edit("insult"), 2)).await.unwrap();
    assert_eq!(stored.withheld, [(Seq(4), vec![ada])], "G7");
    append(&store, tea.change(ben, &Content::Delete, 3)).await.unwrap();
    let seen = log(&store, ada, id).await;
    let kept = Content::Withheld(Withheld::SenderBlocked);
    assert_eq!((says(&seen[1]), seen[1].rev), (&kept, Seq(4)), "G7: what it says was said in the block");
    assert_eq!((says(&seen[3]), seen[3].target), (&kept, Some(Seq(2))), "G7");
    assert_eq!(*says(&seen[2]), Content::Deleted(ben), "what is taken away is taken away");
    assert_eq!(row(&store, ada, id).await.unread, 2, "an edit that is withheld counts for nothing either");
    let active = row(&store, ada, id).await.active;
    assert_eq!(active, at(Seq(5)), "a deletion is seen");
    relate(&store, ada, ben, Action::Unblock).await.unwrap();
    append(&store, tea.change(ben, &edit("sorry"), 2)).await.unwrap();
    assert_eq!(*says(&log(&store, ada, id).await[1]), said("sorry"));
    append(&store, tea.batch(&[text(ben, "7")])).await.unwrap();
    assert_eq!(row(&store, ada, id).await.unread, 3);
}

async fn a_change_raises_nothing_and_moves_mentions(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    // Even seqs mention everybody, odd ones only who wrote them.
    let begin = [group(ada, &[ben], Settings::default()), text(ada, "2"), text(ada, "3"), text(ada, "4")];
    append(&store, tea.batch(&begin)).await.unwrap();
    let archived = PreferenceChanges { archived: Some(true), ..PreferenceChanges::default() };
    prefer(&store, ben, id, archived, at(Seq(4))).await;
    let counts = async || {
        let row = row(&store, ben, id).await;
        assert!(row.preferences.archived, "a change brings nothing back");
        (row.unread, row.unread_mentions)
    };
    assert_eq!(counts().await, (3, 2));
    let stored = append(&store, tea.change(ada, &edit("two"), 2)).await.unwrap();
    assert_eq!((counts().await, stored.returned), ((3, 1), vec![ben]), "no longer called");
    let stored = append(&store, tea.change(ada, &edit("three"), 3)).await.unwrap();
    assert_eq!((counts().await, stored.returned), ((3, 2), vec![ben]), "called by an edit");
    append(&store, tea.change(ada, &Content::Delete, 3)).await.unwrap();
    assert_eq!(counts().await, (3, 1), "deleted messages stay unread, and call nobody");
    mark(&store, ben, id, (0, 3)).await;
    append(&store, tea.change(ada, &edit("two!"), 2)).await.unwrap();
    assert_eq!(counts().await, (1, 1), "an edit of what was read calls nobody");
    mark(&store, ben, id, (0, 4)).await;
    append(&store, tea.change(ada, &Content::Delete, 4)).await.unwrap();
    assert_eq!(counts().await, (0, 0));
    let own = row(&store, ada, id).await;
    assert_eq!((own.unread, own.marks.marks.read), (0, Seq(4)), "writing a change is no reading");
}

async fn those_whose_last_message_changes_are_told(store: Arc<dyn Store>) {
    let (ada, ben, cleo, mut tea) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    let begin = [group(ada, &[ben, cleo], Settings::default()), text(ada, "2"), text(cleo, "3")];
    append(&store, tea.batch(&begin)).await.unwrap();
    for user in [ada, ben, cleo] {
        mark(&store, user, id, (0, 3)).await;
    }
    relate(&store, ben, cleo, Action::Block).await.unwrap();
    append(&store, tea.batch(&[text(cleo, "4"), (ada, Content::Rename("Chai".into()))])).await.unwrap();
    let sorted = |mut users: Vec<UserId>| {
        users.sort();
        users
    };
    let told = append(&store, tea.change(cleo, &edit("three"), 3)).await.unwrap().returned;
    assert_eq!(told, [ben], "for whom the newer one is withheld");
    let told = append(&store, tea.change(cleo, &edit("four"), 4)).await.unwrap().returned;
    assert_eq!(told, sorted(vec![ada, cleo]));
    let told = append(&store, tea.change(ada, &Content::Delete, 2)).await.unwrap().returned;
    assert_eq!(told, [], "an older one is in no row");
    append(&store, tea.change(ada, &Content::Delete, 4)).await.unwrap();
    let seen = row(&store, ada, id).await.last_message.unwrap();
    assert_eq!((seen.seq, says(&seen)), (Seq(4), &Content::Deleted(ada)), "it was the last, and was deleted");
}

async fn only_messages_that_can_be_read_can_be_changed(store: Arc<dyn Store>) {
    let (ada, ben, mut tea) = (UserId::new(), UserId::new(), Writer::new());
    let id = tea.conversation;
    append(&store, tea.batch(&[group(ada, &[], Settings::default()), text(ada, "2")])).await.unwrap();
    append(&store, tea.batch(&[(ada, Content::Add(vec![ben])), text(ben, "4")])).await.unwrap();
    append(&store, tea.change(ben, &edit("four"), 4)).await.unwrap();
    let found = async |user: UserId| {
        let wanted = (0..=6).map(|seq| (user, Seq(seq))).collect();
        let found = store.targets(id, wanted).await.unwrap();
        found.iter().map(Option::is_some).collect::<Vec<_>>()
    };
    assert_eq!(found(ada).await, [false, false, true, false, true, false, false]);
    assert_eq!(
        found(ben).await,
        [false, false, false, false, true, false, false],
        "G7: not what came before"
    );
    assert_eq!(found(UserId::new()).await, [false; 7]);
    let target = store.targets(id, vec![(ada, Seq(4))]).await.unwrap()[0].unwrap();
    assert_eq!((target.sender, target.time, target.edits), (ben, at(Seq(4)), 1));
    assert_eq!(target.text, Some(TextKind::Body));
    append(&store, tea.change(ben, &Content::Delete, 4)).await.unwrap();
    assert_eq!(found(ben).await, [false; 7], "not what was deleted");
    assert_eq!(store.targets(ConversationId::new(), vec![(ada, Seq(2))]).await.unwrap(), [None]);
}
