//! Every state of a pair that can come about, with every action of either side.

use std::collections::{HashMap, HashSet, VecDeque};

use super::*;

const ROOM: Room = Room { contacts: true, blocked: true, received: true };

fn actions() -> Vec<Action> {
    vec![
        Action::Request("hi".to_owned()),
        Action::Request(String::new()),
        Action::Accept,
        Action::Remove,
        Action::Block,
        Action::Unblock,
    ]
}

fn rooms() -> Vec<Room> {
    let both = [true, false];
    let mut all = Vec::new();
    for contacts in both {
        for blocked in both {
            all.extend(both.map(|received| Room { contacts, blocked, received }));
        }
    }
    all
}

fn swapped(pair: &Pair) -> Pair {
    Pair { mine: pair.theirs.clone(), theirs: pair.mine.clone() }
}

/// All that strangers can become, by any actions of either with any room.
fn reachable() -> HashSet<Pair> {
    let mut found = HashSet::from([Pair::default()]);
    let mut open = VecDeque::from([Pair::default()]);
    while let Some(pair) = open.pop_front() {
        for action in actions() {
            for room in rooms() {
                let Ok(after) = pair.after(&action, room) else { continue };
                for next in [after.clone(), swapped(&after)] {
                    if found.insert(next.clone()) {
                        open.push_back(next);
                    }
                }
            }
        }
    }
    found
}

fn relations(pair: &Pair) -> (Relation, Relation) {
    (pair.mine.relation, pair.theirs.relation)
}

#[test]
fn only_sensible_states_come_about() {
    use Relation::{Contact, None, Received, Requested};
    let states = reachable();
    for pair in &states {
        let sensible = match relations(pair) {
            (None, None) | (Contact, Contact) => true,
            // Both see the request; or only whoever made it: blocked, or one too many.
            (Requested, Received | None) | (Received | None, Requested) => true,
            _ => false,
        };
        assert!(sensible, "{pair:?}");
        for side in [&pair.mine, &pair.theirs] {
            assert!(!side.blocked || side.relation == None, "who blocks has no relation: {pair:?}");
            assert!(side.note.is_empty() || matches!(side.relation, Requested | Received), "{pair:?}");
        }
        let close = [relations(pair), relations(&swapped(pair))]
            .iter()
            .any(|both| matches!(both, (Contact, Contact) | (Requested, Received)));
        assert!(!close || !(pair.mine.blocked || pair.theirs.blocked), "a block ends all: {pair:?}");
    }
    assert!(states.len() > 15, "the search has found more than the first steps");
}

#[test]
fn each_action_does_in_each_state_what_it_says() {
    use Relation::{Contact, None, Received, Requested};
    for pair in reachable() {
        let both = relations(&pair);
        let blocked = (pair.mine.blocked, pair.theirs.blocked);
        for action in actions() {
            let after = pair.after(&action, ROOM);
            let now =
                after.as_ref().map(|after| (relations(after), (after.mine.blocked, after.theirs.blocked)));
            let wanted = match (&action, both) {
                (Action::Request(_), _) if blocked.0 => Err(&Refused::Blocked),
                (Action::Request(_), (Contact, _) | (_, Requested)) => Ok(((Contact, Contact), blocked)),
                (Action::Request(_), _) if blocked.1 => Ok(((Requested, None), blocked)),
                (Action::Request(_), _) => Ok(((Requested, Received), blocked)),
                (Action::Accept, (Received | Contact, _)) => Ok(((Contact, Contact), blocked)),
                (Action::Accept, _) => Err(&Refused::NoRequest),
                (Action::Remove, (None, theirs)) => Ok(((None, theirs), blocked)),
                (Action::Remove, _) => Ok(((None, None), blocked)),
                (Action::Block, _) if blocked.0 => Ok((both, blocked)),
                (Action::Block, _) => Ok(((None, None), (true, blocked.1))),
                (Action::Unblock, _) => Ok((both, (false, blocked.1))),
            };
            assert_eq!(now, wanted, "{action:?} of {pair:?}");
        }
    }
}

#[test]
fn an_action_done_again_changes_nothing() {
    for pair in reachable() {
        for action in actions() {
            for room in rooms() {
                let Ok(after) = pair.after(&action, room) else { continue };
                let again = after.after(&action, room);
                assert_eq!(again, Ok(after), "{action:?} of {pair:?}");
            }
        }
    }
}

#[test]
fn two_requests_make_a_friendship_in_either_order() {
    for (first, second) in [("a", "b"), ("b", "a")] {
        let asked = Pair::default().after(&Action::Request(first.into()), ROOM).unwrap();
        let met = swapped(&asked).after(&Action::Request(second.into()), ROOM).unwrap();
        assert_eq!(relations(&met), (Relation::Contact, Relation::Contact));
        assert_eq!((met.mine.note.as_str(), met.theirs.note.as_str()), ("", ""));
    }
}

#[test]
fn whoever_is_blocked_sees_the_same_as_whoever_is_not() {
    // The same actions of the one side, with the other silent and with the other blocking: the one sees the same.
    let silent = Pair::default();
    let blocking = Pair { theirs: Side { blocked: true, ..Side::default() }, ..Pair::default() };
    let mut seen: HashMap<(Pair, Pair), ()> = HashMap::new();
    let mut open = VecDeque::from([(silent, blocking)]);
    while let Some((silent, blocking)) = open.pop_front() {
        if seen.insert((silent.clone(), blocking.clone()), ()).is_some() {
            continue;
        }
        for action in actions() {
            for room in rooms() {
                let (one, other) = (silent.after(&action, room), blocking.after(&action, room));
                let sees = |pair: &Result<Pair, Refused>| pair.clone().map(|pair| pair.mine);
                assert_eq!(sees(&one), sees(&other), "G7: {action:?} of {silent:?} and {blocking:?}");
                if let (Ok(one), Ok(other)) = (one, other) {
                    assert_eq!(other.theirs, blocking.theirs, "and the other is not bothered");
                    open.push_back((one, other));
                }
            }
        }
    }
    assert!(seen.len() > 3);
}

#[test]
fn where_there_is_no_room() {
    let none = Pair::default();
    let request = Action::Request("hi".into());
    let no_contacts = Room { contacts: false, ..ROOM };
    assert_eq!(none.after(&request, no_contacts), Err(Refused::TooManyContacts));
    assert_eq!(none.after(&Action::Block, Room { blocked: false, ..ROOM }), Err(Refused::TooManyBlocked));
    let asked = none.after(&request, ROOM).unwrap();
    let other = Action::Request("hello".into());
    let again = asked.after(&other, no_contacts).unwrap();
    assert_eq!(
        (again.mine.note.as_str(), again.theirs.note.as_str()),
        ("hello", "hello"),
        "one that is open"
    );
    assert_eq!(swapped(&asked).after(&Action::Accept, no_contacts), Err(Refused::TooManyContacts));
    assert_eq!(
        swapped(&asked).after(&request, no_contacts),
        Err(Refused::TooManyContacts),
        "a request that meets one is an acceptance"
    );
    let unseen = none.after(&request, Room { received: false, ..ROOM }).unwrap();
    assert_eq!(relations(&unseen), (Relation::Requested, Relation::None), "the asking side is not told");
}
