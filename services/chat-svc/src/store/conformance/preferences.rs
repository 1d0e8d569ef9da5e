//! The rules about preferences, mentions, badges and who has reached an entry.

use parlor_types::limits;

use super::people::relate;
use super::*;
use crate::people::Action;
use crate::preferences::{Badge, Draft, Preferences};
use crate::store::{Reached, Row};

rules!(
    preferences_are_kept_and_are_their_members_own,
    no_more_is_pinned_than_may_be,
    a_message_brings_back_what_was_put_away,
    what_is_withheld_brings_nothing_back,
    a_mark_for_later_goes_when_something_is_read,
    mentions_are_counted_until_they_are_read,
    a_badge_is_the_sum_of_what_is_to_be_heard_of,
    those_who_were_there_have_reached_an_entry_or_not,
);

fn archive() -> PreferenceChanges {
    PreferenceChanges { archived: Some(true), ..PreferenceChanges::default() }
}

async fn row(store: &Arc<dyn Store>, user: UserId, id: ConversationId) -> Row {
    store.rows(user, vec![id]).await.unwrap().remove(0)
}

async fn set(
    store: &Arc<dyn Store>,
    user: UserId,
    id: ConversationId,
    changes: PreferenceChanges,
) -> Preferences {
    match prefer(store, user, id, changes, at(Seq(3))).await {
        Preferred::Now(preferences, _) => preferences,
        other => panic!("{other:?}"),
    }
}

/// Ada and Ben in a group of three entries.
async fn tea(store: &Arc<dyn Store>) -> (UserId, UserId, Writer) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    let contents = [group(ada, &[ben], Settings::default()), text(ada, "2"), text(ada, "3")];
    append(store, writer.batch(&contents)).await.unwrap();
    (ada, ben, writer)
}

async fn preferences_are_kept_and_are_their_members_own(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = tea(&store).await;
    let id = writer.conversation;
    let (before, _) = store.changed(ben, Commit(0)).await.unwrap();
    let draft = |seq| Some(Some(Draft { text: "dear".into(), reply_to: Some(Seq(seq)) }));
    let all = PreferenceChanges {
        muted_until: Some(at(Seq(50))),
        pinned: Some(true),
        archived: Some(true),
        hidden: Some(true),
        marked_unread: Some(true),
        draft: draft(3),
        custom_name: Some("Ours".into()),
    };
    let kept = set(&store, ben, id, all.clone()).await;
    assert_eq!(kept, Preferences::default().with(&all, at(Seq(3))));
    assert_eq!(row(&store, ben, id).await.preferences, kept);
    assert_eq!(row(&store, ada, id).await.preferences, Preferences::default(), "G7");
    assert_eq!(store.changed(ben, before).await.unwrap().1.len(), 1, "his other devices learn it");
    assert_eq!(store.changed(ada, before).await.unwrap().1, [], "G7");
    let again = prefer(&store, ben, id, all, at(Seq(9))).await;
    assert_eq!(again, Preferred::Now(kept.clone(), None), "nothing changed");

    let beyond = PreferenceChanges { draft: draft(4), ..PreferenceChanges::default() };
    assert_eq!(prefer(&store, ben, id, beyond.clone(), at(Seq(3))).await, Preferred::Ahead);
    assert_eq!(prefer(&store, UserId::new(), id, archive(), at(Seq(3))).await, Preferred::NotFound);
    assert_eq!(prefer(&store, ben, ConversationId::new(), archive(), at(Seq(3))).await, Preferred::NotFound);

    append(&store, writer.batch(&[(ada, Content::Remove(vec![ben])), text(ada, "5")])).await.unwrap();
    let beyond = PreferenceChanges { draft: draft(5), ..PreferenceChanges::default() };
    assert_eq!(prefer(&store, ben, id, beyond, at(Seq(5))).await, Preferred::Ahead, "G7");
    assert_eq!(row(&store, ben, id).await.preferences, kept, "an ex-member keeps them, and gets no message");
    assert!(!set(&store, ben, id, PreferenceChanges { hidden: Some(false), ..archive() }).await.hidden);
}

