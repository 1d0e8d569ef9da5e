//! The stream protocol as a state machine: `(now, input) → effects`, and frames to pull.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use parlor_types::{ConversationId, Seq, SessionId, StreamId, UserId, limits};
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::server_frame::Kind as Out;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::{to_duration, to_time};

use super::account::Account;
use super::outbox::{OutBatch, Outbox, Weight};
use super::preferences::Preferring;
use super::receipts::Telling;
use super::{Farewell, Live, StreamLimits};
use crate::edge;
use crate::log::{Lane, LaneState};
use crate::receipts::Marks;
use crate::store::{AccountPlace, Commit, Generation};
use crate::typing::Activity;

/// Characters of Hello.client.
const MAX_CLIENT_NAME: usize = 64;
/// Rows asked for in one go.
const ROWS_AT_ONCE: usize = 20;
/// Conversations whose marks wait to be written; when there are as many, all are, unless some were a moment ago, and marks
/// of more are refused.
pub(super) const MAX_MARKS: usize = 4 * limits::MAX_MARKS_PER_SECOND;
/// Bytes of an id as it is sent.
const ID_BYTES: usize = 36;
/// Lanes remembered; when there are more, those that were never broken are forgotten.
pub(super) const MAX_LANES: usize = 4096;

/// Who is at the other end, as the access token says, and what the stream is called.
#[derive(Debug, Clone, Copy)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// This stream.
    pub stream: StreamId,
    /// Which life of the store this is.
    pub generation: Generation,
}

/// What a session wants done.
#[derive(Debug)]
pub enum Effect {
    /// Tell the router of this stream, and only then find what changed since this commit: what is stored in between is
    /// then delivered, or found, or both.
    RegisterAndSync(Commit),
    /// Read these rows.
    Render(Vec<ConversationId>),
    /// Read what changed of people and settings from there on; the answer goes to [`Session::account_read`].
    ReadAccount(AccountPlace),
    /// Append; the answer goes to [`Session::answered`].
    Append(Box<wire::Append>, Option<Lane>),
    /// Read a page; the answer goes to [`Session::fetched`].
    Fetch(wire::Fetch),
    /// Raise marks; the answer goes to [`Session::marked`].
    Mark(Vec<(ConversationId, Marks)>),
    /// Raise these marks, if any, and after that change preferences; the answers go to [`Session::marks_refused`] and
    /// [`Session::preferred`].
    Prefer(wire::SetPreferences, Option<(ConversationId, Marks)>),
    /// Read how far these members are; the answer goes to [`Session::receipts_found`].
    Receipts(Vec<(ConversationId, Vec<UserId>)>),
    /// Tell others what the user does, if they may see it; refused by [`Session::refused`].
    Typing(ConversationId, Option<Activity>),
    /// Tell the registry of sessions what it is to know now: [`Session::facts`].
    PassOn,
    /// Forget this stream.
    Unregister,
}

/// What the transport gets when it asks.
#[derive(Debug)]
pub enum Pull {
    /// Send this.
    Batch(OutBatch),
    /// Nothing now.
    Wait,
    /// Everything is sent; this was the end.
    End(Farewell),
}

#[derive(Debug)]
pub(super) enum Phase {
    Greeting { since: Instant },
    Syncing,
    Live,
    Ended(Farewell),
}

/// See the module.
#[derive(Debug)]
pub struct Session {
    pub(super) identity: Identity,
    pub(super) limits: StreamLimits,
    pub(super) phase: Phase,
    pub(super) out: Outbox,
    /// Rows of the sync still to be read.
    sync: VecDeque<ConversationId>,
    pub(super) synced: bool,
    /// Conversations whose row is on its way; what happens in them meanwhile is marked.
    pub(super) awaited: HashSet<ConversationId>,
    rendering: bool,
    pub(super) account: Account,
    /// What SyncDone, and then the last Checkpoint, said.
    cursor: Commit,
    pub(super) news_since_checkpoint: bool,
    pub(super) appends: usize,
    pub(super) lanes: HashMap<ConversationId, Arc<LaneState>>,
    pub(super) fetches: VecDeque<wire::Fetch>,
    pub(super) fetching: bool,
    pub(super) marks: BTreeMap<ConversationId, Marks>,
    pub(super) marking: bool,
    /// When marks were last written.
    pub(super) marked_at: Option<Instant>,
    pub(super) telling: Telling,
    pub(super) preferring: Preferring,
    /// Everything up to here had been handed over when time last passed.
    pub(super) reached: Commit,
    pub(super) heard: Instant,
    /// The latest time it was told.
    pub(super) now: Instant,
}

