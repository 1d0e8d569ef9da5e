use std::time::UNIX_EPOCH;

use parlor_types::{Id as _, SessionId, StreamId};
use parlor_wire::chat::v1::client_frame::Kind as In;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::presence::v1::Availability;
use prost::Message as _;

use super::*;
use crate::session::{Identity, Pull, StreamLimits};
use crate::store::{Commit, Generation};

fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

struct World {
    start: Instant,
    session: Session,
    passed_on: usize,
}

impl World {
    fn new(hello: wire::Hello) -> Self {
        let start = Instant::now();
        let identity = Identity {
            user: user(1),
            session: SessionId::from_bytes([2; 16]),
            stream: StreamId::from_bytes([3; 16]),
            generation: Generation(uuid::Uuid::from_u128(5)),
        };
        let session = Session::new(identity, StreamLimits::default(), start);
        let mut world = Self { start, session, passed_on: 0 };
        world.say(0, In::Hello(wire::Hello { protocol: 1, ..hello }));
        world.session.synced(Commit(1), Vec::new());
        world.pull();
        world
    }

    fn say(&mut self, millis: u64, kind: In) {
        let frame = wire::ClientFrame { kind: Some(kind) }.encode_to_vec();
        let now = self.start + Duration::from_millis(millis);
        let effects = self.session.frame(now, UNIX_EPOCH, &frame);
        self.passed_on += effects.iter().filter(|effect| matches!(effect, Effect::PassOn)).count();
    }

    fn watch(&mut self, millis: u64, users: &[u8]) {
        let user_ids = users.iter().map(|number| user(*number).to_string()).collect();
        self.say(millis, In::Watch(wire::Watch { user_ids }));
    }

    fn tick(&mut self, millis: u64) {
        let effects = self.session.tick(self.start + Duration::from_millis(millis), Commit(1));
        self.passed_on += effects.iter().filter(|effect| matches!(effect, Effect::PassOn)).count();
    }

    fn comes(&mut self, number: u8, availability: Availability) {
        let presence = Presence {
            user_id: user(number).to_string(),
            availability: availability.into(),
            ..Presence::default()
        };
        self.session.presences(vec![(user(number), presence)]);
    }

    fn pull(&mut self) -> Vec<Out> {
        let mut frames = Vec::new();
        while let (Pull::Batch(batch), _) = self.session.pull() {
            let decode = |frame: &bytes::Bytes| wire::ServerFrame::decode(&frame[..]).unwrap().kind.unwrap();
            frames.extend(batch.frames.iter().map(decode));
        }
        frames
    }