async fn no_more_is_pinned_than_may_be(store: Arc<dyn Store>) {
    let (ada, ben) = (UserId::new(), UserId::new());
    let pin = |on| PreferenceChanges { pinned: Some(on), ..PreferenceChanges::default() };
    let mut ids = Vec::new();
    for _ in 0..=limits::MAX_PINNED {
        let mut writer = Writer::new();
        append(&store, writer.batch(&[group(ada, &[ben], Settings::default())])).await.unwrap();
        ids.push(writer.conversation);
    }
    let last = ids.pop().unwrap();
    for id in &ids {
        set(&store, ada, *id, pin(true)).await;
    }
    assert_eq!(prefer(&store, ada, last, pin(true), at(Seq(3))).await, Preferred::TooManyPinned);
    set(&store, ben, last, pin(true)).await;
    set(&store, ada, ids[0], pin(true)).await;
    set(&store, ada, ids[0], pin(false)).await;
    assert!(set(&store, ada, last, pin(true)).await.pinned_at.is_some());
}

async fn a_message_brings_back_what_was_put_away(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = tea(&store).await;
    let id = writer.conversation;
    let muted = PreferenceChanges { muted_until: Some(at(Seq(6))), hidden: Some(true), ..archive() };
    set(&store, ada, id, archive()).await;
    set(&store, ben, id, muted).await;
    let renamed = append(&store, writer.batch(&[(ada, Content::Rename("Coffee".into()))])).await.unwrap();
    assert_eq!(renamed.returned, [], "only a message does");
    let stored = append(&store, writer.batch(&[text(ben, "5")])).await.unwrap();
    let mut both = vec![ada, ben];
    both.sort();
    assert_eq!(stored.returned, both);
    assert_eq!(row(&store, ada, id).await.preferences, Preferences::default());
    let ben_s = row(&store, ben, id).await.preferences;
    assert_eq!((ben_s.hidden, ben_s.archived), (false, true), "muted: it stays in the archive");
    let stored = append(&store, writer.batch(&[text(ada, "6")])).await.unwrap();
    assert_eq!((stored.returned, row(&store, ben, id).await.preferences.archived), (vec![ben], false));

    set(&store, ben, id, archive()).await;
    append(&store, writer.batch(&[(ada, Content::Remove(vec![ben])), text(ada, "8")])).await.unwrap();
    assert!(row(&store, ben, id).await.preferences.archived, "G7: it was not for him");
    let stored =
        append(&store, writer.batch(&[(ada, Content::Add(vec![ben])), text(ada, "10")])).await.unwrap();
    assert_eq!((stored.returned, row(&store, ben, id).await.preferences.archived), (vec![ben], false));
}

async fn what_is_withheld_brings_nothing_back(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = tea(&store).await;
    let id = writer.conversation;
    relate(&store, ben, ada, Action::Block).await.unwrap();
    set(&store, ben, id, archive()).await;
    let stored = append(&store, writer.batch(&[text(ada, "4, which mentions all")])).await.unwrap();
    let row = row(&store, ben, id).await;
    assert_eq!((stored.returned, row.preferences.archived), (vec![], true));
    assert_eq!((row.unread, row.unread_mentions), (2, 1), "those of before");
}

async fn a_mark_for_later_goes_when_something_is_read(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = tea(&store).await;
    let id = writer.conversation;
    let later = PreferenceChanges { marked_unread: Some(true), ..PreferenceChanges::default() };
    let marked = async |user| row(&store, user, id).await.preferences.marked_unread;
    set(&store, ben, id, later.clone()).await;
    mark(&store, ben, id, (3, 0)).await;
    assert!(marked(ben).await);
    mark(&store, ben, id, (3, 2)).await;
    assert!(!marked(ben).await);
    set(&store, ada, id, later.clone()).await;
    let stored = append(&store, writer.batch(&[text(ada, "4")])).await.unwrap();
    assert_eq!((stored.returned, marked(ada).await), (vec![ada], false), "writing reads");
    set(&store, ben, id, later).await;
    append(&store, writer.batch(&[text(ada, "5")])).await.unwrap();
    assert!(marked(ben).await, "another's message does not");
}

