//! Sending by unary calls, through the same outbox as the stream.
//!
//! Rows of one conversation go in order: older ones that are still there first. Between losing the server and trusting a
//! `base_seq` again the server's generation is asked for (rule 5).

use std::sync::atomic::Ordering;

use parlor_types::{ConversationId, Id as _, Op, Seq};
use parlor_wire::chat::v1::{AppendRequest, Appended};
use parlor_wire::errors::v1::Problem;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::Client;
use super::chats::fetch_request;
use super::record::Record;
use super::session::Access;
use crate::core::{Draft, Mutation, Outgoing, Verdict, verdict, wait};
use crate::error::Error;

/// A message that is stored at the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// What it was called.
    pub op: Op,
    /// Where it is.
    pub appended: Appended,
    /// Older messages of the same conversation that were waiting and were refused for good.
    pub dropped: Vec<(Op, Problem)>,
    /// It was waiting here already, left over by an earlier call: nothing was sent twice.
    pub resumed: bool,
}

/// What one attempt at a row led to.
enum Step {
    Stored(Appended),
    Dropped(Problem),
    /// The outbox has changed: begin again.
    Again,
    /// The server has forgotten its files: it waits until they are there again.
    Recalled(Problem),
    Later(Problem),
}

impl Client {
    /// Saves a draft, sends it, and waits until the server has stored it.
    ///
    /// # Errors
    /// [`Error::Refused`]: it will never be stored, and has been dropped. [`Error::Undelivered`]: patience has run out; it
    /// stays in the outbox. [`Error::SessionOver`], and it stays too. [`Error::Unreachable`]: nothing is known of the
    /// conversation, and the server could not be asked; nothing is kept.
    pub async fn send(&self, draft: Draft) -> Result<Sent, Error> {
        let id = draft.conversation;
        match self.stored(move |store| store.conversation(id)).await? {
            Some(known) => self.session.note(|record| record.head(id, known.head.0)),
            None => drop(self.conversation(id).await?),
        }
        let since = self.session.record.get().map(Record::now);
        let op = Op::new();
        let outgoing = Outgoing::new(op, Seq::default(), draft);
        let mine = self.stored(move |store| store.queue(outgoing)).await?;
        if let Some(since) = since {
            self.session.note(|record| record.asked(since, &mine));
        }
        self.deliver(mine).await
    }

