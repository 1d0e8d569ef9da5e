//! What a client says on its stream, as the machine in chat-svc takes it: any frames, in any order, between answers of the store,
//! entries of others, and a transport that takes what waits or does not.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use chat_svc::edge;
use chat_svc::log::Refusal;
use chat_svc::session::{Effect, Farewell, Identity, Live, Pull, Session, StreamLimits};
use chat_svc::store::{Commit, Generation};
use parlor_types::{ConversationId, Id as _, Seq, SessionId, StreamId, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::ErrorReason;
use prost::Message as _;

use super::frames;
use crate::Target;
use crate::input::{Input, Script};

/// Bytes that may wait on a stream whose client takes nothing, whatever it says: eight times the answers in flight, the notices,
/// and the window, with room to spare.
const MAX_WAITING_BYTES: usize = 256 * 1024;
/// Frames in one go: the same said again and again is how bounds are reached.
const MAX_AGAIN: u8 = 200;

pub(super) const TARGET: Target = Target {
    name: "session",
    about: "frames of a client, into the stream's machine in chat-svc",
    run,
    seeds,
    max_len: 4096,
};

/// A stream, and the work it has asked for.
struct World {
    session: Session,
    now: Instant,
    ended: bool,
    work: VecDeque<Effect>,
    reached: u64,
    seq: u64,
    batch: u64,
}

fn run(data: &[u8]) {
    let now = Instant::now();
    let identity = Identity {
        user: UserId::from_bytes([1; 16]),
        session: SessionId::from_bytes([2; 16]),
        stream: StreamId::from_bytes([3; 16]),
        generation: Generation(uuid::Uuid::from_bytes([4; 16])),
    };
    let session = Session::new(identity, StreamLimits::default(), now);
    let work = VecDeque::new();
    let mut world = World { session, now, ended: false, work, reached: 1, seq: 0, batch: 0 };
    let mut input = Input::new(data);
    while !input.is_over() {
        world.step(&mut input);
    }
    world.take_all();
}

impl World {
    fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() % 16 {
            0..=2 => self.hear(input.bytes()),
            3..=6 => self.hear(&frames::of_client(input).encode_to_vec()),
            7 => {
                let frame = frames::of_client(input).encode_to_vec();
                (0..input.byte() % MAX_AGAIN).for_each(|_| self.hear(&frame));
            }
            8 => self.pass(Duration::from_millis(input.number() % 1_000_000)),
            9 => self.pull(),
            10..=12 => self.answer(input),
            13 => self.others(input),
            14 => self.hear(&wire::ClientFrame { kind: Some(hello()) }.encode_to_vec()),
            _ => (0..input.byte() % 16).for_each(|_| self.pull()),
        }
    }

    fn hear(&mut self, frame: &[u8]) {
        let effects = self.session.frame(self.now, SystemTime::UNIX_EPOCH, frame);
        self.ask(effects);
        let due = self.session.marks_due(self.now);
        self.ask(due);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        let effects = self.session.tick(self.now, Commit(self.reached));
        self.ask(effects);
    }

    /// Takes over what the session wants done. It never wants more than its limits say.
    fn ask(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            assert!(!self.ended, "G8: a stream that has ended wants {effect:?}");
            match effect {
                Effect::Unregister => self.ended = true,
                Effect::Typing(..) | Effect::PassOn => {}
                other => self.work.push_back(other),
            }
        }
        let limits = StreamLimits::default();
        let count = |of: fn(&Effect) -> bool| self.work.iter().filter(|effect| of(effect)).count();
        assert!(count(|effect| matches!(effect, Effect::Append(..))) <= limits.appends, "G8: appends");
        assert!(count(|effect| matches!(effect, Effect::Fetch(_))) <= 1, "G8: fetches");
        assert!(count(|effect| matches!(effect, Effect::Render(_))) <= 1, "G8: rows");
        // Marks of the end go beside those that are being written.
        assert!(count(|effect| matches!(effect, Effect::Mark(_))) <= 2, "G8: marks");
        assert!(count(|effect| matches!(effect, Effect::Prefer(..))) <= 1, "G8: preferences");
        assert_eq!(self.ended, self.session.has_ended());
    }

    /// The store answers the oldest question.
    fn answer(&mut self, input: &mut Input<'_>) {
        let Some(effect) = self.work.pop_front() else { return };
        match effect {
            Effect::RegisterAndSync(_) => {
                let changed = (0..input.byte() % 40).map(|number| ConversationId::from_bytes([number; 16]));
                self.session.synced(Commit(self.reached), changed.collect());
            }
            Effect::Render(ids) => {
                let row = |id: &ConversationId| (*id, Seq(self.seq), Bytes::from_static(b"\x12\x00"));
                let rows = ids.iter().map(row).collect();
                self.session.rendered(&ids, rows);
            }
            Effect::ReadAccount(place) => self.session.account_read(Vec::new(), place, input.flag()),
            Effect::Append(append, lane) => self.append(input, *append, lane),
            Effect::Fetch(fetch) => {
                let page = wire::LogPage::default();
                let problem = edge::not_found();
                let result = if input.flag() { Ok(page) } else { Err(problem) };
                self.session.fetched(fetch.request_id, result);
            }
            Effect::Mark(marks) => {
                let refused = marks.iter().take(usize::from(input.byte() % 4)).map(|(id, marks)| {
                    let (conversation_id, seq) = (id.to_string(), marks.received.0);
                    wire::MarkRefused { conversation_id, seq, problem: Some(edge::not_found()) }
                });
                self.session.marked(refused.collect());
            }
            Effect::Prefer(request, _) => {
                let changes = request.changes.as_ref();
                // What is wrong with it is named; the rest may be kept.
                let checked = edge::preference_changes(changes).map(|_| wire::Preferences::default());
                self.session.preferred(request.request_id, checked.map_err(Into::into));
            }
            Effect::Receipts(_) => self.session.receipts_found(Vec::new()),
            Effect::Typing(..) | Effect::PassOn | Effect::Unregister => {}
        }
    }

    fn append(&mut self, input: &mut Input<'_>, append: wire::Append, lane: Option<chat_svc::log::Lane>) {
        match edge::draft(UserId::from_bytes([1; 16]), &append, lane.clone()) {
            Err(problem) => self.session.refuse(append, lane, problem),
            Ok(_) if input.flag() => {
                self.session.refuse(append, lane, edge::refusal_problem(Refusal::Overloaded));
            }
            Ok(draft) => {
                let number = lane.map_or(0, |lane| lane.number());
                let conversation = draft.conversation.to_string();
                self.session.answered(append.op, conversation, number, Ok(wire::Appended::default()));
            }
        }
    }

    /// Something happens that others do.
    fn others(&mut self, input: &mut Input<'_>) {
        let conversation: ConversationId = input.id();
        match input.byte() % 6 {
            0 | 1 => {
                for _ in 0..=input.byte() % 64 {
                    (self.seq, self.reached) = (self.seq + 1, self.reached + 1);
                    let target = input.flag().then_some(Seq(self.seq / 2));
                    let frame = Bytes::from_static(&[0x22, 0x00]);
                    let deletes = target.is_some() && input.flag();
                    self.session.live(&Live { conversation, seq: Seq(self.seq), target, deletes, frame });
                }
            }
            2 => self.session.row_changed(conversation),
            3 => self.session.receipts_changed(conversation, input.id()),
            4 => self.session.account_changed(),
            _ => {
                let effects = self.session.end(Farewell::displaced());
                self.ask(effects);
            }
        }
    }

    /// The transport takes what waits.
    fn pull(&mut self) {
        let (pull, effects) = self.session.pull();
        self.ask(effects);
        if let Pull::Batch(batch) = pull {
            self.take(batch.batch, batch.frames);
        }
    }

    fn take(&mut self, number: u64, frames: Vec<Bytes>) {
        self.batch += 1;
        assert_eq!(number, self.batch, "batches are counted");
        let bytes: usize = frames.iter().map(Bytes::len).sum();
        assert!(bytes <= MAX_WAITING_BYTES, "G8: {bytes} bytes waited");
        for frame in frames {
            wire::ServerFrame::decode(frame).expect("a frame of the server is one");
        }
    }

    /// The transport takes everything; a stream that has ended comes to its end.
    fn take_all(&mut self) {
        for _ in 0..10_000 {
            match self.session.pull() {
                (Pull::Batch(batch), effects) => {
                    self.take(batch.batch, batch.frames);
                    self.ask(effects);
                }
                (Pull::Wait, _) => return assert!(!self.ended, "a stream that has ended goes on"),
                (Pull::End(farewell), _) => {
                    assert_ne!(farewell.reason, ErrorReason::Unspecified);
                    return;
                }
            }
        }
        panic!("G8: a stream without end");
    }
}

fn hello() -> wire::client_frame::Kind {
    let protocol = parlor_types::limits::PROTOCOL;
    wire::client_frame::Kind::Hello(wire::Hello { protocol, ..wire::Hello::default() })
}

/// A stream that has begun and synced, and then each kind of frame.
fn seeds() -> Vec<Vec<u8>> {
    let begun =
        || Script::default().byte(14).byte(10).byte(3).byte(9).byte(10).byte(10).byte(0).byte(15).byte(3);
    let said = |frame: &wire::ClientFrame| begun().byte(0).bytes(&frame.encode_to_vec()).byte(10).byte(9);
    let mut all: Vec<Vec<u8>> = frames::client_samples().iter().map(|frame| said(frame).end()).collect();
    let everything = frames::client_samples().iter().fold(begun(), |script, frame| {
        script.byte(0).bytes(&frame.encode_to_vec()).byte(10).byte(8).byte(255).byte(9)
    });
    all.push(everything.end());
    all
}
