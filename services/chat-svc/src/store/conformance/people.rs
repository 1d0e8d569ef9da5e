//! The rules of people and privacy, one by one.

use super::*;
use crate::people::{
    Action, Audience, Filter, Person, Privacy, PrivacyChanges, Refused, Relation, Visibility,
};
use crate::store::{AccountPlace, PrivacyKept, Relate, Related};

rules!(
    both_sides_of_a_pair_change_at_once,
    lists_go_by_id_and_by_kind,
    changes_of_people_come_in_parts_and_none_is_left_out,
    whoever_knows_nothing_is_told_of_what_there_is,
    settings_keep_what_is_not_changed,
    presence_is_seen_by_those_who_may,
    there_are_no_more_contacts_requests_and_blocks_than_may_be,
);

pub(super) async fn relate(
    store: &Arc<dyn Store>,
    user: UserId,
    other: UserId,
    action: Action,
) -> Result<Related, Refused> {
    let (done, told) = oneshot::channel();
    let relate = Relate { user, other, action, at: at(Seq(9)) };
    store.relate(relate, Box::new(move |result| done.send(result).unwrap()));
    told.await.unwrap().unwrap()
}

pub(super) async fn set_privacy(
    store: &Arc<dyn Store>,
    user: UserId,
    changes: PrivacyChanges,
) -> PrivacyKept {
    let (done, told) = oneshot::channel();
    store.set_privacy(user, changes, Box::new(move |result| done.send(result).unwrap()));
    told.await.unwrap().unwrap()
}

fn request(note: &str) -> Action {
    Action::Request(note.to_owned())
}

fn users(count: usize) -> Vec<UserId> {
    let mut users: Vec<UserId> = (0..count).map(|_| UserId::new()).collect();
    users.sort();
    users
}

async fn person(store: &Arc<dyn Store>, user: UserId, other: UserId) -> Option<Person> {
    let people = store.people(user, Filter::All, None, 1000).await.unwrap();
    people.into_iter().find(|person| person.user == other)
}

async fn both_sides_of_a_pair_change_at_once(store: Arc<dyn Store>) {
    let (ada, ben) = (UserId::new(), UserId::new());
    let asked = relate(&store, ada, ben, request("hi")).await.unwrap();
    assert_eq!((asked.mine, asked.theirs, asked.changed.is_some()), (true, true, true));
    assert_eq!(asked.person, person(&store, ada, ben).await.unwrap(), "the answer is what is kept");
    let theirs = person(&store, ben, ada).await.unwrap();
    assert_eq!((theirs.side.relation, theirs.side.note.as_str()), (Relation::Received, "hi"));
    assert_eq!(
        (asked.person.changed_at, theirs.changed_at),
        (Some(at(Seq(9))), Some(at(Seq(0)))),
        "G7: the day"
    );
    let again = relate(&store, ada, ben, request("hi")).await.unwrap();
    assert_eq!((again.mine, again.theirs, again.changed), (false, false, None));
    assert_eq!(again.person, asked.person);
    let accepted = relate(&store, ben, ada, Action::Accept).await.unwrap();
    assert_eq!(accepted.person.side.relation, Relation::Contact);
    let theirs = person(&store, ada, ben).await.unwrap();
    assert_eq!(theirs.side.relation, Relation::Contact);
    assert!(theirs.changed_at > asked.person.changed_at, "later than what she knows");
    assert_eq!(theirs.changed_at, Some(at(Seq(9)) + Duration::from_millis(1)), "G7: and no more than that");
    let blocked = relate(&store, ben, ada, Action::Block).await.unwrap();
    assert!(blocked.person.side.blocked);
    assert_eq!(person(&store, ada, ben).await, None);
    let refused = relate(&store, ben, ada, request("")).await;
    assert_eq!(refused, Err(Refused::Blocked));
    let unknown = relate(&store, ada, UserId::new(), Action::Remove).await.unwrap();
    assert_eq!((unknown.person.changed_at, unknown.changed), (None, None), "nothing is kept of nothing");
}

