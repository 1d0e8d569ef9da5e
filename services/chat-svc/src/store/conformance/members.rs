//! The rules about members.

use super::people::{relate, set_privacy};
use super::*;
use crate::people::{Action, Audience, PrivacyChanges};
use crate::receipts::TimedMarks;
use crate::store::{Raised, Reached};

rules!(
    marks_only_grow_and_never_beyond_the_readable,
    others_are_shown_what_was_said_and_when,
    others_know_what_privacy_lets_them,
    whoever_is_blocked_is_not_told,
    whoever_is_blocked_sees_marks_as_they_were,
    whoever_is_blocked_sees_nothing_withheld_as_delivered,
    a_block_outlasts_a_membership_and_shows_where_the_next_began,
    receipts_are_for_present_members_of_a_conversation_that_lists_them,
    reach_is_counted_as_it_is_seen_where_nobody_is_listed,
    a_cursor_from_before_a_receipt_finds_the_conversation,
    a_cursor_from_before_marks_could_be_seen_finds_them,
    a_past_membership_keeps_its_place_in_the_list,
);

async fn marks_only_grow_and_never_beyond_the_readable(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    let contents = [group(ada, &[ben], Settings::default()), text(ada, "1"), text(ada, "2"), text(ada, "3")];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    let now = |marked: Marked| match marked {
        Marked::Now(own, raised) => (own.marks.received.0, own.marks.read.0, raised.is_some()),
        other => panic!("{other:?}"),
    };
    assert_eq!(now(mark(&store, ben, id, (3, 0)).await), (3, 1, true));
    assert_eq!(now(mark(&store, ben, id, (0, 2)).await), (3, 2, true));
    assert_eq!(now(mark(&store, ben, id, (2, 1)).await), (3, 2, false), "lower marks change nothing");
    assert_eq!(now(mark(&store, ben, id, (0, 4)).await), (4, 4, true), "read implies received");
    assert_eq!(mark(&store, ben, id, (5, 0)).await, Marked::Ahead);
    append(&store, writer.batch(&[(ada, Content::Remove(vec![ben])), text(ada, "4")])).await.unwrap();
    assert_eq!(now(mark(&store, ben, id, (5, 5)).await), (5, 5, true), "up to the removal");
    assert_eq!(
        mark(&store, ben, id, (6, 0)).await,
        Marked::Ahead,
        "G7: an ex-member learns of no later entry"
    );
    assert_eq!(mark(&store, UserId::new(), id, (1, 1)).await, Marked::NotFound);
    assert_eq!(mark(&store, ben, ConversationId::new(), (1, 1)).await, Marked::NotFound);
}

fn timed(received: (u64, Option<u64>), read: (u64, Option<u64>)) -> TimedMarks {
    TimedMarks {
        marks: Marks { received: Seq(received.0), read: Seq(read.0) },
        received_at: received.1.map(|seconds| at(Seq(seconds))),
        read_at: read.1.map(|seconds| at(Seq(seconds))),
    }
}

/// What `reader` sees of `user` in the row; the same must come as receipts.
async fn shown(store: &Arc<dyn Store>, reader: UserId, user: UserId, id: ConversationId) -> TimedMarks {
    let row = store.rows(reader, vec![id]).await.unwrap().remove(0);
    let listed = row.members.iter().find(|listed| listed.user == user).unwrap();
    let receipts = store.receipts(reader, vec![(id, vec![user])]).await.unwrap().remove(0);
    assert_eq!(receipts.members, [(user, listed.marks)], "receipts say what the row says");
    listed.marks
}

fn raised(marked: Marked) -> Raised {
    match marked {
        Marked::Now(_, Some(raised)) => raised,
        other => panic!("nothing rose: {other:?}"),
    }
}

