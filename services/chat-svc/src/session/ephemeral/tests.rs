//! What is told and not kept, on a stream: the latest of each, after rows and never in the way.

use std::time::{Duration, UNIX_EPOCH};

use parlor_types::{Id as _, Seq, SessionId, StreamId};
use parlor_wire::chat::v1::client_frame::Kind as In;
use parlor_wire::errors::v1::ErrorReason;
use prost::Message as _;

use super::*;
use crate::session::outbox::OutBatch;
use crate::session::{Identity, Live, Pull, StreamLimits};
use crate::store::{AccountPlace, Commit, Generation};

fn limits() -> StreamLimits {
    StreamLimits { outbox_bytes: 2_000, window_entries: 12, window_bytes: 6_000, ..StreamLimits::default() }
}

fn place(number: u8) -> ConversationId {
    ConversationId::from_bytes([number; 16])
}

fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

struct World {
    start: Instant,
    session: Session,
    effects: Vec<Effect>,
}

impl World {
    /// Said Hello; nothing of the sync has been read.
    fn greeted() -> Self {
        let start = Instant::now();
        let identity = Identity {
            user: user(1),
            session: SessionId::from_bytes([2; 16]),
            stream: StreamId::from_bytes([3; 16]),
            generation: Generation(uuid::Uuid::from_u128(5)),
        };
        let mut world = Self { start, session: Session::new(identity, limits(), start), effects: Vec::new() };
        world.say(0, In::Hello(wire::Hello { protocol: 1, ..wire::Hello::default() }));
        world
    }

