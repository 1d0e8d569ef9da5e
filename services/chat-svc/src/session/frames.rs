//! What a client says, frame by frame.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::client_frame::Kind as In;
use parlor_wire::chat::v1::server_frame::Kind as Out;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::id;
use prost::Message as _;

use super::Farewell;
use super::machine::{Effect, MAX_LANES, MAX_MARKS, Phase, Session, said_back};
use super::outbox::Weight;
use crate::edge;
use crate::log::{Lane, LaneState, Refusal};
use crate::receipts::Marks;

impl Session {
    /// One encoded ClientFrame.
    pub fn frame(&mut self, now: Instant, wall: SystemTime, bytes: &[u8]) -> Vec<Effect> {
        if self.has_ended() {
            return Vec::new();
        }
        (self.heard, self.now) = (now, now);
        let frame = match wire::ClientFrame::decode(bytes) {
            Ok(frame) => frame,
            Err(error) => {
                return self.end(Farewell::fault(ErrorReason::MessageMalformed, error.to_string()));
            }
        };
        match (&self.phase, frame.kind) {
            // A kind this release does not know: rule 7 holds for servers too.
            (Phase::Syncing | Phase::Live, None) => Vec::new(),
            (_, Some(In::Hello(hello))) => self.hello(&hello, wall),
            (Phase::Greeting { .. }, _) => {
                self.end(Farewell::fault(ErrorReason::HelloExpected, "the first frame must be Hello"))
            }
            (_, Some(In::Append(append))) => self.append(append),
            (_, Some(In::Fetch(fetch))) => self.fetch(fetch),
            (_, Some(In::Received(mark))) => {
                let marks = Marks { received: Seq(mark.seq), read: Seq(0) };
                self.mark(mark.conversation_id, marks)
            }
            (_, Some(In::Read(mark))) => {
                let marks = Marks { received: Seq(mark.seq), read: Seq(mark.seq) };
                self.mark(mark.conversation_id, marks)
            }
            (_, Some(In::SetTyping(typing))) => self.set_typing(&typing),
            (_, Some(In::SetActive(active))) => self.set_active(active),
            (_, Some(In::Watch(watch))) => self.watch(&watch),
            (_, Some(In::SetPreferences(request))) => self.set_preferences(request),
            (_, Some(In::Ack(ack))) => self.ack(&ack),
            (_, Some(In::Ping(ping))) => {
                self.out.push(Out::Pong(wire::Pong { nonce: ping.nonce }), Weight::Notice);
                Vec::new()
            }
            (Phase::Ended(_), _) => Vec::new(),
        }
    }

    fn ack(&mut self, ack: &wire::Ack) -> Vec<Effect> {
        if self.out.ack(ack.batch) {
            return Vec::new();
        }
        self.end(Farewell::fault(ErrorReason::AckAhead, "Ack names a batch that was not sent"))
    }

    fn append(&mut self, append: wire::Append) -> Vec<Effect> {
        // Without an id it is a creation, which has no lane.
        let lane = match id::<ConversationId>("conversation_id", &append.conversation_id) {
            Ok(conversation) => Some(self.lane(conversation).append(append.lane)),
            Err(_) => None,
        };
        self.appends += 1;
        if self.appends + self.out.append_results > self.limits.appends {
            let message = format!("at most {} appends in flight", self.limits.appends);
            self.refuse(append, lane, edge::problem(ErrorReason::TooManyInFlight, message));
            return self.overrun();
        }
        vec![Effect::Append(Box::new(append), lane)]
    }

    /// Answers an append that is not even tried.
    pub fn refuse(&mut self, append: wire::Append, lane: Option<Lane>, problem: Problem) {
        if let Some(lane) = &lane {
            lane.refuse();
        }
        let number = lane.map_or(0, |lane| lane.number());
        self.answered(append.op, append.conversation_id, number, Err(problem));
    }

    /// A client that goes on and on without taking its answers is cut off: the answers are what would grow.
    fn overrun(&mut self) -> Vec<Effect> {
        if self.out.append_results <= self.limits.appends * 8 {
            return Vec::new();
        }
        let message = "many times the appends in flight that are allowed";
        self.end(Farewell::come_back(
            ErrorReason::TooManyInFlight,
            std::time::Duration::from_secs(1),
            message,
        ))
    }

    fn lane(&mut self, conversation: ConversationId) -> Arc<LaneState> {
        if self.lanes.len() >= MAX_LANES {
            self.lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.is_fresh());
        }
        if self.lanes.len() >= MAX_LANES {
            // All are broken or under way. A lane that is not kept only forgets to refuse.
            return Arc::default();
        }
        Arc::clone(self.lanes.entry(conversation).or_default())
    }

    fn fetch(&mut self, fetch: wire::Fetch) -> Vec<Effect> {
        let open = self.fetches.len() + usize::from(self.fetching) + self.out.fetch_results;
        if open >= self.limits.fetches {
            let message = format!("at most {} fetches in flight", self.limits.fetches);
            let problem = edge::problem(ErrorReason::TooManyInFlight, message);
            let outcome = Some(wire::fetch_result::Outcome::Problem(problem));
            let result = wire::FetchResult { request_id: fetch.request_id, outcome };
            self.out.push(Out::FetchResult(result), Weight::Notice);
            return Vec::new();
        }
        self.fetches.push_back(fetch);
        Vec::new()
    }

    fn mark(&mut self, conversation_id: String, marks: Marks) -> Vec<Effect> {
        let conversation = match id("conversation_id", &conversation_id) {
            Ok(conversation) => conversation,
            Err(invalid) => return self.refuse_mark(conversation_id, marks, invalid.into()),
        };
        if self.marks.len() >= MAX_MARKS && !self.marks.contains_key(&conversation) {
            return self.refuse_mark(conversation_id, marks, edge::refusal_problem(Refusal::Overloaded));
        }
        self.gather(conversation, marks);
        if self.marks.len() >= MAX_MARKS { self.marks_due(self.now) } else { Vec::new() }
    }

    fn refuse_mark(&mut self, conversation_id: String, marks: Marks, problem: Problem) -> Vec<Effect> {
        let conversation_id = said_back(conversation_id);
        let refused = wire::MarkRefused { conversation_id, seq: marks.received.0, problem: Some(problem) };
        self.out.push(Out::MarkRefused(refused), Weight::Notice);
        Vec::new()
    }

    /// Keeps marks until they are written.
    pub(super) fn gather(&mut self, conversation: ConversationId, marks: Marks) {
        let known = self.marks.entry(conversation).or_default();
        known.received = known.received.max(marks.received);
        known.read = known.read.max(marks.read);
    }

    /// Writes the marks that have gathered, unless some were written a moment ago. Called when all frames that came
    /// together have been taken in, and as time passes.
    pub fn marks_due(&mut self, now: Instant) -> Vec<Effect> {
        let pause = self.limits.receipts_coalesce;
        let soon = self.marked_at.is_some_and(|at| now.saturating_duration_since(at) < pause);
        if soon {
            return Vec::new();
        }
        let effects = self.flush_marks();
        if !effects.is_empty() {
            self.marked_at = Some(now);
        }
        effects
    }

    /// Writes the marks that have gathered, if none are being written; but for those that changes of preferences hold.
    pub(super) fn flush_marks(&mut self) -> Vec<Effect> {
        if self.marking {
            return Vec::new();
        }
        let preferring = &self.preferring;
        let ready: Vec<_> = self.marks.extract_if(.., |id, _| !preferring.holds(*id)).collect();
        if ready.is_empty() {
            return Vec::new();
        }
        self.marking = true;
        vec![Effect::Mark(ready)]
    }
}
