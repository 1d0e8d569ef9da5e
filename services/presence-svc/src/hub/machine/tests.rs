use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use parlor_types::Id as _;

use super::*;
use crate::presence::Availability;

mod model;

const NODE: u8 = 100;
const ALL: Sight = Sight { online: true, last_seen: true };

fn id<T: parlor_types::Id>(n: u8) -> T {
    T::from_bytes([n; 16])
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn rules() -> Rules {
    Rules {
        graces: Graces { plain: seconds(15), mobile: seconds(30) },
        settle: Duration::ZERO,
        keep_every: seconds(300),
        recheck: seconds(300),
        calls_per_user: 2,
        calls: 3,
    }
}

/// A machine, a node on a line, and what the streams were told.
struct Scene {
    machine: Machine,
    start: Instant,
    second: u64,
    line: OutletId,
    told: BTreeMap<(u8, u8), Vec<Presence>>,
}

impl Scene {
    fn new(rules: Rules) -> Self {
        let start = Instant::now();
        let mut machine = Machine::new(rules, start);
        let line = machine.open_line();
        let mut scene = Self { machine, start, second: 0, line, told: BTreeMap::new() };
        scene.say(Said::Hello(id(NODE)));
        scene
    }

    fn now(&self) -> Now {
        let since = seconds(self.second);
        Now { instant: self.start + since, wall: UNIX_EPOCH + since }
    }

    fn wait(&mut self, by: u64) {
        self.second += by;
        let now = self.now();
        self.machine.tick(now);
    }

    fn say(&mut self, said: Said) {
        let (now, line) = (self.now(), self.line);
        assert!(self.machine.said(now, line, vec![said]));
    }

    /// Stream `n` of user `n` is open.
    fn open(&mut self, n: u8, foreground: bool) {
        let opened = Opened { stream: id(n), user: id(n), session: id(n), foreground, mobile: false };
        self.say(Said::Opened(opened));
    }

    fn watch(&mut self, n: u8, users: &[u8]) {
        self.say(Said::Watching { stream: id(n), users: users.iter().map(|n| id(*n)).collect() });
    }

    fn load(&mut self) {
        let users = self.machine.take_loads(1000);
        let now = self.now();
        self.machine.loaded(now, users.into_iter().map(|user| (user, Record::default())).collect());
    }

    /// Answers what is asked: everybody may see this.
    fn answer(&mut self, answer: Result<Sight, Unanswered>) -> usize {
        let (now, mut asked) = (self.now(), 0);
        while let Some(ask) = self.machine.take_ask(now) {
            asked += 1;
            let answer = answer.map(|sight| vec![sight; ask.users.len()]);
            self.machine.answered(now, ask, answer);
        }
        asked
    }

    /// Records come, and what there is to tell is told.
    fn tell(&mut self) {
        self.load();
        while let Pull::News(all) = self.machine.pull(self.line) {
            for news in all {
                for (user, presence) in news.presences {
                    self.told.entry((news.watcher.bytes()[0], user.bytes()[0])).or_default().push(presence);
                }
            }
        }
    }

    /// What stream `n` was told of user `of` since this was last asked.
    fn heard(&mut self, n: u8, of: u8) -> Vec<Option<Availability>> {
        self.tell();
        let told = self.told.remove(&(n, of)).unwrap_or_default();
        told.into_iter().map(|presence| presence.availability).collect()
    }
}

/// User 1 watches user 2, may see all, and user 2 is in front.
fn watching() -> Scene {
    let mut scene = Scene::new(rules());
    scene.open(1, true);
    scene.open(2, true);
    scene.watch(1, &[2]);
    scene.answer(Ok(ALL));
    assert_eq!(scene.heard(1, 2), [Some(Availability::Online)]);
    scene
}

#[test]
fn changes_are_told_and_nothing_else() {
    let mut scene = watching();
    scene.open(2, true);
    assert_eq!(scene.heard(1, 2), []);
    scene.open(2, false);
    assert_eq!(scene.heard(1, 2), [Some(Availability::Away)]);
    scene.open(2, true);
    scene.open(2, false);
    assert_eq!(scene.heard(1, 2), [], "as it was told before");
    scene.say(Said::Closed { stream: id(2), session_ended: true });
    assert_eq!(scene.heard(1, 2), [Some(Availability::Offline)]);
}

#[test]
fn a_list_that_is_replaced_tells_of_the_new_and_no_more_of_the_old() {
    let mut scene = watching();
    scene.open(3, true);
    scene.watch(1, &[2, 3]);
    scene.answer(Ok(ALL));
    assert_eq!((scene.heard(1, 2), scene.heard(1, 3)), (vec![], vec![Some(Availability::Online)]));
    scene.watch(1, &[3]);
    scene.open(2, false);
    assert_eq!(scene.heard(1, 2), []);
    scene.watch(1, &[]);
    scene.open(3, false);
    assert_eq!(scene.heard(1, 3), []);
    assert!(!scene.machine.watching.is_watched(id(3)), "G8");
}

#[test]
fn g7_what_may_no_longer_be_seen_is_taken_back_once() {
    let mut scene = watching();
    scene.say(Said::VisibilityChanged(vec![id(2)]));
    scene.open(2, false);
    assert_eq!(scene.heard(1, 2), [], "G7: told before it was known whether it may be");
    scene.answer(Ok(Sight::default()));
    assert_eq!(scene.heard(1, 2), [None], "G7");
    scene.open(2, true);
    scene.say(Said::VisibilityChanged(vec![id(1), id(2)]));
    scene.answer(Ok(Sight::default()));
    assert_eq!(scene.heard(1, 2), [], "G7: something moved");
    scene.say(Said::VisibilityChanged(vec![id(1)]));
    scene.answer(Ok(ALL));
    assert_eq!(scene.heard(1, 2), [Some(Availability::Online)]);
}

#[test]
fn g7_who_may_see_nothing_is_told_so_once_and_never_anything_else() {
    let mut scene = Scene::new(Rules { settle: seconds(30), ..rules() });
    scene.open(1, true);
    scene.watch(1, &[2]);
    assert_eq!(scene.heard(1, 2), [], "G7: told before it was known whether it may be");
    scene.answer(Ok(Sight::default()));
    assert_eq!(scene.heard(1, 2), [None], "who may see nothing need not wait until all have come back");
    scene.open(2, true);
    assert_eq!(scene.heard(1, 2), [], "G7");
    scene.wait(30);
    scene.say(Said::Closed { stream: id(2), session_ended: true });
    scene.watch(1, &[2]);
    scene.say(Said::VisibilityChanged(vec![id(2)]));
    scene.answer(Ok(Sight::default()));
    assert_eq!(scene.heard(1, 2), [], "G7");
}

/// The node's clients still show what they were told on the line that broke.
#[test]
fn g7_what_may_no_longer_be_seen_is_taken_back_after_a_break() {
    let mut scene = watching();
    let (now, broken) = (scene.now(), scene.line);
    scene.machine.gone(now, broken);
    scene.line = scene.machine.open_line();
    scene.say(Said::Hello(id(NODE)));
    scene.open(1, true);
    scene.open(2, true);
    scene.watch(1, &[2]);
    scene.say(Said::SnapshotDone);
    scene.answer(Ok(Sight::default()));
    assert_eq!(scene.heard(1, 2), [None], "G7");
    assert_eq!(scene.heard(1, 2), []);
}

#[test]
fn g7_an_answer_from_before_a_change_does_not_count() {
    let mut scene = Scene::new(rules());
    scene.open(1, true);
    scene.open(2, true);
    scene.watch(1, &[2]);
    let now = scene.now();
    let ask = scene.machine.take_ask(now).unwrap();
    scene.say(Said::VisibilityChanged(vec![id(2)]));
    scene.machine.answered(now, ask, Ok(vec![ALL]));
    assert_eq!(scene.heard(1, 2), [], "G7: an old answer counted");
    assert_eq!(scene.answer(Ok(ALL)), 1);
    assert_eq!(scene.heard(1, 2), [Some(Availability::Online)]);
}

#[test]
fn g7_while_chat_svc_is_away_nothing_new_is_told_and_nothing_taken_back() {
    let mut scene = watching();
    scene.wait(301);
    scene.open(2, false);
    assert_eq!(
        scene.heard(1, 2),
        [Some(Availability::Away)],
        "what was answered counts until it is asked again"
    );
    assert_eq!(scene.answer(Err(Unanswered)), 1);
    scene.open(2, true);
    assert_eq!(scene.heard(1, 2), [], "G7: it does not count any more");
    assert_eq!(scene.answer(Ok(ALL)), 0, "not at once again");
    scene.wait(1);
    assert_eq!(scene.answer(Ok(ALL)), 1);
    assert_eq!(scene.heard(1, 2), [Some(Availability::Online)]);
}

#[test]
fn questions_are_few_at_once_and_pauses_grow_while_none_is_answered() {
    let mut scene = Scene::new(rules());
    for n in 1..=40 {
        scene.open(n, true);
        scene.watch(n, &[50]);
    }
    let now = scene.now();
    let under_way: Vec<_> = std::iter::from_fn(|| scene.machine.take_ask(now)).collect();
    assert_eq!(under_way.len(), 16, "G8");
    for ask in under_way {
        scene.machine.answered(now, ask, Err(Unanswered));
    }
    assert!(!scene.machine.take_due(now).ask, "whoever asks would do nothing else");
    let mut asked_at = Vec::new();
    for second in 1..=40 {
        scene.wait(1);
        let now = scene.now();
        if let Some(ask) = scene.machine.take_ask(now) {
            asked_at.push(second);
            scene.machine.answered(now, ask, Err(Unanswered));
        }
    }
    assert_eq!(asked_at, [1, 2, 3, 5, 9, 17, 25, 33]);
}

#[test]
fn after_a_restart_nobody_flaps() {
    let mut scene = Scene::new(Rules { settle: seconds(30), ..rules() });
    scene.open(1, true);
    scene.open(2, false);
    scene.watch(1, &[2, 3, 4]);
    scene.answer(Ok(ALL));
    assert_eq!(
        (scene.heard(1, 2), scene.heard(1, 3)),
        (vec![], vec![]),
        "another node may hold more of them"
    );
    scene.open(3, true);
    assert_eq!(scene.heard(1, 3), [Some(Availability::Online)]);
    scene.wait(29);
    assert_eq!((scene.heard(1, 2), scene.heard(1, 4)), (vec![], vec![]));
    let (now, record) = (scene.now(), Record::default());
    assert_eq!(scene.machine.presence(now, id(4), &record, ALL), Presence::default());
    scene.open(4, true);
    scene.wait(1);
    assert_eq!(scene.heard(1, 2), [Some(Availability::Away)]);
    assert_eq!(scene.heard(1, 4), [Some(Availability::Online)], "never offline");
    let now = scene.now();
    assert_eq!(scene.machine.presence(now, id(5), &record, ALL).availability, Some(Availability::Offline));
}

#[test]
fn a_newer_line_takes_the_place_of_the_older_and_nobody_flaps() {
    let mut scene = watching();
    let (older, newer) = (scene.line, scene.machine.open_line());
    scene.line = newer;
    scene.say(Said::Hello(id(NODE)));
    assert_eq!(scene.machine.pull(older), Pull::End(Ending::Displaced));
    let now = scene.now();
    assert!(!scene.machine.said(now, older, vec![Said::SnapshotDone]), "it is not heard any more");
    scene.open(1, true);
    scene.open(2, true);
    scene.watch(1, &[2]);
    scene.say(Said::SnapshotDone);
    scene.answer(Ok(ALL));
    assert_eq!(scene.heard(1, 2), [Some(Availability::Online)], "said anew on the new line, and only that");
    let now = scene.now();
    scene.machine.gone(now, older);
    assert_eq!(scene.machine.locate(id(2)).count(), 1);
}

#[test]
fn the_watches_of_a_broken_line_are_gone_and_everything_is_asked_anew_after_it() {
    let mut scene = watching();
    let (now, broken) = (scene.now(), scene.line);
    scene.machine.gone(now, broken);
    assert_eq!(scene.machine.pull(broken), Pull::End(Ending::Gone));
    assert!(!scene.machine.watching.is_watched(id(2)), "G8");
    scene.wait(15);
    assert!(scene.machine.people.shown(id(2)).is_some(), "still to be written");
    let writes = scene.machine.take_writes(10);
    assert_eq!(writes.len(), 2);
    scene.machine.written(writes, true);
    assert!(scene.machine.people.shown(id(2)).is_none(), "G8");
}

#[test]
fn g7_watch_calls_end_with_their_session_and_are_bounded() {
    let mut scene = Scene::new(rules());
    let now = scene.now();
    let mut call =
        |user: u8, session: u8| scene.machine.open_call(now, id(user), id(session), &BTreeSet::from([id(9)]));
    let (first, second) = (call(1, 1).unwrap(), call(1, 2).unwrap());
    assert_eq!(call(1, 3), Err(TooMany::OfUser), "G8");
    let third = call(2, 4).unwrap();
    assert_eq!(call(3, 5), Err(TooMany::InAll), "G8");
    scene.machine.session_ended(now, id(1));
    assert_eq!(scene.machine.pull(first), Pull::End(Ending::SessionEnded), "G7");
    assert_eq!(scene.machine.pull(second), Pull::Wait);
    for call in [first, second, third] {
        scene.machine.gone(now, call);
    }
    assert!(scene.machine.calls.is_empty() && scene.machine.calls_by_user.is_empty(), "G8");
    assert!(!scene.machine.watching.is_watched(id(9)), "G8");
}

#[test]
fn a_watcher_is_told_of_the_hundreds_it_watches_and_others_are_not_held_up() {
    let mut scene = Scene::new(rules());
    let everybody: Vec<u8> = (1..=200).collect();
    for n in 1..=3 {
        scene.open(n, true);
        scene.watch(n, &everybody);
    }
    scene.answer(Ok(ALL));
    scene.load();
    let mut sizes = Vec::new();
    while let Pull::News(news) = scene.machine.pull(scene.line) {
        sizes.push(news.iter().map(|news| news.presences.len()).sum::<usize>());
    }
    assert_eq!(sizes, [200, 200, 200], "one at a time");
    let now = scene.now();
    assert_eq!(scene.machine.take_due(now).wake, BTreeSet::from([scene.line]));
}

/// The time of day is not what graces are measured with.
#[test]
fn a_clock_that_is_set_back_does_not_lengthen_a_grace() {
    let mut scene = watching();
    scene.say(Said::Closed { stream: id(2), session_ended: false });
    let now = Now { instant: scene.start + seconds(15), wall: SystemTime::UNIX_EPOCH - seconds(3600) };
    scene.machine.tick(now);
    assert_eq!(scene.heard(1, 2), [Some(Availability::Offline)]);
}