async fn others_are_shown_what_was_said_and_when(store: Arc<dyn Store>) {
    let (ada, ben, cleo, mut writer) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    let contents = [group(ada, &[ben, cleo], Settings::default()), text(ada, "1"), text(ada, "2")];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    assert_eq!(shown(&store, ada, ben, id).await, timed((1, None), (1, None)), "joining says nothing");
    let mut others = raised(mark(&store, ben, id, (3, 0)).await).others;
    others.sort();
    let mut expected = vec![ada, cleo];
    expected.sort();
    assert_eq!(others, expected);
    assert_eq!(shown(&store, ada, ben, id).await, timed((3, Some(3)), (1, None)));
    append(&store, writer.batch(&[text(ben, "3")])).await.unwrap();
    assert_eq!(shown(&store, ada, ben, id).await, timed((3, Some(3)), (1, None)), "nor does writing");
    assert_eq!(shown(&store, ben, ben, id).await, timed((4, Some(4)), (4, Some(4))), "but to oneself");
    assert_eq!(raised(mark(&store, ben, id, (0, 2)).await).others.len(), 2, "a Read that comes after it");
    assert_eq!(shown(&store, ada, ben, id).await, timed((3, Some(3)), (2, Some(2))));
    append(&store, writer.batch(&[(ada, Content::Remove(vec![ben])), (ada, Content::Add(vec![ben]))]))
        .await
        .unwrap();
    assert_eq!(shown(&store, ada, ben, id).await, timed((6, None), (6, None)), "a new membership");
}

async fn others_know_what_privacy_lets_them(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    let contents = [group(ada, &[ben], Settings::default()), text(ada, "1"), text(ada, "2"), text(ada, "3")];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    let share = |on| PrivacyChanges { read_receipts: Some(on), ..PrivacyChanges::default() };
    mark(&store, ben, id, (2, 2)).await;
    set_privacy(&store, ben, share(false)).await;
    assert_eq!(raised(mark(&store, ben, id, (3, 3)).await).others, [ada], "it is told as received");
    assert_eq!(shown(&store, ada, ben, id).await, timed((3, Some(3)), (2, Some(2))), "G7");
    let (now, _) = store.changed(ada, Commit(0)).await.unwrap();
    mark(&store, ben, id, (4, 0)).await;
    let (now, _) = store.changed(ada, now).await.unwrap();
    assert_eq!(raised(mark(&store, ben, id, (4, 4)).await).others, [], "G7: reading moves nothing");
    assert_eq!(store.changed(ada, now).await.unwrap().1, [], "G7: not even the cursor's work");
    set_privacy(&store, ben, share(true)).await;
    assert_eq!(shown(&store, ada, ben, id).await, timed((4, Some(4)), (2, Some(2))), "G7: nor later");

    set_privacy(&store, ada, share(false)).await;
    assert_eq!(shown(&store, ada, ben, id).await, timed((4, Some(4)), (0, None)), "mutual");
    assert_eq!(shown(&store, ada, ada, id).await.marks.read, Seq(4), "one's own are one's own");
    set_privacy(&store, ada, share(true)).await;
    let hide = PrivacyChanges { last_seen: Some(Audience::Nobody), ..PrivacyChanges::default() };
    set_privacy(&store, ben, hide).await;
    assert_eq!(shown(&store, ada, ben, id).await, timed((4, None), (2, None)), "G7: no times");
    assert_eq!(shown(&store, ben, ada, id).await.received_at, None, "mutual");
}

async fn whoever_is_blocked_is_not_told(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    append(&store, writer.batch(&[group(ada, &[ben], Settings::default()), text(ada, "1")])).await.unwrap();
    let id = writer.conversation;
    relate(&store, ben, ada, Action::Block).await.unwrap();
    let (now, _) = store.changed(ada, Commit(0)).await.unwrap();
    assert_eq!(raised(mark(&store, ben, id, (2, 2)).await).others, [], "G7");
    assert_eq!(store.changed(ada, now).await.unwrap().1, [], "G7");
    assert_eq!(shown(&store, ada, ben, id).await, timed((1, None), (1, None)), "G7: no times");
    let (now, _) = store.changed(ben, Commit(0)).await.unwrap();
    let of_ada = raised(mark(&store, ada, id, (2, 2)).await);
    assert_eq!((of_ada.others, store.changed(ben, now).await.unwrap().1.len()), (vec![ben], 1));
}