async fn lists_go_by_id_and_by_kind(store: Arc<dyn Store>) {
    let (ada, others) = (UserId::new(), users(5));
    for (other, actions) in [
        (others[3], vec![request("")]),
        (others[1], vec![Action::Block]),
        (others[2], vec![request(""), Action::Remove]),
    ] {
        for action in actions {
            relate(&store, ada, other, action).await.unwrap();
        }
    }
    relate(&store, others[0], ada, request("")).await.unwrap();
    relate(&store, others[4], ada, request("")).await.unwrap();
    relate(&store, ada, others[4], Action::Accept).await.unwrap();
    for (filter, wanted) in [
        (Filter::All, vec![0, 1, 3, 4]),
        (Filter::Contacts, vec![4]),
        (Filter::Requests, vec![0, 3]),
        (Filter::Blocked, vec![1]),
    ] {
        let found = store.people(ada, filter, None, 10).await.unwrap();
        let found: Vec<UserId> = found.iter().map(|person| person.user).collect();
        let wanted: Vec<UserId> = wanted.into_iter().map(|index: usize| others[index]).collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
    let page = store.people(ada, Filter::All, Some(others[0]), 2).await.unwrap();
    assert_eq!(page.iter().map(|person| person.user).collect::<Vec<_>>(), [others[1], others[3]]);
    assert_eq!(store.people(UserId::new(), Filter::All, None, 10).await.unwrap(), []);
}

async fn changes_of_people_come_in_parts_and_none_is_left_out(store: Arc<dyn Store>) {
    let (ada, others) = (UserId::new(), users(7));
    let (start, _) = store.changed(ada, Commit(0)).await.unwrap();
    relate(&store, ada, others[0], Action::Block).await.unwrap();
    let since = store.account(ada, AccountPlace::after(start), 10).await.unwrap().next;
    for other in &others[1..] {
        relate(&store, ada, *other, request("")).await.unwrap();
    }
    relate(&store, ada, others[1], Action::Remove).await.unwrap();
    relate(&store, UserId::new(), UserId::new(), request("")).await.unwrap();
    let off = PrivacyChanges { read_receipts: Some(false), ..PrivacyChanges::default() };
    set_privacy(&store, ada, off).await;
    let (mut place, mut told, mut parts) = (since, Vec::new(), 0);
    loop {
        let part = store.account(ada, place, 2).await.unwrap();
        assert_eq!(part.privacy.is_some(), !part.more, "settings come at the end");
        told.extend(part.people.iter().map(|person| person.user));
        place = part.next;
        parts += 1;
        if !part.more {
            break;
        }
    }
    let wanted = [&others[2..], &others[1..2]].concat();
    assert_eq!((told, parts), (wanted, 3), "once each, as they changed, even if nothing is left");
    let rest = store.account(ada, place, 2).await.unwrap();
    assert_eq!((rest.people.len(), rest.privacy, rest.more), (0, None, false));
    assert_eq!(rest.next, place);
}

async fn whoever_knows_nothing_is_told_of_what_there_is(store: Arc<dyn Store>) {
    let (ada, ben, cleo) = (UserId::new(), UserId::new(), UserId::new());
    let first = store.account(ada, AccountPlace::after(Commit(0)), 10).await.unwrap();
    assert_eq!((first.people.len(), first.privacy), (0, Some(Privacy::default())));
    relate(&store, ada, ben, request("")).await.unwrap();
    relate(&store, ada, cleo, request("")).await.unwrap();
    relate(&store, ada, ben, Action::Remove).await.unwrap();
    let first = store.account(ada, AccountPlace::after(Commit(0)), 10).await.unwrap();
    assert_eq!(first.people.iter().map(|person| person.user).collect::<Vec<_>>(), [cleo]);
}

async fn settings_keep_what_is_not_changed(store: Arc<dyn Store>) {
    let ada = UserId::new();
    assert_eq!(store.privacy(ada).await.unwrap(), Privacy::default());
    let same = PrivacyChanges { read_receipts: Some(true), ..PrivacyChanges::default() };
    assert_eq!(set_privacy(&store, ada, same).await.changed, None);
    let changes = PrivacyChanges { direct: Some(Audience::Nobody), ..PrivacyChanges::default() };
    let kept = set_privacy(&store, ada, changes).await;
    let wanted = Privacy { direct: Audience::Nobody, ..Privacy::default() };
    assert_eq!((kept.privacy, kept.changed.is_some()), (wanted, true));
    let all = PrivacyChanges {
        read_receipts: Some(false),
        online: Some(Audience::Everyone),
        last_seen: Some(Audience::Nobody),
        direct: Some(Audience::Contacts),
        groups: Some(Audience::Nobody),
    };
    let kept = set_privacy(&store, ada, all).await.privacy;
    assert_eq!(store.privacy(ada).await.unwrap(), kept);
    assert_eq!(kept, wanted.with(&all), "every field comes back");
}

async fn presence_is_seen_by_those_who_may(store: Arc<dyn Store>) {
    let (ada, ben, cleo, dan) = (UserId::new(), UserId::new(), UserId::new(), UserId::new());
    let all = vec![ada, ben, cleo, dan, UserId::new()];
    let sees = async |viewer: UserId| {
        let seen = store.visibility(viewer, all.clone()).await.unwrap();
        seen.iter().map(|seen| (seen.online, seen.last_seen)).collect::<Vec<_>>()
    };
    let (yes, no) = ((true, true), (false, false));
    assert_eq!(sees(ada).await, [yes, no, no, no, no], "G7: oneself alone");
    relate(&store, ada, ben, request("")).await.unwrap();
    assert_eq!(sees(ada).await[1], no, "a request is no contact");
    relate(&store, ben, ada, Action::Accept).await.unwrap();
    let mut group_of_ada = Writer::new();
    append(&store, group_of_ada.batch(&[group(ada, &[cleo, dan], Settings::default())])).await.unwrap();
    assert_eq!(sees(ada).await, [yes, yes, yes, yes, no], "contacts, and who shares a conversation");
    append(&store, group_of_ada.batch(&[(ada, Content::Remove(vec![dan]))])).await.unwrap();
    assert_eq!((sees(ada).await[3], sees(dan).await[0]), (no, no), "G7: shared no more");
    let mut direct = Writer { conversation: ConversationId::direct(dan, ada), state: None };
    let created = Content::Created {
        kind: Kind::Direct,
        name: String::new(),
        members: vec![dan, ada],
        settings: Settings::default(),
    };
    append(&store, direct.batch(&[(dan, created)])).await.unwrap();
    assert_eq!((sees(ada).await[3], sees(dan).await[0]), (yes, yes), "a direct one");
    relate(&store, cleo, ada, Action::Block).await.unwrap();
    assert_eq!((sees(ada).await[2], sees(cleo).await[0]), (no, no), "G7: blocked, in both directions");
    let hide = PrivacyChanges { last_seen: Some(Audience::Nobody), ..PrivacyChanges::default() };
    set_privacy(&store, ben, hide).await;
    assert_eq!((sees(ada).await[1], sees(ben).await[0]), ((true, false), (true, false)), "mutual");
    let open = PrivacyChanges { online: Some(Audience::Everyone), ..PrivacyChanges::default() };
    set_privacy(&store, cleo, open).await;
    assert_eq!((sees(ben).await[2], sees(ada).await[2]), ((true, false), no), "everyone but those blocked");
    assert_eq!(store.visibility(ada, vec![ada]).await.unwrap(), [Visibility::OWN]);
}

async fn there_are_no_more_contacts_requests_and_blocks_than_may_be(store: Arc<dyn Store>) {
    use parlor_types::limits::{MAX_BLOCKED, MAX_CONTACTS, MAX_RECEIVED_REQUESTS};
    let (ada, ben) = (UserId::new(), UserId::new());
    let eve = UserId::new();
    crowd(&store, MAX_BLOCKED, &Action::Block, |other| (eve, other)).await;
    assert_eq!(relate(&store, eve, ben, Action::Block).await, Err(Refused::TooManyBlocked));
    let first = UserId::new();
    relate(&store, ada, first, request("")).await.unwrap();
    relate(&store, first, ada, Action::Accept).await.unwrap();
    crowd(&store, MAX_CONTACTS - 1, &request(""), |other| (ada, other)).await;
    assert_eq!(relate(&store, ada, ben, request("")).await, Err(Refused::TooManyContacts));
    relate(&store, ben, ada, request("")).await.unwrap();
    assert_eq!(relate(&store, ada, ben, Action::Accept).await, Err(Refused::TooManyContacts));
    relate(&store, ada, first, Action::Remove).await.unwrap();
    assert!(relate(&store, ada, ben, Action::Accept).await.is_ok(), "one more, when one less");
    let cleo = UserId::new();
    crowd(&store, MAX_RECEIVED_REQUESTS, &request(""), |other| (other, cleo)).await;
    let unseen = relate(&store, ben, cleo, request("")).await.unwrap();
    assert_eq!((unseen.person.side.relation, unseen.theirs), (Relation::Requested, false));
    assert_eq!(person(&store, cleo, ben).await, None);
    let received = store.people(cleo, Filter::Requests, None, 10_000).await.unwrap();
    assert_eq!(received.len(), MAX_RECEIVED_REQUESTS);
}

/// The same action about `count` people, or of that many about one.
async fn crowd(
    store: &Arc<dyn Store>,
    count: usize,
    action: &Action,
    pair: impl Fn(UserId) -> (UserId, UserId),
) {
    for number in 0..count {
        let (user, other) = pair(UserId::new());
        if number % 500 == 499 || number + 1 == count {
            relate(store, user, other, action.clone()).await.unwrap();
        } else {
            let relate = Relate { user, other, action: action.clone(), at: at(Seq(1)) };
            store.relate(relate, Box::new(|result| assert!(result.unwrap().is_ok())));
        }
    }
}
