use parlor_types::Id as _;

use super::*;

fn owned(number: u16) -> Owned {
    let [high, low] = number.to_be_bytes();
    let bytes = [1, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    Owned {
        stream: StreamId::from_bytes(bytes),
        user: UserId::from_bytes(bytes),
        session: SessionId::from_bytes(bytes),
    }
}

fn facts(watched: usize) -> Facts {
    Facts { foreground: true, mobile: false, watched: (0..watched).map(|_| UserId::new()).collect() }
}

fn all(registry: &mut Registry) -> Vec<Say> {
    let mut all = Vec::new();
    loop {
        let said = registry.take();
        if said.is_empty() {
            return all;
        }
        all.extend(said);
    }
}

/// With these streams open and nothing left to say.
fn attached(streams: u16) -> (Registry, Line) {
    let mut registry = Registry::default();
    (0..streams).for_each(|number| registry.opened(owned(number), facts(0)));
    let line = registry.attach();
    assert_eq!(all(&mut registry).len(), usize::from(streams) + 2);
    (registry, line)
}

#[test]
fn a_line_begins_with_everything_that_is_open() {
    let mut registry = Registry::default();
    let watching = facts(2);
    registry.opened(owned(1), watching.clone());
    registry.opened(owned(2), facts(0));
    registry.closed(owned(2).stream, false);
    assert_eq!(registry.take(), [], "there is nobody to say it to");
    for _ in 0..2 {
        registry.attach();
        let said = all(&mut registry);
        let expected = [
            Say::Hello,
            Say::Opened(owned(1), watching.clone()),
            Say::Watching(owned(1).stream, watching.watched.clone()),
            Say::SnapshotDone,
        ];
        assert_eq!(said, expected);
    }
    let mut empty = Registry::default();
    empty.attach();
    assert_eq!(empty.take(), [Say::Hello, Say::SnapshotDone]);
}

#[test]
fn what_opens_during_the_snapshot_comes_after_it_and_what_ends_is_not_in_it() {
    let mut registry = Registry::default();
    (0..200).for_each(|number| registry.opened(owned(number), facts(0)));
    registry.attach();
    let mut said = registry.take();
    assert!(said.len() <= 65, "a part at a time");
    registry.opened(owned(500), facts(0));
    (0..200).for_each(|number| registry.closed(owned(number).stream, true));
    said.extend(all(&mut registry));
    let done = said.iter().position(|say| *say == Say::SnapshotDone).unwrap();
    let opened = said[..done].iter().filter(|say| matches!(say, Say::Opened(..))).count();
    assert_eq!((opened, done), (63, 64), "those said before the rest ended");
    let late = said.iter().position(|say| matches!(say, Say::Opened(new, _) if *new == owned(500)));
    assert!(late.unwrap() > done);
    let closed = said[done..].iter().filter(|say| matches!(say, Say::Closed(_, true))).count();
    assert_eq!(closed, 200);
    assert_eq!(said.len(), 1 + 63 + 1 + 1 + 200);
}

#[test]
fn of_changes_the_latest_is_said_and_only_what_changed() {
    let (mut registry, _) = attached(2);
    let (first, second) = (facts(3), facts(4));
    registry.changed(owned(1).stream, first.clone());
    registry.changed(owned(1).stream, second.clone());
    assert_eq!(all(&mut registry), [Say::Watching(owned(1).stream, second.watched.clone())]);
    let behind = Facts { foreground: false, ..second };
    registry.changed(owned(1).stream, behind.clone());
    assert_eq!(all(&mut registry), [Say::Opened(owned(1), behind.clone())]);
    registry.changed(owned(1).stream, behind);
    registry.changed(owned(9).stream, first);
    assert_eq!(all(&mut registry), [], "no change, and nobody's");
    registry.changed(owned(1).stream, facts(0));
    registry.closed(owned(1).stream, false);
    registry.closed(owned(1).stream, true);
    assert_eq!(all(&mut registry), [Say::Closed(owned(1).stream, false)]);
    assert_eq!(registry.owner(owned(1).stream), None);
    assert_eq!(registry.owner(owned(0).stream), Some(owned(0)));
}

#[test]
fn whose_visibility_changed_is_named_some_at_a_time_and_once() {
    let (mut registry, line) = attached(0);
    let users: Vec<UserId> = (0..600).map(|_| UserId::new()).collect();
    (0..5).for_each(|_| registry.visibility_changed(&users));
    let named: Vec<usize> = all(&mut registry)
        .iter()
        .map(|say| if let Say::VisibilityChanged(users) = say { users.len() } else { panic!("{say:?}") })
        .collect();
    assert_eq!(named, [500, 100]);
    registry.detach(line);
    registry.visibility_changed(&users);
    registry.attach();
    assert_eq!(all(&mut registry), [Say::Hello, Say::SnapshotDone], "a new line asks for everything anew");
}

#[test]
fn g8_who_falls_too_far_behind_is_told_everything_anew() {
    let (mut registry, line) = attached(10);
    for number in 100..4_000_u16 {
        registry.opened(owned(number), facts(0));
        registry.closed(owned(number).stream, false);
    }
    assert!(!registry.is_on(line), "G8");
    assert_eq!(registry.take(), []);
    registry.attach();
    assert_eq!(all(&mut registry).len(), 12, "the ten that are open");

    let (mut registry, line) = attached(10);
    (0..10_000).for_each(|_| registry.visibility_changed(&[UserId::new()]));
    assert!(registry.is_on(line));
    registry.visibility_changed(&[UserId::new()]);
    assert!(!registry.is_on(line), "G8");
}

#[test]
fn an_older_line_is_none_and_cannot_end_the_newer() {
    let (mut registry, old) = attached(1);
    let new = registry.attach();
    assert!(!registry.is_on(old) && registry.is_on(new));
    registry.detach(old);
    assert!(registry.is_on(new));
    registry.detach(new);
    assert!(!registry.is_on(new) && !registry.is_attached());
}

#[test]
fn what_is_said_at_once_is_small() {
    let mut registry = Registry::default();
    (0..100).for_each(|number| registry.opened(owned(number), facts(200)));
    registry.attach();
    loop {
        let said = registry.take();
        if said.is_empty() {
            break;
        }
        let request = crate::edge::attach_request(parlor_types::NodeId::new(), said);
        let bytes = prost::Message::encoded_len(&request);
        assert!(bytes < 64 * 1024, "{bytes}");
    }
}