async fn whoever_is_blocked_sees_marks_as_they_were(store: Arc<dyn Store>) {
    let (ada, ben, cleo, mut writer) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    append(&store, writer.batch(&[group(ada, &[ben, cleo], Settings::default()), text(cleo, "2")]))
        .await
        .unwrap();
    let id = writer.conversation;
    mark(&store, ada, id, (2, 0)).await;
    relate(&store, ada, ben, Action::Block).await.unwrap();
    append(&store, writer.batch(&[text(cleo, "3"), text(cleo, "4")])).await.unwrap();
    let frozen = timed((2, None), (1, None));
    for seq in [3, 4] {
        assert_eq!(raised(mark(&store, ada, id, (seq, seq)).await).others, [cleo], "G7: live");
        assert_eq!(shown(&store, ben, ada, id).await, frozen, "G7: what is fetched says no more");
    }
    assert_eq!(shown(&store, cleo, ada, id).await, timed((4, Some(4)), (4, Some(4))));
    let Reached::By { received, read, .. } = store.reached(ben, id, Seq(3)).await.unwrap() else { panic!() };
    assert_eq!((received, read), (0, 0), "G7: nor does counting");
    relate(&store, ada, ben, Action::Unblock).await.unwrap();
    assert_eq!(shown(&store, ben, ada, id).await, timed((4, Some(4)), (4, Some(4))));
    relate(&store, ada, ben, Action::Block).await.unwrap();
    append(&store, writer.batch(&[text(cleo, "5")])).await.unwrap();
    mark(&store, ada, id, (5, 5)).await;
    assert_eq!(shown(&store, ben, ada, id).await, timed((4, None), (4, None)), "another block");
}

async fn a_block_outlasts_a_membership_and_shows_where_the_next_began(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    append(&store, writer.batch(&[group(ben, &[ada], Settings::default())])).await.unwrap();
    let id = writer.conversation;
    relate(&store, ada, ben, Action::Block).await.unwrap();
    append(&store, writer.batch(&[text(ben, "2")])).await.unwrap();
    mark(&store, ada, id, (2, 2)).await;
    assert_eq!(shown(&store, ben, ada, id).await.marks.received, Seq(1), "G7");
    append(&store, writer.batch(&[(ben, Content::Remove(vec![ada])), (ben, Content::Add(vec![ada]))]))
        .await
        .unwrap();
    assert_eq!(shown(&store, ben, ada, id).await, timed((4, None), (4, None)), "G7: as of anybody who joins");
    append(&store, writer.batch(&[text(ben, "5")])).await.unwrap();
    mark(&store, ada, id, (5, 5)).await;
    assert_eq!(shown(&store, ben, ada, id).await, timed((4, None), (4, None)), "G7");
}

async fn whoever_is_blocked_sees_nothing_withheld_as_delivered(store: Arc<dyn Store>) {
    let (ada, ben, cleo, mut writer) = (UserId::new(), UserId::new(), UserId::new(), Writer::new());
    let contents = [group(ada, &[ben, cleo], Settings::default()), text(ada, "2")];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    relate(&store, ben, ada, Action::Block).await.unwrap();
    append(&store, writer.batch(&[text(cleo, "3"), text(ada, "4"), text(ada, "5")])).await.unwrap();
    mark(&store, ben, id, (5, 5)).await;
    assert_eq!(shown(&store, ada, ben, id).await, timed((1, None), (1, None)), "G7");
    assert_eq!(shown(&store, cleo, ben, id).await, timed((5, Some(5)), (5, Some(5))));
    relate(&store, ben, ada, Action::Unblock).await.unwrap();
    relate(&store, ben, ada, Action::Block).await.unwrap();
    assert_eq!(shown(&store, ada, ben, id).await.marks.read, Seq(5), "another block begins anew");
}

