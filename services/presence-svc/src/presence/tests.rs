use std::time::UNIX_EPOCH;

use super::*;

const THERE: Connection = Connection { there: true, in_front: false, in_front_now: false };
const IN_FRONT: Connection = Connection { there: true, in_front: true, in_front_now: true };
const ALL: Sight = Sight { online: true, last_seen: true };

fn record(appearance: Appearance) -> Record {
    let text = StatusText::new("at lunch").unwrap();
    Record { status: Status { appearance, text, until: None }, last_seen: Some(Minute(7)) }
}

fn seen(connection: Connection, appearance: Appearance, sight: Sight) -> Presence {
    Shown::of(connection, &record(appearance), UNIX_EPOCH).to(sight)
}

#[test]
fn what_is_chosen_counts_only_while_connected() {
    use Appearance as Chosen;
    use Availability as A;
    for (connection, chosen, availability, last_seen) in [
        (IN_FRONT, Chosen::Online, A::Online, None),
        (THERE, Chosen::Online, A::Away, Some(7)),
        (Connection::default(), Chosen::Online, A::Offline, Some(7)),
        (IN_FRONT, Chosen::Away, A::Away, Some(7)),
        (THERE, Chosen::Away, A::Away, Some(7)),
        (Connection::default(), Chosen::Away, A::Offline, Some(7)),
        (IN_FRONT, Chosen::DoNotDisturb, A::DoNotDisturb, None),
        (THERE, Chosen::DoNotDisturb, A::DoNotDisturb, Some(7)),
        (Connection::default(), Chosen::DoNotDisturb, A::Offline, Some(7)),
    ] {
        let presence = seen(connection, chosen, ALL);
        assert_eq!(presence.availability, Some(availability), "{connection:?} {chosen:?}");
        assert_eq!(presence.last_seen, last_seen.map(Minute), "{connection:?} {chosen:?}");
        assert_eq!(presence.text.as_str(), "at lunch", "also while offline");
    }
}

#[test]
fn g7_the_invisible_look_the_same_whatever_they_do() {
    let nothing = Connection::default();
    for sight in [ALL, Sight { online: false, ..ALL }, Sight { last_seen: false, ..ALL }, Sight::default()] {
        let offline = seen(nothing, Appearance::Invisible, sight);
        assert_eq!(offline.text.as_str(), "", "G7");
        for connection in [THERE, IN_FRONT] {
            assert_eq!(seen(connection, Appearance::Invisible, sight), offline, "G7: {connection:?}");
        }
    }
}

#[test]
fn g7_who_may_not_see_who_is_online_cannot_tell_from_last_seen() {
    let last_seen_alone = Sight { online: false, last_seen: true };
    let away = seen(Connection::default(), Appearance::Online, last_seen_alone);
    assert_eq!(away, Presence { last_seen: Some(Minute(7)), ..Presence::default() });
    for connection in [THERE, IN_FRONT] {
        assert_eq!(seen(connection, Appearance::Online, last_seen_alone), away, "G7: {connection:?}");
    }
}

#[test]
fn g7_who_may_see_nothing_is_told_nothing() {
    for connection in [Connection::default(), THERE, IN_FRONT] {
        let presence = seen(connection, Appearance::Online, Sight::default());
        assert_eq!(presence, Presence::default(), "G7: {connection:?}");
    }
    let online_alone = Sight { online: true, last_seen: false };
    assert_eq!(seen(Connection::default(), Appearance::Online, online_alone).last_seen, None, "G7");
}
