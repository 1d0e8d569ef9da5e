use std::time::UNIX_EPOCH;

use parlor_types::Id as _;

use super::*;
use crate::status::Appearance;

const EVERY: Duration = Duration::from_secs(300);
const FRONT: Connection = Connection { there: true, in_front: true, in_front_now: true };
const LOST: Connection = Connection { in_front_now: false, ..FRONT };
const GONE: Connection = Connection { there: false, in_front: false, in_front_now: false };

struct Scene {
    people: People,
    start: Instant,
}

fn ada() -> UserId {
    UserId::from_bytes([1; 16])
}

impl Scene {
    fn new() -> Self {
        let mut scene = Self { people: People::new(EVERY), start: Instant::now() };
        scene.people.need(ada(), Needed::Yes);
        assert_eq!(scene.people.take_loads(10), [ada()]);
        scene
    }

    fn loaded() -> Self {
        let mut scene = Self::new();
        scene.people.loaded(scene.at(0), ada(), Record::default());
        scene
    }

    fn at(&self, second: u64) -> Now {
        let since = Duration::from_secs(second);
        Now { instant: self.start + since, wall: UNIX_EPOCH + since }
    }

    fn look(&mut self, second: u64, connection: Connection) -> bool {
        let now = self.at(second);
        self.people.evaluate(now, ada(), connection)
    }

    fn choose(&mut self, second: u64, appearance: Appearance, connection: Connection) {
        let now = self.at(second);
        self.people.status_set(now, ada(), &Status { appearance, ..Status::default() });
        self.people.evaluate(now, ada(), connection);
    }

    fn last_seen(&self) -> Option<i64> {
        self.people.shown(ada()).unwrap().last_seen.map(|minute| minute.0)
    }

    /// What has to be written; taken to be written.
    fn writes(&mut self) -> Vec<i64> {
        let writes = self.people.take_writes(10);
        self.people.written(&writes);
        writes.into_iter().map(|(_, minute)| minute.0).collect()
    }
}

#[test]
fn last_seen_is_when_an_app_was_last_in_front_to_the_minute() {
    let mut scene = Scene::loaded();
    assert!(scene.look(30, FRONT));
    assert_eq!((scene.last_seen(), scene.writes()), (None, vec![]));
    assert!(!scene.look(130, LOST), "still as it was");
    assert!(scene.look(190, GONE));
    assert_eq!(
        (scene.last_seen(), scene.writes()),
        (Some(2), vec![2]),
        "when it was lost, not when that counted"
    );
    scene.look(600, FRONT);
    assert_eq!(scene.last_seen(), Some(2), "as before, for those who may not see that one is in front");
    scene.look(725, GONE);
    assert_eq!((scene.last_seen(), scene.writes()), (Some(12), vec![12]));
}

#[test]
fn last_seen_stays_where_it_was_for_the_invisible_and_those_who_say_they_are_away() {
    for chosen in [Appearance::Invisible, Appearance::Away] {
        let mut scene = Scene::loaded();
        scene.look(0, FRONT);
        scene.choose(65, chosen, FRONT);
        assert_eq!((scene.last_seen(), scene.writes()), (Some(1), vec![1]), "until then it was there to see");
        scene.look(600, FRONT);
        scene.look(700, GONE);
        let now = scene.at(2000);
        assert_eq!(scene.people.tick(now), []);
        scene.people.keep_all(now);
        assert_eq!((scene.last_seen(), scene.writes()), (Some(1), vec![]), "G7: {chosen:?}");
        scene.choose(3000, Appearance::Online, FRONT);
        scene.look(3060, GONE);
        assert_eq!(scene.last_seen(), Some(51));
    }
}

#[test]
fn g7_what_somebody_did_unseen_is_not_told_when_they_show_themselves_again() {
    let mut scene = Scene::loaded();
    scene.look(0, FRONT);
    scene.choose(65, Appearance::Invisible, FRONT);
    scene.look(600, FRONT);
    scene.look(700, LOST);
    scene.choose(705, Appearance::Online, LOST);
    scene.look(720, GONE);
    assert_eq!(scene.last_seen(), Some(1), "G7");
}