async fn receipts_are_for_present_members_of_a_conversation_that_lists_them(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    let crowd: Vec<UserId> = (0..127).map(|_| UserId::new()).collect();
    let contents =
        [group(ada, &crowd[..126], Settings::default()), (ada, Content::Add(vec![ben])), text(ada, "1")];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    let wanted = || vec![(id, vec![ada, ben]), (ConversationId::new(), vec![ada])];
    assert_eq!(store.receipts(ben, wanted()).await.unwrap()[0].members.len(), 2);
    assert_eq!(store.receipts(UserId::new(), wanted()).await.unwrap(), [], "G7: a stranger");
    assert_eq!(raised(mark(&store, ben, id, (3, 3)).await).others.len(), 127);

    append(&store, writer.batch(&[(ada, Content::Add(vec![crowd[126]]))])).await.unwrap();
    let row = store.rows(ben, vec![id]).await.unwrap().remove(0);
    assert_eq!((row.members.len(), row.member_count), (0, 129), "too many to be listed");
    assert_eq!(raised(mark(&store, ben, id, (4, 4)).await).others, [], "and to be told");
    assert_eq!(store.receipts(ben, wanted()).await.unwrap(), []);

    append(&store, writer.batch(&[(ada, Content::Remove(vec![ben])), text(ada, "x")])).await.unwrap();
    assert_eq!(store.rows(ada, vec![id]).await.unwrap()[0].members.len(), 128);
    assert_eq!(store.receipts(ben, wanted()).await.unwrap(), [], "G7: an ex-member");
    assert_eq!(raised(mark(&store, ben, id, (5, 5)).await).others, [], "an ex-member's marks are their own");
    let of_ben = store.receipts(ada, vec![(id, vec![ben])]).await.unwrap();
    assert_eq!(of_ben[0].members, [], "G7: nobody learns of them");
}

async fn reach_is_counted_as_it_is_seen_where_nobody_is_listed(store: Arc<dyn Store>) {
    let (ada, mut writer) = (UserId::new(), Writer::new());
    let others: Vec<UserId> = (0..128).map(|_| UserId::new()).collect();
    let (ben, cleo, dan) = (others[0], others[1], others[2]);
    let contents = [group(ada, &others, Settings::default()), text(ada, "2"), text(ada, "3"), text(ben, "4")];
    append(&store, writer.batch(&contents)).await.unwrap();
    let id = writer.conversation;
    let reached = async |user, seq| match store.reached(user, id, Seq(seq)).await.unwrap() {
        Reached::By { received, read, members } => (received, read, members.len()),
        other => panic!("{other:?}"),
    };
    mark(&store, ben, id, (4, 2)).await;
    mark(&store, cleo, id, (3, 0)).await;
    assert_eq!((reached(ada, 2).await, reached(ada, 3).await), ((2, 1, 0), (2, 0, 0)));
    assert_eq!(reached(ben, 3).await, (2, 1, 0), "his own marks as they are: he wrote 4");
    relate(&store, dan, ada, Action::Block).await.unwrap();
    mark(&store, dan, id, (4, 4)).await;
    assert_eq!((reached(ada, 3).await, reached(ben, 3).await), ((2, 0, 0), (3, 2, 0)), "as before the block");
    let hide = PrivacyChanges { read_receipts: Some(false), ..PrivacyChanges::default() };
    set_privacy(&store, ada, hide).await;
    assert_eq!(reached(ada, 2).await, (2, 0, 0), "who shares no read receipts sees none");
    append(&store, writer.batch(&[(ada, Content::Remove(vec![cleo]))])).await.unwrap();
    assert_eq!(reached(ben, 2).await, (2, 2, 127), "listed from here on");
}

