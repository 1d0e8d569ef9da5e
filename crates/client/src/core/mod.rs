//! The client without its I/O: `(now, input) -> effects`.
//!
//! Keeps the seven rules of a client (`proto/parlor/chat/v1/chat_service.proto`). What [`Effects::save`] asks for is
//! all that has to survive: a core made anew from the store goes on where the last one stopped, at whatever point that
//! was. It owns the waiting too: [`Core::deadline`] says when it wants to be woken. It knows no clock, no socket and no
//! file, and draws chance from the generator it is given.

mod backoff;
mod conversation;
mod fetch;
mod link;
mod marks;
mod message;
mod outbox;
mod range;
mod sync;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeMap;

use bytes::Bytes;
use parlor_types::{ConversationId, Op, Seq, UserId};
use parlor_wire::chat::v1::{ServerFrame, client_frame, server_frame};
use rand::rngs::StdRng;

pub(crate) use backoff::{new_op, wait};
pub use message::{Command, Conn, Draft, Effects, Event, Input, Mutation, Now, Outgoing};
pub use range::Range;
pub(crate) use verdict::{Verdict, retry_after, verdict};

use conversation::Conversation;
use fetch::Fetches;
use link::Link;
use marks::Marks;
use outbox::Outbox;

/// What a core begins with: all that the store holds, but the outbox.
#[derive(Debug, Clone, Default)]
pub struct Saved {
    /// The last known life of the server's store.
    pub generation: Option<String>,
    /// Where the last sync ended; empty for none.
    pub cursor: Bytes,
    /// The conversations.
    pub conversations: Vec<SavedConversation>,
}

/// One conversation of [`Saved`].
#[derive(Debug, Clone)]
pub struct SavedConversation {
    /// Which.
    pub id: ConversationId,
    /// The highest seq heard of.
    pub head: Seq,
    /// What is held; none if nothing was ever synced.
    pub range: Option<Range>,
    /// First seq of the current readable range.
    pub floor: Seq,
    /// The server's received mark.
    pub received: Seq,
    /// The server's read mark.
    pub read: Seq,
    /// The read mark asked for by the app.
    pub read_wanted: Seq,
}

/// One account's connection to its server.
#[derive(Debug)]
pub struct Core {
    me: UserId,
    client: String,
    rng: StdRng,
    generation: Option<String>,
    cursor: Bytes,
    conversations: BTreeMap<ConversationId, Conversation>,
    link: Link,
    fetches: Fetches,
    marks: Marks,
    outbox: Outbox,
}

impl Core {
    /// Goes on from what is saved; opens its first stream at the first [`Input::Timer`]. `client` is the name and
    /// version told to the server, at most 64 characters.
    #[must_use]
    pub fn new(me: UserId, client: String, rng: StdRng, saved: Saved) -> Self {
        let conversations =
            saved.conversations.into_iter().map(|saved| (saved.id, Conversation::restored(&saved))).collect();
        Self {
            me,
            client,
            rng,
            generation: saved.generation,
            cursor: saved.cursor,
            conversations,
            link: Link::default(),
            fetches: Fetches::default(),
            marks: Marks::default(),
            outbox: Outbox::default(),
        }
    }

