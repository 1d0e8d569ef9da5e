use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const PLAIN: Duration = Duration::from_secs(15);
const MOBILE: Duration = Duration::from_secs(30);
const GRACES: Graces = Graces { plain: PLAIN, mobile: MOBILE };
const LINE: OutletId = OutletId(1);

const GONE: Connection = Connection { there: false, in_front: false, in_front_now: false };
const BEHIND: Connection = Connection { there: true, in_front: false, in_front_now: false };
const FRONT: Connection = Connection { there: true, in_front: true, in_front_now: true };
const FRONT_LOST: Connection = Connection { there: true, in_front: true, in_front_now: false };

fn id<T: parlor_types::Id>(n: u8) -> T {
    T::from_bytes([n; 16])
}

/// Stream `n` of user 1, with a session of its own, in front.
fn stream(n: u8) -> Opened {
    Opened { stream: id(n), user: id(1), session: id(n), foreground: true, mobile: false }
}

fn attached() -> (Registry, Instant) {
    let mut registry = Registry::new(GRACES);
    assert_eq!(registry.attach(id(1), LINE), None);
    (registry, Instant::now())
}

#[test]
fn any_app_in_front_counts_as_being_in_front() {
    let (mut registry, start) = attached();
    registry.opened(LINE, Opened { foreground: false, ..stream(1) });
    assert_eq!(registry.connection(id(1)), BEHIND);
    registry.opened(LINE, stream(2));
    assert_eq!(registry.connection(id(1)), FRONT);
    registry.opened(LINE, Opened { foreground: false, ..stream(2) });
    assert_eq!(registry.connection(id(1)), BEHIND, "sent to the back");
    registry.closed(start, id(1), true);
    registry.closed(start, id(2), true);
    assert_eq!(registry.connection(id(1)), GONE);
    assert_eq!(registry.take_changed(), BTreeSet::from([id(1)]));
    assert!(registry.streams.is_empty() && registry.users.is_empty() && registry.sessions.is_empty(), "G8");
}

#[test]
fn a_lost_stream_counts_on_as_it_was_for_its_grace() {
    for (mobile, grace) in [(false, PLAIN), (true, MOBILE)] {
        let (mut registry, start) = attached();
        registry.opened(LINE, Opened { mobile, ..stream(1) });
        registry.closed(start, id(1), false);
        registry.tick(start + grace - Duration::from_millis(1));
        assert_eq!(registry.connection(id(1)), FRONT_LOST);
        assert_eq!(registry.locate(id(1)).count(), 0, "it is nowhere");
        registry.tick(start + grace);
        assert_eq!(registry.connection(id(1)), GONE);
    }
}

#[test]
fn who_comes_back_within_the_grace_was_never_gone() {
    let (mut registry, start) = attached();
    registry.opened(LINE, stream(1));
    registry.closed(start, id(1), false);
    registry.opened(LINE, Opened { stream: id(2), foreground: false, ..stream(1) });
    assert_eq!(registry.connection(id(1)), BEHIND, "the session is back, and as it says it is");
    registry.tick(start + MOBILE);
    assert_eq!(registry.connection(id(1)), BEHIND);
    assert!(registry.graces_end.is_empty());
}

#[test]
fn a_stream_whose_session_has_a_newer_one_needs_no_grace() {
    let (mut registry, start) = attached();
    registry.opened(LINE, stream(1));
    registry.opened(LINE, Opened { stream: id(2), foreground: false, ..stream(1) });
    registry.closed(start, id(1), false);
    assert_eq!(registry.connection(id(1)), BEHIND);
}

#[test]
fn an_ended_session_counts_for_nothing_at_once_also_in_its_grace() {
    let (mut registry, start) = attached();
    registry.opened(LINE, stream(1));
    registry.closed(start, id(1), false);
    registry.session_ended(id(1));
    assert_eq!(registry.connection(id(1)), GONE);
    registry.opened(LINE, stream(1));
    registry.session_ended(id(1));
    assert_eq!(registry.connection(id(1)), GONE);
    registry.opened(LINE, stream(1));
    registry.closed(start, id(1), true);
    assert_eq!(registry.connection(id(1)), GONE);
    assert!(registry.graces_end.is_empty() && registry.lines[&LINE].streams.is_empty(), "G8");
}