async fn a_cursor_from_before_a_receipt_finds_the_conversation(store: Arc<dyn Store>) {
    let (ada, ben, mut writer) = (UserId::new(), UserId::new(), Writer::new());
    append(&store, writer.batch(&[group(ada, &[ben], Settings::default()), text(ada, "1")])).await.unwrap();
    let found = async |user, since| {
        let (now, changed) = store.changed(user, since).await.unwrap();
        (now, changed.len())
    };
    let (before, _) = found(ada, Commit(0)).await;
    mark(&store, ben, writer.conversation, (2, 0)).await;
    let (after, count) = found(ada, before).await;
    assert_eq!((count, after > before), (1, true), "Ben has received");
    assert_eq!(found(ben, before).await.1, 1, "his other devices learn it");
    assert_eq!((found(ada, after).await.1, found(ben, after).await.1), (0, 0));
    mark(&store, ada, writer.conversation, (2, 2)).await;
    mark(&store, ada, writer.conversation, (1, 1)).await;
    append(&store, writer.batch(&[(ada, Content::Remove(vec![ben]))])).await.unwrap();
    let (removed, _) = found(ben, after).await;
    append(&store, writer.batch(&[text(ada, "2")])).await.unwrap();
    mark(&store, ada, writer.conversation, (4, 4)).await;
    assert_eq!(found(ben, removed).await.1, 0, "G7: an ex-member learns of no receipt");
}

async fn a_cursor_from_before_marks_could_be_seen_finds_them(store: Arc<dyn Store>) {
    let (ada, ben, mut tea, mut notes) = (UserId::new(), UserId::new(), Writer::new(), Writer::new());
    append(&store, tea.batch(&[group(ada, &[ben], Settings::default())])).await.unwrap();
    append(&store, notes.batch(&[group(ada, &[], Settings::default())])).await.unwrap();
    let id = tea.conversation;
    let since = async |user, since| {
        let changed = store.changed(user, since).await.unwrap().1;
        changed.into_iter().map(|changed| changed.id).collect::<Vec<_>>()
    };
    let now = async || store.changed(ada, Commit(0)).await.unwrap().0;
    let share = |on| PrivacyChanges { read_receipts: Some(on), ..PrivacyChanges::default() };
    let times = |last_seen| PrivacyChanges { last_seen: Some(last_seen), ..PrivacyChanges::default() };
    for (less, more) in [(share(false), share(true)), (times(Audience::Nobody), times(Audience::Contacts))] {
        let before = now().await;
        assert_eq!(set_privacy(&store, ada, less).await.rows, []);
        assert_eq!(since(ada, before).await, [], "who sees less has nothing to fetch");
        assert_eq!(set_privacy(&store, ada, more).await.rows, [id]);
        assert_eq!((since(ada, before).await, since(ben, before).await), (vec![id], vec![]), "G6");
    }
    let before = now().await;
    assert_eq!(relate(&store, ada, ben, Action::Block).await.unwrap().rows, []);
    assert_eq!(since(ben, before).await, [], "G7: a block is not told");
    assert_eq!(relate(&store, ada, ben, Action::Unblock).await.unwrap().rows, [id]);
    assert_eq!((since(ada, before).await, since(ben, before).await), (vec![id], vec![id]), "G6");
    append(&store, tea.batch(&[(ada, Content::Remove(vec![ben]))])).await.unwrap();
    let before = now().await;
    relate(&store, ada, ben, Action::Block).await.unwrap();
    assert_eq!(relate(&store, ada, ben, Action::Unblock).await.unwrap().rows, [], "shared no more");
    assert_eq!(since(ben, before).await, []);
}

async fn a_past_membership_keeps_its_place_in_the_list(store: Arc<dyn Store>) {
    let (ada, ben) = (UserId::new(), UserId::new());
    let (mut old, mut new) = (Writer::new(), Writer::new());
    append(&store, old.batch(&[group(ada, &[ben], Settings::default()), text(ada, "1")])).await.unwrap();
    append(&store, old.batch(&[(ada, Content::Remove(vec![ben]))])).await.unwrap();
    append(&store, new.batch(&[group(ada, &[ben], Settings::default())])).await.unwrap();
    mark(&store, ben, old.conversation, (2, 2)).await;
    let list = store.changed(ben, Commit(0)).await.unwrap().1;
    let ids: Vec<ConversationId> = list.iter().map(|changed| changed.id).collect();
    assert_eq!(ids, [new.conversation, old.conversation], "reading is no activity");
}