async fn mentions_are_counted_until_they_are_read(store: Arc<dyn Store>) {
    // Each second entry mentions everybody.
    let (ada, ben, mut writer) = tea(&store).await;
    let id = writer.conversation;
    let contents = [text(ada, "4"), (ada, Content::Rename("5".into())), (ada, Content::Rename("6".into()))];
    append(&store, writer.batch(&contents)).await.unwrap();
    let counts = async |user| {
        let row = row(&store, user, id).await;
        (row.unread, row.unread_mentions)
    };
    assert_eq!((counts(ben).await, counts(ada).await), ((3, 2), (0, 0)), "messages, and not one's own");
    mark(&store, ben, id, (2, 2)).await;
    assert_eq!(counts(ben).await, (2, 1));
    append(&store, writer.batch(&[text(ben, "7"), text(ada, "8")])).await.unwrap();
    assert_eq!((counts(ben).await, counts(ada).await), ((1, 1), (0, 0)), "writing reads");
    append(&store, writer.batch(&[(ada, Content::Remove(vec![ben])), text(ada, "10")])).await.unwrap();
    assert_eq!(counts(ben).await, (1, 1), "G7: none of after");
    append(&store, writer.batch(&[(ada, Content::Add(vec![ben]))])).await.unwrap();
    assert_eq!(counts(ben).await, (0, 0), "what was before is not unread");
}

async fn a_badge_is_the_sum_of_what_is_to_be_heard_of(store: Arc<dyn Store>) {
    let ben = UserId::new();
    let mut ids = Vec::new();
    for _ in 0..5 {
        let (ada, mut writer) = (UserId::new(), Writer::new());
        let contents = [group(ada, &[ben], Settings::default()), text(ada, "2"), text(ada, "3")];
        append(&store, writer.batch(&contents)).await.unwrap();
        ids.push(writer.conversation);
    }
    let badge = async |seconds| store.badge(ben, at(Seq(seconds))).await.unwrap();
    assert_eq!(badge(9).await, Badge { unread: 10, unread_mentions: 5, conversations: 5 });
    set(&store, ben, ids[0], archive()).await;
    set(&store, ben, ids[1], PreferenceChanges { muted_until: Some(at(Seq(20))), ..Default::default() })
        .await;
    mark(&store, ben, ids[2], (3, 3)).await;
    mark(&store, ben, ids[3], (3, 3)).await;
    set(&store, ben, ids[3], PreferenceChanges { marked_unread: Some(true), ..Default::default() }).await;
    assert_eq!(badge(19).await, Badge { unread: 2, unread_mentions: 2, conversations: 2 });
    assert_eq!(badge(20).await, Badge { unread: 4, unread_mentions: 2, conversations: 3 }, "the mute ends");
    assert_eq!(store.badge(UserId::new(), at(Seq(9))).await.unwrap(), Badge::default());
}

async fn those_who_were_there_have_reached_an_entry_or_not(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = tea(&store).await;
    let (cleo, id) = (UserId::new(), writer.conversation);
    append(&store, writer.batch(&[(ada, Content::Add(vec![cleo])), text(ben, "5")])).await.unwrap();
    mark(&store, ben, id, (3, 2)).await;
    mark(&store, cleo, id, (5, 5)).await;
    let reached = async |user, seq| match store.reached(user, id, Seq(seq)).await.unwrap() {
        Reached::By { received, read, members } => {
            let members: Vec<UserId> = members.into_iter().map(|(user, _)| user).collect();
            (received, read, members)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(reached(ada, 2).await, (1, 1, vec![ben]), "Cleo came later");
    assert_eq!(reached(ada, 3).await, (1, 0, vec![ben]));
    let (received, read, mut members) = reached(ben, 5).await;
    members.sort();
    let mut expected = vec![ada, cleo];
    expected.sort();
    assert_eq!((received, read, members), (1, 1, expected), "Ada has not said so");
    assert_eq!(store.reached(ada, id, Seq(6)).await.unwrap(), Reached::Ahead);
    assert_eq!(store.reached(ada, id, Seq(0)).await.unwrap(), Reached::Unreadable);
    assert_eq!(store.reached(cleo, id, Seq(3)).await.unwrap(), Reached::Unreadable, "G7");
    assert_eq!(store.reached(UserId::new(), id, Seq(2)).await.unwrap(), Reached::NotFound, "G7");
    append(&store, writer.batch(&[(ada, Content::Remove(vec![ben]))])).await.unwrap();
    assert_eq!(store.reached(ben, id, Seq(2)).await.unwrap(), Reached::NotFound, "G7: an ex-member");
    assert_eq!(reached(ada, 2).await, (0, 0, vec![]), "nor does an ex-member count");
}