#[test]
fn the_sessions_of_a_dead_node_end_after_the_grace() {
    let (mut registry, start) = attached();
    registry.attach(id(2), OutletId(2));
    registry.opened(LINE, stream(1));
    registry.opened(OutletId(2), Opened { user: id(2), ..stream(2) });
    registry.detach(start, LINE);
    registry.tick(start + PLAIN - Duration::from_millis(1));
    assert_eq!((registry.connection(id(1)), registry.connection(id(2))), (FRONT_LOST, FRONT));
    registry.tick(start + PLAIN);
    assert_eq!((registry.connection(id(1)), registry.connection(id(2))), (GONE, FRONT));
    assert!(registry.nodes.contains_key(&id(2)) && registry.nodes.len() == 1, "G8");
}

#[test]
fn a_node_that_attaches_again_keeps_what_it_names_and_loses_the_rest() {
    let (mut registry, start) = attached();
    registry.opened(LINE, stream(1));
    registry.opened(LINE, Opened { user: id(2), ..stream(2) });
    for older in [false, true] {
        // Whether the older line was known to be broken makes no difference.
        let line = OutletId(2 + u64::from(older));
        if !older {
            registry.detach(start, LINE);
        }
        registry.attach(id(1), line);
        registry.opened(line, stream(1));
        assert_eq!((registry.connection(id(1)), registry.connection(id(2)).in_front), (FRONT, true));
        registry.snapshot_done(start, line);
        assert_eq!((registry.connection(id(1)), registry.connection(id(2))), (FRONT, FRONT_LOST));
        registry.opened(line, Opened { user: id(2), ..stream(2) });
    }
    registry.detach(start, OutletId(2));
    assert_eq!(registry.connection(id(1)), FRONT, "the older line does not matter any more");
    let located: Vec<_> = registry.locate(id(1)).collect();
    assert_eq!(located, [Located { user: id(1), session: id(1), stream: id(1), node: id(1) }]);
}

/// The registry said plainly: each stream by itself, looked through whenever something is asked.
#[derive(Default)]
struct Model {
    streams: BTreeMap<u8, (Opened, Option<u8>, Option<Instant>)>,
}

impl Model {
    fn open(&mut self, node: u8, opened: Opened, n: u8) {
        self.streams.retain(|_, (other, _, lost)| lost.is_none() || other.session != opened.session);
        self.streams.insert(n, (opened, Some(node), None));
    }

    fn lose(&mut self, now: Instant, gone: &[u8]) {
        for n in gone {
            let Some((opened, _, None)) = self.streams.get(n).copied() else { continue };
            let mut others = self.streams.iter().filter(|(other, _)| !gone.contains(other));
            if others.any(|(_, (other, _, lost))| other.session == opened.session && lost.is_none()) {
                self.streams.remove(n);
                continue;
            }
            let grace = if opened.mobile { MOBILE } else { PLAIN };
            self.streams.insert(*n, (opened, None, Some(now + grace)));
        }
    }

    fn on_node(&self, node: u8) -> Vec<u8> {
        self.streams.iter().filter(|(_, (_, at, _))| *at == Some(node)).map(|(n, _)| *n).collect()
    }

    fn connection(&self, user: UserId) -> Connection {
        let mut connection = Connection::default();
        for (opened, _, lost) in self.streams.values().filter(|(opened, ..)| opened.user == user) {
            connection.there = true;
            connection.in_front |= opened.foreground;
            connection.in_front_now |= opened.foreground && lost.is_none();
        }
        connection
    }
}