    fn live() -> Self {
        let mut world = Self::greeted();
        world.session.synced(Commit(1), Vec::new());
        world.pull_all();
        world.session.account_read(Vec::new(), AccountPlace::after(Commit(1)), false);
        world.pull_all();
        world
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn say(&mut self, millis: u64, kind: In) {
        let frame = wire::ClientFrame { kind: Some(kind) }.encode_to_vec();
        let effects = self.session.frame(self.at(millis), UNIX_EPOCH, &frame);
        self.effects.extend(effects);
    }

    fn tick(&mut self, millis: u64) {
        let effects = self.session.tick(self.at(millis), Commit(1));
        self.effects.extend(effects);
    }

    fn told(&mut self, millis: u64, conversation: u8, typist: u8, activity: Option<Activity>) {
        let until = self.at(millis) + crate::typing::SHOWN;
        let (conversation, typist, audience) = (place(conversation), user(typist), [].into());
        let told = Told { conversation, typist, activity, until, audience };
        self.session.typing(self.at(millis), &told);
    }

    fn pull(&mut self) -> Option<OutBatch> {
        let (pull, effects) = self.session.pull();
        self.effects.extend(effects);
        match pull {
            Pull::Batch(batch) => Some(batch),
            Pull::Wait | Pull::End(_) => None,
        }
    }

    fn pull_all(&mut self) -> Vec<Out> {
        let mut frames = Vec::new();
        while let Some(batch) = self.pull() {
            let decode = |frame: &bytes::Bytes| wire::ServerFrame::decode(&frame[..]).unwrap().kind.unwrap();
            frames.extend(batch.frames.iter().map(decode));
            self.say(0, In::Ack(wire::Ack { batch: batch.batch }));
        }
        frames
    }

    /// Who types, by the frames that wait: typist, activity, milliseconds.
    fn typing(&mut self) -> Vec<(String, i32, i64)> {
        let frames = self.pull_all();
        let typing = frames.into_iter().map(|frame| match frame {
            Out::Typing(typing) => {
                let left = typing.expires_after.unwrap_or_default();
                (typing.user_id, typing.activity, left.seconds * 1000 + i64::from(left.nanos) / 1_000_000)
            }
            other => panic!("{other:?}"),
        });
        typing.collect()
    }
}

#[test]
fn the_latest_is_sent_with_the_time_that_is_left() {
    let mut world = World::live();
    world.told(0, 7, 8, Some(Activity::Typing));
    world.told(1_000, 7, 8, Some(Activity::Recording));
    world.told(1_000, 7, 9, Some(Activity::Typing));
    world.tick(2_000);
    assert_eq!(world.typing(), [(user(8).to_string(), 2, 5_000), (user(9).to_string(), 1, 5_000)]);
    world.told(3_000, 7, 8, None);
    assert_eq!(world.typing(), [(user(8).to_string(), 0, 0)]);
    world.told(4_000, 7, 8, Some(Activity::Typing));
    world.tick(10_000);
    assert_eq!(world.typing(), [], "nobody is told what is over");
}

#[test]
fn a_message_or_a_removal_takes_back_what_has_not_been_sent() {
    let mut world = World::live();
    for (conversation, typist) in [(7, 8), (7, 9), (6, 8)] {
        world.told(0, conversation, typist, Some(Activity::Typing));
    }
    world.session.typing_over(place(7), Some(user(8)));
    assert_eq!(world.session.out.ephemerals.typing.len(), 2);
    world.session.typing_over(place(7), None);
    assert_eq!(world.typing(), [(user(8).to_string(), 1, 6_000)]);
}

#[test]
fn g7_nothing_of_a_conversation_comes_before_its_row() {
    let mut world = World::greeted();
    world.pull_all();
    world.told(0, 7, 8, Some(Activity::Typing));
    world.told(0, 6, 8, Some(Activity::Typing));
    assert_eq!(world.pull_all(), [], "it is not known yet which rows come");
    world.session.synced(Commit(1), vec![place(7)]);
    assert!(
        matches!(world.pull_all().as_slice(), [Out::Typing(typing)] if typing.conversation_id == place(6).to_string())
    );
    world.session.rendered(&[place(7)], vec![(place(7), Seq(1), bytes::Bytes::new())]);
    world.session.row_changed(place(5));
    world.told(0, 5, 8, Some(Activity::Typing));
    let frames = world.session.out.take(world.start, |_| false).expect("a row, and typing").frames;
    assert_eq!(frames.len(), 2, "the row, and the typing in it, but not what another row must precede");
}

#[test]
fn no_cursor_waits_for_it() {
    let mut world = World::live();
    let frame = bytes::Bytes::from_static(b"");
    world.session.live(&Live { conversation: place(7), seq: Seq(2), target: None, deletes: false, frame });
    world.session.row_changed(place(5));
    world.told(0, 5, 8, Some(Activity::Typing));
    world.pull();
    world.session.rendered(&[place(5)], Vec::new());
    world.told(0, 5, 9, Some(Activity::Typing));
    let effects = world.session.tick(world.start, Commit(9));
    assert!(effects.is_empty());
    assert!(world.pull_all().iter().any(|frame| matches!(frame, Out::Checkpoint(_))), "G5");
}

#[test]
fn g8_it_is_bounded_and_gives_way_to_all_else() {
    let mut world = World::live();
    for typist in 0..=255 {
        world.told(0, 7, typist, Some(Activity::Typing));
    }
    assert_eq!(world.session.out.ephemerals.typing.len(), MAX_TYPING, "G8");
    world.told(0, 7, 0, Some(Activity::Recording));
    assert_eq!(world.session.out.ephemerals.typing[&(place(7), user(0))].0, Some(Activity::Recording));
    let full = bytes::Bytes::from(vec![0; limits().outbox_bytes]);
    world.session.live(&Live {
        conversation: place(7),
        seq: Seq(2),
        target: None,
        deletes: false,
        frame: full,
    });
    assert_eq!(world.pull().expect("the entry").frames.len(), 1, "no room beside it");
    let bytes: usize = world.pull().expect("typing").frames.iter().map(bytes::Bytes::len).sum();
    assert!(bytes < limits().outbox_bytes + 200, "G8: {bytes}");
    while let Some(batch) = world.pull() {
        assert!(batch.batch < 10, "G8: without acks it ends");
    }
    assert!(!world.session.out.ephemerals.typing.is_empty());
    world.tick(6_000);
    world.say(6_000, In::Ack(wire::Ack { batch: 2 }));
    assert_eq!(world.pull_all(), [], "what could not be sent in time is dropped");
}

#[test]
fn what_cannot_be_is_refused_and_the_stream_goes_on() {
    let mut world = World::live();
    let conversation_id = place(7).to_string();
    for (conversation_id, activity) in
        [("tea".to_owned(), 1), (String::new(), 0), (conversation_id.clone(), 3)]
    {
        world.say(0, In::SetTyping(wire::SetTyping { conversation_id, activity }));
        let frames = world.pull_all();
        let [Out::Refused(refused)] = frames.as_slice() else { panic!("{frames:?}") };
        assert_eq!(refused.frame, "set_typing");
        assert_eq!(refused.problem.as_ref().unwrap().reason(), ErrorReason::FieldInvalid);
    }
    world.effects.clear();
    world.say(0, In::SetTyping(wire::SetTyping { conversation_id, activity: 2 }));
    assert!(
        matches!(world.effects[..], [Effect::Typing(id, Some(Activity::Recording))] if id == place(7)),
        "{:?}",
        world.effects
    );
}