    /// Sends the conversation's outbox up to `mine`. If the server has forgotten the files of that, it is undelivered with
    /// `MEDIA_NOT_FOUND`, and waits for them again.
    pub(super) async fn deliver(&self, mine: Outgoing) -> Result<Sent, Error> {
        let until = Instant::now() + self.session.patience;
        let mut rng = StdRng::from_rng(&mut rand::rng());
        let mut dropped = Vec::new();
        let mut failures = 0;
        loop {
            let row = self.next_row(&mine).await?;
            let step = self.attempt(&row).await?;
            self.session.note(|record| match &step {
                Step::Stored(appended) => record.answered(row.op, Ok(appended)),
                Step::Dropped(problem) => record.answered(row.op, Err(problem)),
                Step::Recalled(_) => record.recalled(row.op),
                Step::Later(_) => record.unknown(row.op),
                Step::Again => {}
            });
            match step {
                Step::Stored(appended) if row.op == mine.op => {
                    return Ok(Sent { op: row.op, appended, dropped, resumed: false });
                }
                Step::Dropped(problem) if row.op == mine.op => return Err(Error::Refused(problem)),
                Step::Dropped(problem) => dropped.push((row.op, problem)),
                Step::Recalled(problem) if row.op == mine.op => {
                    return Err(Error::Undelivered(mine.op, problem));
                }
                Step::Stored(_) | Step::Again | Step::Recalled(_) => {}
                Step::Later(problem) => {
                    self.generation_met.store(false, Ordering::Relaxed);
                    let pause = wait(&mut rng, failures, crate::core::retry_after(&problem));
                    failures += 1;
                    if Instant::now() + pause > until {
                        return Err(Error::Undelivered(mine.op, problem));
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// The oldest row of the conversation as it is saved now. If `mine` is gone, another process has delivered it: sent
    /// again it is answered again.
    async fn next_row(&self, mine: &Outgoing) -> Result<Outgoing, Error> {
        let (id, op) = (mine.conversation, mine.op);
        let rows = self.stored(move |store| store.outbox(Some(id))).await?;
        let is_there = rows.iter().any(|row| row.op == op);
        Ok(rows.into_iter().next().filter(|_| is_there).unwrap_or_else(|| mine.clone()))
    }

    async fn attempt(&self, row: &Outgoing) -> Result<Step, Error> {
        if !self.generation_met.load(Ordering::Relaxed) {
            return match self.conversation_once(row.conversation).await {
                Ok(_) => Ok(Step::Again),
                Err(error) => self.on_error(row, error).await,
            };
        }
        let request = AppendRequest { append: Some(row.to_append(0)) };
        let call = async |access: Access| access.chat().append(access.request(request.clone())).await;
        match self.session.call_once(call).await {
            Ok(answer) => {
                let appended = answer.appended.ok_or(Error::Answer("where it is"))?;
                let (id, op, seq) = (row.conversation, row.op, Seq(appended.seq));
                self.stored(move |store| {
                    store.apply(&[Mutation::Settle(op)])?;
                    store.raise_head(id, seq)
                })
                .await?;
                Ok(Step::Stored(appended))
            }
            Err(error) => self.on_error(row, error).await,
        }
    }

    async fn on_error(&self, row: &Outgoing, error: Error) -> Result<Step, Error> {
        let (Error::Refused(problem) | Error::Unreachable(problem)) = error else { return Err(error) };
        match verdict(&problem) {
            Verdict::Later(_) | Verdict::FollowOther => Ok(Step::Later(problem)),
            Verdict::UploadAgain if row.recallable => {
                let op = row.op;
                self.stored(move |store| store.apply(&[Mutation::Recall(op)])).await?;
                Ok(Step::Recalled(problem))
            }
            Verdict::Drop | Verdict::UploadAgain => self.drop_row(row.op, problem).await,
            Verdict::BaseToZero => self.rebase(row.conversation, Seq::default()).await,
            Verdict::LookInLog => self.look_in_log(row, problem).await,
        }
    }

    async fn drop_row(&self, op: Op, problem: Problem) -> Result<Step, Error> {
        self.stored(move |store| store.apply(&[Mutation::Settle(op)])).await?;
        Ok(Step::Dropped(problem))
    }

    /// All rows of the conversation get another base.
    async fn rebase(&self, id: ConversationId, base: Seq) -> Result<Step, Error> {
        self.stored(move |store| {
            let rows = store.outbox(Some(id))?;
            store.apply(&rows.iter().map(|row| Mutation::Rebase(row.op, base)).collect::<Vec<_>>())
        })
        .await?;
        Ok(Step::Again)
    }

    /// The span is too long for the server to look for the op: reads it here.
    async fn look_in_log(&self, row: &Outgoing, problem: Problem) -> Result<Step, Error> {
        let me = self.me().await?.to_string();
        let id = row.conversation;
        let rows = self.stored(move |store| store.outbox(Some(id))).await?;
        let lowest = rows.iter().map(|row| row.base_seq).min().unwrap_or(row.base_seq);
        let (mut from, mut found) = (lowest.next(), Vec::new());
        let end = loop {
            let request = fetch_request(id, from, Seq::default());
            let call = async |access: Access| access.chat().fetch(access.request(request.clone())).await;
            let page = match self.session.call_once(call).await {
                Ok(answer) => answer.page.ok_or(Error::Answer("a page"))?,
                Err(Error::Refused(problem) | Error::Unreachable(problem)) => {
                    return Ok(Step::Later(problem));
                }
                Err(other) => return Err(other),
            };
            found.extend(page.entries.into_iter().filter(|entry| entry.sender_id == me));
            if page.next_seq <= from.0 {
                break Seq(page.head);
            }
            from = Seq(page.next_seq);
        };
        if end <= row.base_seq {
            return self.drop_row(row.op, problem).await; // the rest may not be read: nobody can tell
        }
        let settled =
            found.iter().filter_map(|entry| Op::parse(&entry.op)).map(Mutation::Settle).collect::<Vec<_>>();
        self.stored(move |store| store.apply(&settled)).await?;
        match found.into_iter().find(|entry| entry.op == row.op.to_string()) {
            Some(entry) => Ok(Step::Stored(Appended {
                conversation_id: entry.conversation_id,
                seq: entry.seq,
                message_number: entry.message_number,
                time: entry.time,
                duplicate: true,
            })),
            None => self.rebase(id, end).await,
        }
    }
}