#[derive(Clone, Debug)]
enum Step {
    Open {
        node: u8,
        n: u8,
        foreground: bool,
    },
    Close {
        n: u8,
        ended: bool,
    },
    EndSession(u8),
    Break(u8),
    /// Attaches again, and names those streams of the node whose bit is set.
    Attach {
        node: u8,
        named: u8,
    },
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (node, n) = (0_u8..2, 0_u8..8);
    prop_oneof![
        4 => (node.clone(), n.clone(), any::<bool>()).prop_map(|(node, n, foreground)| Step::Open { node, n, foreground }),
        2 => (n, any::<bool>()).prop_map(|(n, ended)| Step::Close { n, ended }),
        1 => (0_u8..4).prop_map(Step::EndSession),
        1 => node.clone().prop_map(Step::Break),
        1 => (node, any::<u8>()).prop_map(|(node, named)| Step::Attach { node, named }),
        2 => (1_u64..20).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Eight streams of four sessions of two users, half of them phones, on two nodes whose lines break.
    #[test]
    fn the_registry_is_what_a_plain_model_says(steps in prop::collection::vec(step(), 1..80)) {
        let (mut registry, mut model) = (Registry::new(GRACES), Model::default());
        let mut now = Instant::now();
        let mut lines = [Some(OutletId(1)), Some(OutletId(2))];
        let mut last = 2;
        registry.attach(id(100), OutletId(1));
        registry.attach(id(101), OutletId(2));
        let opened = |n: u8, foreground| Opened {
            stream: id(n), user: id(n % 2), session: id(n % 4), foreground, mobile: n % 4 >= 2,
        };
        for step in steps {
            match step.clone() {
                Step::Open { node, n, foreground } => {
                    let Some(line) = lines[usize::from(node)] else { continue };
                    registry.opened(line, opened(n, foreground));
                    model.open(node, opened(n, foreground), n);
                }
                Step::Close { n, ended } => {
                    registry.closed(now, id(n), ended);
                    match model.streams.get(&n).map(|(opened, ..)| opened.session) {
                        Some(session) if ended => model.streams.retain(|_, (other, ..)| other.session != session),
                        _ => model.lose(now, &[n]),
                    }
                }
                Step::EndSession(n) => {
                    registry.session_ended(id(n));
                    model.streams.retain(|_, (opened, ..)| opened.session != id(n));
                }
                Step::Break(node) => {
                    let Some(line) = lines[usize::from(node)].take() else { continue };
                    registry.detach(now, line);
                    let gone = model.on_node(node);
                    model.lose(now, &gone);
                }
                Step::Attach { node, named } => {
                    last += 1;
                    let (line, old) = (OutletId(last), lines[usize::from(node)]);
                    lines[usize::from(node)] = Some(line);
                    prop_assert_eq!(registry.attach(id(100 + node), line), old);
                    let (kept, lost): (Vec<_>, Vec<_>) =
                        model.on_node(node).into_iter().partition(|n| named & (1 << n) != 0);
                    for n in kept {
                        let (as_it_was, ..) = model.streams[&n];
                        registry.opened(line, as_it_was);
                        model.open(node, as_it_was, n);
                    }
                    registry.snapshot_done(now, line);
                    model.lose(now, &lost);
                }
                Step::Wait(seconds) => {
                    now += Duration::from_secs(seconds);
                    registry.tick(now);
                    model.streams.retain(|_, (_, _, lost)| lost.is_none_or(|until| until > now));
                }
            }
            for user in [0, 1] {
                prop_assert_eq!(registry.connection(id(user)), model.connection(id(user)), "{:?}", step);
                let live = model.streams.values().filter(|(opened, _, lost)| opened.user == id(user) && lost.is_none());
                prop_assert_eq!(registry.locate(id(user)).count(), live.count(), "{:?}", step);
            }
            let counted = |index: &HashMap<_, HashSet<StreamId>>| index.values().map(HashSet::len).sum::<usize>();
            prop_assert_eq!(counted(&registry.users), registry.streams.len(), "G8");
        }
    }
}
