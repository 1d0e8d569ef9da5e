//! Carrying out what a session wants: the log, the store, the router.

use std::sync::{Arc, MutexGuard, PoisonError};

use parlor_types::{ConversationId, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::server_frame::Kind as Out;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use prost::Message as _;

use super::line::{Job, Lines};
use super::machine::Effect;
use super::{Farewell, Stream};
use crate::edge;
use crate::log::{Appended, Draft, Facts, Refusal, needs_facts};
use crate::reading::LogPart;
use crate::receipts::Marks;
use crate::store::{AccountPlace, Commit};

/// A store that cannot be read ends the stream: there is no telling what it would have said.
const STORE_AWAY: std::time::Duration = std::time::Duration::from_secs(1);

/// People read in one go.
const PEOPLE_AT_ONCE: usize = 64;

impl Stream {
    /// Moves appends from `effects` into their lines; those that are to be moved.
    pub(super) fn line_up(&self, effects: &mut Vec<Effect>) -> Vec<String> {
        if !effects.iter().any(|effect| matches!(effect, Effect::Append(..))) {
            return Vec::new();
        }
        let mut lines = self.lines();
        let mut begun = Vec::new();
        for effect in std::mem::take(effects) {
            match effect {
                Effect::Append(append, lane) => begun.extend(lines.join(Job { append, lane })),
                other => effects.push(other),
            }
        }
        begun
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn carry_out(self: &Arc<Self>, effects: Vec<Effect>, begun: Vec<String>) {
        for conversation in begun {
            self.move_line(conversation);
        }
        for effect in effects {
            let stream = Arc::clone(self);
            match effect {
                Effect::RegisterAndSync(since) => {
                    // Who may not come in displaces nobody.
                    let mut refused = (self.deps.standing)(self.session());
                    if refused.is_none() {
                        self.enter();
                        // Whoever refuses from now on finds it; whoever did before that did not.
                        refused = (self.deps.standing)(self.session());
                    }
                    if let Some(farewell) = refused {
                        self.end(farewell);
                    }
                    if self.has_ended() {
                        // What unregisters it may have come before it was registered.
                        self.leave();
                    }
                    drop(tokio::spawn(stream.sync(since)));
                }
                Effect::Render(ids) => drop(tokio::spawn(stream.render(ids))),
                Effect::ReadAccount(since) => drop(tokio::spawn(stream.read_account(since))),
                Effect::Fetch(fetch) => drop(tokio::spawn(stream.fetch(fetch))),
                Effect::Mark(marks) => drop(tokio::spawn(stream.mark(marks))),
                Effect::Prefer(request, marks) => drop(tokio::spawn(stream.prefer(request, marks))),
                Effect::Receipts(wanted) => drop(tokio::spawn(stream.find_receipts(wanted))),
                Effect::Typing(conversation, activity) => stream.types(conversation, activity),
                Effect::PassOn => self.pass_on(),
                Effect::Unregister => self.leave(),
                Effect::Append(..) => unreachable!("appends are lined up before anything is carried out"),
            }
        }
    }

    /// Appends to a conversation enter the log in line; one that needs facts first holds up those behind it.
    fn move_line(self: &Arc<Self>, conversation: String) {
        loop {
            let next = self.lines().next(&conversation);
            let Some(job) = next else { return };
            match edge::draft(self.user(), &job.append, job.lane.clone()) {
                Err(problem) => self.tell(|session| session.refuse(*job.append, job.lane, problem)),
                Ok(draft) if needs_facts(&draft) => {
                    drop(tokio::spawn(Arc::clone(self).append_with_facts(conversation, job, draft)));
                    return;
                }
                Ok(draft) => self.append(job, draft, Facts::Clear),
            }
        }
    }

    fn append(self: &Arc<Self>, job: Job, draft: Draft, facts: Facts) {
        let stream = Arc::clone(self);
        let (op, conversation) = (job.append.op, draft.conversation.to_string());
        let reply =
            move |result: Result<Appended, Refusal>, lane: u32| stream.answer(op, conversation, lane, result);
        self.deps.log.enqueue(draft, facts, Box::new(reply));
    }

    async fn append_with_facts(self: Arc<Self>, conversation: String, job: Job, draft: Draft) {
        let facts = self.deps.log.gather(&draft).await;
        self.append(job, draft, facts);
        self.move_line(conversation);
    }

    fn answer(
        self: &Arc<Self>,
        op: String,
        conversation: String,
        lane: u32,
        result: Result<Appended, Refusal>,
    ) {
        let result = result.map(|appended| edge::appended(&appended)).map_err(edge::refusal_problem);
        self.tell(|session| session.answered(op, conversation, lane, result));
    }

    async fn sync(self: Arc<Self>, since: Commit) {
        match self.deps.store.changed(self.user(), since).await {
            Ok((commit, changed)) => {
                let ids = changed.iter().map(|changed| changed.id).collect();
                self.tell(|session| session.synced(commit, ids));
            }
            Err(_) => self.store_away(),
        }
    }

    async fn render(self: Arc<Self>, ids: Vec<ConversationId>) {
        let Ok(rows) = self.deps.store.rows(self.user(), ids.clone()).await else {
            self.store_away();
            return;
        };
        let rows = rows.iter().map(|row| {
            let conversation = Some(edge::row(row));
            let kind = Out::SyncConversation(wire::SyncConversation { conversation });
            let frame = wire::ServerFrame { kind: Some(kind) };
            (row.id, row.head, frame.encode_to_vec().into())
        });
        let rows = rows.collect();
        self.tell(|session| session.rendered(&ids, rows));
    }

    async fn read_account(self: Arc<Self>, since: AccountPlace) {
        match self.deps.store.account(self.user(), since, PEOPLE_AT_ONCE).await {
            Ok(changes) => {
                let frames = edge::account_frames(&changes);
                self.tell(|session| session.account_read(frames, changes.next, changes.more));
            }
            Err(_) => self.store_away(),
        }
    }

    fn store_away(self: &Arc<Self>) {
        let message = "the store cannot be read";
        self.end(Farewell::come_back(ErrorReason::Unavailable, STORE_AWAY, message));
    }

    async fn find_receipts(self: Arc<Self>, wanted: Vec<(ConversationId, Vec<UserId>)>) {
        match self.deps.store.receipts(self.user(), wanted).await {
            Ok(found) => {
                let told = found.iter().filter(|receipts| !receipts.members.is_empty());
                let frames = told.map(edge::receipts_frame).collect();
                self.tell(|session| session.receipts_found(frames));
            }
            Err(_) => self.store_away(),
        }
    }

    async fn fetch(self: Arc<Self>, fetch: wire::Fetch) {
        let part = LogPart { from: fetch.from_seq, to: fetch.to_seq };
        let page =
            part.page(self.deps.store.as_ref(), &self.deps.limits, self.user(), &fetch.conversation_id).await;
        self.tell(|session| session.fetched(fetch.request_id, page));
    }

    async fn mark(self: Arc<Self>, marks: Vec<(ConversationId, Marks)>) {
        let refused = self.write_marks(&marks).await;
        self.tell(|session| session.marked(refused));
    }

    /// Raises marks; those refused, with why.
    pub(super) async fn write_marks(&self, marks: &[(ConversationId, Marks)]) -> Vec<wire::MarkRefused> {
        let outcome = self.deps.log.mark(self.user(), marks, Some(self.id())).await;
        let problems: Vec<Option<Problem>> = match outcome {
            Ok(all) => all.into_iter().map(|marked| edge::marked(marked).err()).collect(),
            Err(error) => marks.iter().map(|_| Some(edge::mark_problem(error))).collect(),
        };
        let refused = marks.iter().zip(problems).filter_map(|((conversation, marks), problem)| {
            problem.map(|problem| wire::MarkRefused {
                conversation_id: conversation.to_string(),
                seq: marks.received.0,
                problem: Some(problem),
            })
        });
        refused.collect()
    }
}