#[test]
fn who_is_in_front_for_long_is_written_now_and_then_and_at_the_end() {
    let mut scene = Scene::loaded();
    scene.look(0, FRONT);
    for second in [299, 300, 301, 599, 600] {
        let now = scene.at(second);
        scene.people.tick(now);
        let wanted = if second % 300 == 0 { vec![i64::try_from(second).unwrap() / 60] } else { vec![] };
        assert_eq!(scene.writes(), wanted, "{second}");
    }
    scene.look(700, LOST);
    let now = scene.at(705);
    scene.people.keep_all(now);
    assert_eq!((scene.last_seen(), scene.writes()), (None, vec![11]), "when it was lost");
}

#[test]
fn a_status_ends_by_itself() {
    let mut scene = Scene::loaded();
    let until = Some(UNIX_EPOCH + Duration::from_secs(100));
    let status = Status { appearance: Appearance::DoNotDisturb, until, ..Status::default() };
    let now = scene.at(0);
    scene.people.status_set(now, ada(), &Status { until: until.map(|at| at + EVERY), ..status.clone() });
    scene.people.status_set(now, ada(), &status);
    scene.look(0, FRONT);
    let (before, at) = (scene.at(99), scene.at(100));
    assert_eq!(scene.people.tick(before), []);
    assert_eq!(scene.people.tick(at), [ada()]);
    assert!(scene.look(100, FRONT));
    let later = scene.at(1000);
    assert_eq!(scene.people.tick(later), [], "the older end is forgotten");
}

#[test]
fn a_status_that_is_set_while_the_record_is_read_is_not_undone_by_it() {
    let mut scene = Scene::new();
    scene.choose(1, Appearance::Invisible, FRONT);
    assert_eq!(scene.people.shown(ada()), None, "nothing is shown before the record is here");
    let old = Record { last_seen: Some(Minute(7)), ..Record::default() };
    scene.people.loaded(scene.at(2), ada(), old);
    scene.look(2, FRONT);
    let shown = scene.people.shown(ada()).unwrap();
    assert_eq!((shown.in_front, shown.last_seen), (false, Some(Minute(7))), "G7");
}

#[test]
fn a_record_that_comes_during_a_grace_keeps_its_last_seen() {
    let mut scene = Scene::new();
    scene.look(1, FRONT);
    scene.look(2, LOST);
    scene.people.loaded(scene.at(3), ada(), Record { last_seen: Some(Minute(7)), ..Record::default() });
    scene.look(3, LOST);
    scene.look(1000, GONE);
    assert_eq!((scene.last_seen(), scene.writes()), (Some(7), vec![]));
}

#[test]
fn g8_nobody_is_kept_who_is_neither_needed_nor_to_be_written() {
    let mut scene = Scene::loaded();
    scene.look(60, FRONT);
    scene.look(60, GONE);
    scene.people.need(ada(), Needed::No);
    assert_eq!(scene.last_seen(), Some(1), "what is not yet in the store must not be forgotten");
    let writes = scene.people.take_writes(10);
    scene.people.not_written(writes);
    assert_eq!(scene.writes(), [1], "tried again");
    assert!(scene.people.people.is_empty(), "G8");
    let empty = scene.people.keeps.is_empty() && scene.people.statuses_end.is_empty();
    assert!(empty && !scene.people.wants_the_store(), "G8");

    scene.people.need(ada(), Needed::Yes);
    assert_eq!(scene.people.take_loads(10), [ada()]);
    scene.people.need(ada(), Needed::No);
    scene.people.not_loaded(vec![ada()]);
    assert!(scene.people.people.is_empty() && !scene.people.wants_the_store(), "G8");
}

#[test]
fn a_write_that_failed_does_not_undo_a_newer_one() {
    let mut scene = Scene::loaded();
    scene.look(60, FRONT);
    scene.look(61, GONE);
    let old = scene.people.take_writes(10);
    scene.look(120, FRONT);
    scene.look(180, GONE);
    scene.people.not_written(old);
    assert_eq!(scene.writes(), [3]);
}