impl Session {
    /// Waits for Hello.
    #[must_use]
    pub fn new(identity: Identity, limits: StreamLimits, now: Instant) -> Self {
        Self {
            identity,
            limits,
            phase: Phase::Greeting { since: now },
            out: Outbox::new(limits),
            sync: VecDeque::new(),
            synced: false,
            awaited: HashSet::new(),
            rendering: false,
            account: Account::since(Commit(0)),
            cursor: Commit(0),
            news_since_checkpoint: false,
            appends: 0,
            lanes: HashMap::new(),
            fetches: VecDeque::new(),
            fetching: false,
            marks: BTreeMap::new(),
            marking: false,
            marked_at: None,
            telling: Telling::default(),
            preferring: Preferring::default(),
            reached: Commit(0),
            heard: now,
            now,
        }
    }

    /// Whether the stream has ended because its session has.
    #[must_use]
    pub fn session_has_ended(&self) -> bool {
        matches!(&self.phase, Phase::Ended(farewell) if farewell.reason == ErrorReason::SessionEnded)
    }

    /// Whether the stream has ended, but for frames still to be pulled.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    pub(super) fn hello(&mut self, hello: &wire::Hello, wall: SystemTime) -> Vec<Effect> {
        if !matches!(self.phase, Phase::Greeting { .. }) {
            return self.end(Farewell::fault(ErrorReason::HelloRepeated, "a stream takes one Hello"));
        }
        if hello.protocol != limits::PROTOCOL {
            let message = format!("this server speaks protocol {}", limits::PROTOCOL);
            return self.end(Farewell::fault(ErrorReason::ProtocolUnsupported, message));
        }
        if hello.client.chars().count() > MAX_CLIENT_NAME {
            let message = format!("hello.client: must be at most {MAX_CLIENT_NAME} characters");
            return self.end(Farewell::fault(ErrorReason::FieldInvalid, message));
        }
        tracing::debug!(stream = %self.identity.stream, client = %hello.client.escape_debug(), "hello");
        let since = match edge::decode_cursor(self.identity.generation, &hello.cursor) {
            Ok(since) => since,
            Err(problem) => return self.end(Farewell::fault(problem.reason(), problem.message)),
        };
        self.out.attention.hello(hello);
        self.phase = Phase::Syncing;
        self.account = Account::since(since);
        self.out.push(
            Out::Welcome(wire::Welcome {
                generation: self.identity.generation.to_string(),
                stream_id: self.identity.stream.to_string(),
                user_id: self.identity.user.to_string(),
                session_id: self.identity.session.to_string(),
                server_time: Some(to_time(wall)),
                ping_interval: Some(to_duration(self.limits.ping_interval)),
                limits: Some(self.limits.to_wire()),
                background_ping_interval: Some(to_duration(self.limits.background_ping_interval)),
            }),
            Weight::Step,
        );
        vec![Effect::RegisterAndSync(since)]
    }

    /// What changed since the cursor, and up to which commit that is complete.
    pub fn synced(&mut self, commit: Commit, changed: Vec<ConversationId>) {
        if self.has_ended() {
            return;
        }
        self.cursor = commit;
        self.awaited.extend(&changed);
        self.sync = changed.into();
        self.synced = true;
    }

    /// The rows asked for, each with its head and encoded; those that are not there are missing.
    pub fn rendered(&mut self, asked: &[ConversationId], rows: Vec<(ConversationId, Seq, Bytes)>) {
        self.rendering = false;
        if self.has_ended() {
            return;
        }
        for id in asked {
            self.awaited.remove(id);
        }
        for (id, head, frame) in rows {
            self.out.put(frame, Weight::Step);
            self.out.covered(id, head);
            self.news_since_checkpoint = true;
        }
    }

    /// An entry is stored that the user may see.
    pub fn live(&mut self, live: &Live) {
        if self.has_ended() {
            return;
        }
        self.news_since_checkpoint = true;
        if let (true, Some(about)) = (live.deletes, live.target) {
            self.out.clear_message(live.conversation, about);
        }
        // A row comes before any entry of a conversation that the client may not know.
        if self.is_awaited(live.conversation) || self.out.owes_row(live.conversation) {
            self.out.head(live.conversation, live.seq);
        } else {
            self.out.entry(live);
        }
    }

    /// Whether its row is on its way, or may be found to be.
    fn is_awaited(&self, conversation: ConversationId) -> bool {
        !self.synced || self.awaited.contains(&conversation)
    }

    /// The user's row changed otherwise than by an entry.
    pub fn row_changed(&mut self, conversation: ConversationId) {
        if !self.has_ended() {
            self.out.row(conversation);
            self.news_since_checkpoint = true;
        }
    }

    /// This stream changed the user's row, and says so itself. A row that is being read just now may be of before, and
    /// come after: then another follows.
    pub fn changed_row(&mut self, conversation: ConversationId) {
        if self.awaited.contains(&conversation) {
            self.row_changed(conversation);
        }
    }

    /// What became of an append.
    pub fn answered(
        &mut self,
        op: String,
        conversation_id: String,
        lane: u32,
        result: Result<wire::Appended, Problem>,
    ) {
        if self.has_ended() {
            return;
        }
        self.appends = self.appends.saturating_sub(1);
        let outcome = Some(match result {
            Ok(appended) => wire::append_result::Outcome::Appended(appended),
            Err(problem) => wire::append_result::Outcome::Problem(problem),
        });
        let (op, conversation_id) = (said_back(op), said_back(conversation_id));
        let result = wire::AppendResult { op, outcome, lane, conversation_id };
        self.out.push(Out::AppendResult(result), Weight::AppendResult);
    }

    /// What became of a fetch.
    pub fn fetched(&mut self, request_id: u64, result: Result<wire::LogPage, Problem>) {
        self.fetching = false;
        if self.has_ended() {
            return;
        }
        let outcome = Some(match result {
            Ok(page) => wire::fetch_result::Outcome::Page(page),
            Err(problem) => wire::fetch_result::Outcome::Problem(problem),
        });
        self.out.push(Out::FetchResult(wire::FetchResult { request_id, outcome }), Weight::FetchResult);
    }

    /// What became of marks: those refused, with why.
    pub fn marked(&mut self, refused: Vec<wire::MarkRefused>) {
        self.marking = false;
        self.marks_refused(refused);
    }

    /// Marks that were refused, with why.
    pub fn marks_refused(&mut self, refused: Vec<wire::MarkRefused>) {
        if !self.has_ended() {
            for refused in refused {
                self.out.push(Out::MarkRefused(refused), Weight::Notice);
            }
        }
    }

    /// Called twice a second or so. Everything up to `reached` has been handed to this session.
    pub fn tick(&mut self, now: Instant, reached: Commit) -> Vec<Effect> {
        self.now = now;
        let silent = now.saturating_duration_since(self.heard);
        match &self.phase {
            Phase::Ended(_) => return Vec::new(),
            Phase::Greeting { since }
                if now.saturating_duration_since(*since) >= self.limits.hello_within =>
            {
                // A network that stalls looks the same as a client at fault.
                let message = "no Hello came in time";
                return self.end(Farewell::come_back(ErrorReason::HelloTimeout, Duration::ZERO, message));
            }
            Phase::Greeting { .. } => return Vec::new(),
            Phase::Syncing | Phase::Live if silent >= self.ping_interval() * 2 => {
                let message = "no frame came for two ping intervals";
                return self.end(Farewell::come_back(ErrorReason::IdleTimeout, Duration::ZERO, message));
            }
            Phase::Syncing | Phase::Live => {}
        }
        self.reached = reached;
        self.checkpoint(reached);
        self.telling.tick(now, self.limits.receipts_coalesce);
        let mut effects = self.marks_due(now);
        effects.extend(self.out.attention.pass_on(now));
        effects
    }

    /// A newer cursor, if all that came before it has been said and not only marked.
    fn checkpoint(&mut self, reached: Commit) {
        let told = self.receipts_told(reached);
        let all_said = self.out.owes_nothing() && self.awaited.is_empty() && self.account.is_said();
        let live = matches!(self.phase, Phase::Live);
        if live && all_said && self.news_since_checkpoint && told > self.cursor {
            self.cursor = told;
            self.news_since_checkpoint = told < reached;
            let cursor = edge::encode_cursor(self.identity.generation, told).into();
            self.out.push(Out::Checkpoint(wire::Checkpoint { cursor }), Weight::Step);
        }
    }

    /// Asks the client to leave soon.
    pub fn drain(&mut self, reconnect_after: Duration) {
        if !self.has_ended() {
            let drain = wire::Drain { reconnect_after: Some(to_duration(reconnect_after)) };
            self.out.push(Out::Drain(drain), Weight::Notice);
        }
    }

    /// Ends the stream: nothing more is said but why.
    pub fn end(&mut self, farewell: Farewell) -> Vec<Effect> {
        if self.has_ended() {
            return Vec::new();
        }
        self.out.clear();
        self.out.push(farewell.to_frame(), Weight::Step);
        self.sync.clear();
        self.awaited.clear();
        self.fetches.clear();
        self.lanes.clear();
        // Also beside those being written: marks only grow, so their order is no matter, and there is no later.
        self.marking = false;
        for (conversation, marks) in self.preferring.clear() {
            self.gather(conversation, marks);
        }
        let mut effects = self.flush_marks();
        self.phase = Phase::Ended(farewell);
        effects.push(Effect::Unregister);
        effects
    }

    /// The transport can take more.
    pub fn pull(&mut self) -> (Pull, Vec<Effect>) {
        let mut effects = Vec::new();
        if !self.has_ended() {
            self.make_more(&mut effects);
        }
        let (synced, awaited) = (self.synced, &self.awaited);
        let batch = self.out.take(self.now, |id| !synced || awaited.contains(&id));
        let pull = match (batch, &self.phase) {
            (Some(batch), _) => Pull::Batch(batch),
            (None, Phase::Ended(farewell)) => Pull::End(farewell.clone()),
            (None, _) => Pull::Wait,
        };
        (pull, effects)
    }

    /// Rows and pages are made only when there is little else waiting, so that a slow client costs little.
    fn make_more(&mut self, effects: &mut Vec<Effect>) {
        if !self.out.is_low() {
            return;
        }
        if !self.rendering && self.synced {
            let mut wanted = self.out.take_rows(ROWS_AT_ONCE);
            self.awaited.extend(&wanted);
            while wanted.len() < ROWS_AT_ONCE {
                let Some(id) = self.sync.pop_front() else { break };
                if !wanted.contains(&id) {
                    wanted.push(id);
                }
            }
            if wanted.is_empty() && self.account.is_said() && matches!(self.phase, Phase::Syncing) {
                let cursor = edge::encode_cursor(self.identity.generation, self.cursor).into();
                self.out.push(Out::SyncDone(wire::SyncDone { cursor }), Weight::Step);
                self.phase = Phase::Live;
            } else if !wanted.is_empty() {
                self.rendering = true;
                effects.push(Effect::Render(wanted));
            }
        }
        effects.extend(self.tell_receipts());
        effects.extend(self.next_preferences());
        if self.synced && self.sync.is_empty() {
            effects.extend(self.account.read());
        }
        if !self.fetching
            && self.out.fetch_results == 0
            && let Some(fetch) = self.fetches.pop_front()
        {
            self.fetching = true;
            effects.push(Effect::Fetch(fetch));
        }
    }
}

/// What a client took for an id, in the answer to it. Of what is too long for one only the beginning is said: an answer that waits
/// is to be small, however much it answers.
pub(super) fn said_back(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(ID_BYTES));
    text.shrink_to_fit();
    text
}