    fn told(&mut self) -> Vec<(String, Availability)> {
        let told = self.pull().into_iter().map(|frame| match frame {
            Out::PresenceChanged(changed) => {
                let presence = changed.presence.unwrap();
                (presence.user_id.clone(), presence.availability())
            }
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    fn watched(&self) -> Vec<UserId> {
        self.session.facts().watched.to_vec()
    }
}

#[test]
fn the_first_list_is_passed_on_at_once_and_then_the_last_of_each_second() {
    let mut world = World::new(wire::Hello::default());
    world.watch(10, &[8, 7, 8]);
    assert_eq!((world.passed_on, world.watched()), (1, vec![user(7), user(8)]));
    for number in 0..10_000_u64 {
        world.watch(20 + number / 20, &[u8::try_from(number % 250).unwrap()]);
    }
    world.tick(900);
    assert_eq!((world.passed_on, world.watched()), (1, vec![user(7), user(8)]), "G8");
    world.tick(1_010);
    assert_eq!((world.passed_on, world.watched()), (2, vec![user(249)]));
    world.tick(5_000);
    assert_eq!(world.passed_on, 2, "nothing new");
    world.watch(6_000, &[]);
    assert_eq!((world.passed_on, world.watched()), (3, vec![]));
}

#[test]
fn the_latest_of_those_watched_is_told_and_of_nobody_else() {
    let mut world = World::new(wire::Hello::default());
    world.watch(0, &[7, 8]);
    world.comes(7, Availability::Away);
    world.comes(7, Availability::Online);
    world.comes(9, Availability::Online);
    assert_eq!(world.told(), [(user(7).to_string(), Availability::Online)]);
    world.comes(8, Availability::Online);
    world.watch(100, &[7]);
    assert_eq!(world.told(), [], "no longer watched when there was room");
    world.comes(8, Availability::Offline);
    assert_eq!(world.told(), [], "nor now, although it has not been passed on");
    world.watch(200, &[7, 8]);
    assert_eq!(world.told(), [(user(8).to_string(), Availability::Offline)], "nobody will say so again");
    world.watch(300, &[7]);
    world.tick(1_300);
    world.watch(2_400, &[7, 8]);
    assert_eq!(world.told(), [], "it is asked for anew");
}

#[test]
fn g8_presence_waits_for_room_and_is_not_lost() {
    let mut world = World::new(wire::Hello::default());
    let all: Vec<u8> = (0..200).collect();
    world.watch(0, &all);
    for _ in 0..100 {
        for number in &all {
            world.comes(*number, Availability::Online);
        }
    }
    let told = world.told();
    assert_eq!(told.len(), 200, "the latest of each");
    assert_eq!(world.session.out.attention.known.len(), 200);
}

#[test]
fn what_cannot_be_watched_is_refused_and_the_list_stays() {
    let mut world = World::new(wire::Hello::default());
    world.watch(0, &[7]);
    let many = (0..201).map(|_| UserId::new().to_string()).collect();
    for user_ids in [many, vec![user(8).to_string(), "Ben".to_owned()]] {
        world.say(2_000, In::Watch(wire::Watch { user_ids }));
        let frames = world.pull();
        let [Out::Refused(refused)] = frames.as_slice() else { panic!("{frames:?}") };
        assert_eq!(refused.frame, "watch");
        assert_eq!(refused.problem.as_ref().unwrap().reason(), ErrorReason::FieldInvalid);
    }
    assert_eq!((world.passed_on, world.watched()), (1, vec![user(7)]));
}

#[test]
fn an_app_behind_may_be_silent_for_longer_and_one_in_front_may_not() {
    let limits = StreamLimits::default();
    let ends_after = |world: &mut World, interval: Duration| {
        let last = u64::try_from((interval * 2).as_millis()).unwrap();
        world.tick(last - 1);
        assert!(!world.session.has_ended(), "{interval:?}");
        world.tick(last);
        assert!(world.session.has_ended(), "{interval:?}");
    };
    ends_after(&mut World::new(wire::Hello::default()), limits.ping_interval);
    let behind = wire::Hello { background: true, mobile: true, ..wire::Hello::default() };
    let mut world = World::new(behind.clone());
    let facts = world.session.facts();
    assert_eq!((facts.foreground, facts.mobile, world.passed_on), (false, true, 0), "with the Hello");
    ends_after(&mut world, limits.background_ping_interval);
    let mut world = World::new(behind);
    world.say(0, In::SetActive(wire::SetActive { foreground: true }));
    assert_eq!((world.session.facts().foreground, world.passed_on), (true, 1));
    for _ in 0..1_000 {
        world.say(0, In::SetActive(wire::SetActive { foreground: false }));
        world.say(0, In::SetActive(wire::SetActive { foreground: true }));
    }
    assert_eq!(world.passed_on, 1, "G8");
    ends_after(&mut world, limits.ping_interval);
}

#[test]
fn nothing_is_told_after_goodbye() {
    let mut world = World::new(wire::Hello::default());
    world.watch(0, &[7]);
    world.comes(7, Availability::Online);
    world.session.end(crate::session::Farewell::session_ended());
    assert!(matches!(world.pull().as_slice(), [Out::Goodbye(_)]));
    assert!(world.session.session_has_ended());
}