    /// Takes one input in.
    pub fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut fx = Effects::default();
        match input {
            Input::Batch(conn, batch, frames) => self.on_batch(now, conn, batch, frames, &mut fx),
            Input::Closed(conn, problem) => self.on_closed(now, conn, problem, &mut fx),
            Input::Outbox(rows) => self.outbox.load(rows),
            Input::Command(Command::MarkRead(id, seq)) => self.on_mark_read(now, id, seq, &mut fx),
            Input::Command(Command::FetchOlder(id, down_to)) => self.on_fetch_older(id, down_to, &mut fx),
            Input::Command(Command::Foreground) => self.on_foreground(now, &mut fx),
            Input::Timer => {}
        }
        self.finish(now, fx)
    }

    /// Puts a draft into the outbox and sends it when its turn comes. The op is its name from here on.
    pub fn append(&mut self, now: Now, draft: Draft) -> (Op, Effects) {
        let mut fx = Effects::default();
        let op = new_op(&mut self.rng);
        let base = self.conversations.get(&draft.conversation).map_or_else(Seq::default, |known| known.head);
        let outgoing = Outgoing::new(op, base, draft);
        fx.save.push(Mutation::Queue(Box::new(outgoing.clone())));
        self.outbox.push(outgoing);
        (op, self.finish(now, fx))
    }

    /// When the core wants [`Input::Timer`], if nothing else comes before.
    #[must_use]
    pub fn deadline(&self) -> Option<Now> {
        let live = self.link.is_live().then(|| {
            [self.fetches.deadline(), self.marks.deadline(), self.outbox.deadline()]
                .into_iter()
                .flatten()
                .min()
        });
        [self.link.deadline(), live.flatten()].into_iter().flatten().min()
    }

    /// What is due by now, and what the last input made possible.
    fn finish(&mut self, now: Now, mut fx: Effects) -> Effects {
        self.run_link(now, &mut fx);
        if self.link.is_live() {
            self.pump_fetches(now, &mut fx);
            self.pump_marks(now, &mut fx);
            self.pump_outbox(now, &mut fx);
        }
        fx.send_on = self.link.current_conn();
        if fx.send_on.is_none() {
            fx.send.clear();
        } else if !fx.send.is_empty() {
            self.link.spoke(now);
        }
        fx
    }

    fn on_batch(&mut self, now: Now, conn: Conn, batch: u64, frames: Vec<ServerFrame>, fx: &mut Effects) {
        for frame in frames {
            let Some(kind) = frame.kind else { continue };
            if self.link.is_opening(conn) {
                self.on_first(now, conn, kind, fx);
            } else if self.link.current_conn() == Some(conn) {
                self.on_frame(now, kind, fx);
            }
        }
        if self.link.current_conn() == Some(conn) {
            self.link.took_in(now, batch);
        }
    }

    /// The first frame of a stream is Welcome, or says why there is none.
    fn on_first(&mut self, now: Now, conn: Conn, kind: server_frame::Kind, fx: &mut Effects) {
        match kind {
            server_frame::Kind::Welcome(welcome) => self.on_welcome(now, conn, &welcome, fx),
            server_frame::Kind::Goodbye(goodbye) => self.on_goodbye(now, conn, &goodbye, fx),
            _ => {}
        }
    }

    fn on_frame(&mut self, now: Now, kind: server_frame::Kind, fx: &mut Effects) {
        use server_frame::Kind;
        match kind {
            Kind::SyncConversation(sync) => self.on_row(now, sync.conversation, fx),
            Kind::SyncDone(done) => self.on_sync_done(now, done.cursor, fx),
            Kind::Event(event) => self.on_entry(now, event.entry, fx),
            Kind::Head(head) => self.on_head(&head, fx),
            Kind::Checkpoint(checkpoint) => self.on_checkpoint(checkpoint.cursor, fx),
            Kind::AppendResult(result) => self.on_append_result(now, result, fx),
            Kind::FetchResult(result) => self.on_fetch_result(now, result, fx),
            Kind::MarkRefused(refused) => self.on_mark_refused(&refused),
            Kind::Pong(_)
            | Kind::Welcome(_)
            | Kind::PreferencesResult(_)
            | Kind::Refused(_)
            | Kind::Receipts(_)
            | Kind::Typing(_)
            | Kind::PresenceChanged(_)
            | Kind::SyncPerson(_)
            | Kind::SyncPrivacy(_) => {}
            Kind::Drain(drain) => self.on_drain(now, &drain),
            Kind::Goodbye(goodbye) => {
                let Some(conn) = self.link.current_conn() else { return };
                self.on_goodbye(now, conn, &goodbye, fx);
            }
        }
    }
}

fn say(fx: &mut Effects, kind: client_frame::Kind) {
    fx.send.push(parlor_wire::chat::v1::ClientFrame { kind: Some(kind) });
}
