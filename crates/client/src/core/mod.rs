//! The client without its I/O: `(now, input) -> effects`.
//!
//! Keeps the seven rules of a client (`proto/parlor/chat/v1/chat_service.proto`). What [`Effects::save`] asks for is
//! all that has to survive: a core made anew from the store goes on where the last one stopped, at whatever point that
//! was. It owns the waiting too: [`Core::deadline`] says when it wants to be woken. It knows no clock, no socket and no
//! file, and draws chance from the generator it is given.

mod ahead;
mod backoff;
pub mod changes;
mod conversation;
mod download;
mod event;
mod fetch;
mod fold;
mod link;
mod marks;
mod message;
mod mutation;
mod outbox;
mod parcel;
mod people;
mod preferences;
mod presence;
mod range;
mod receipts;
mod sync;
#[cfg(test)]
mod tests;
mod typing;
mod unread;
mod upload;
mod verdict;

use std::collections::BTreeMap;

use bytes::Bytes;
use parlor_types::{ConversationId, Op, Seq, UserId};
use parlor_wire::chat::v1::{Activity, PreferenceChanges, Refused, ServerFrame, client_frame, server_frame};
use parlor_wire::presence::v1::Presence;
use rand::rngs::StdRng;

pub(crate) use backoff::{new_op, wait};
pub use download::{Download, DownloadEffects, DownloadInput, Expected};
pub use fold::{fold, is_change};
pub use message::{Command, Conn, Draft, Effects, Event, Input, Mutation, Now, Outgoing, UploadNews};
pub use parcel::{
    FileFailure, FileFault, FileUpload, MAX_AGAIN, MAX_ALBUM, Parcel, Part, content_of, forwarded,
};
pub use presence::MAX_WATCHED;
pub use range::Range;
pub(crate) use receipts::by_user;
pub use receipts::{Delivery, raise};
pub use unread::{Known, Unread, Weight};
pub use upload::{PARALLEL, Progress, Upload, UploadCall, UploadEffects, UploadInput};
pub(crate) use verdict::{Verdict, retry_after, verdict};

use ahead::Ahead;
use conversation::Conversation;
use fetch::Fetches;
use link::Link;
use marks::Marks;
use outbox::Outbox;
use preferences::Wishes;
use presence::Watching;
use typing::Doings;

/// Who a core speaks for, and what it says of itself.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The user.
    pub me: UserId,
    /// Name and version of the client for the server's logs, at most 64 characters.
    pub client: String,
    /// It runs on a phone, whose network comes and goes.
    pub mobile: bool,
    /// The app is in front.
    pub foreground: bool,
}

/// What a core begins with: all that the store holds, but the outbox.
#[derive(Debug, Clone, Default)]
pub struct Saved {
    /// The last known life of the server's store.
    pub generation: Option<String>,
    /// Where the last sync ended; empty for none.
    pub cursor: Bytes,
    /// The conversations.
    pub conversations: Vec<SavedConversation>,
    /// Changes of preferences that the server has not answered.
    pub wishes: Vec<(ConversationId, PreferenceChanges)>,
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
    /// The server's read mark, as far as it is known.
    pub read: Seq,
    /// The read mark asked for by the app.
    pub read_wanted: Seq,
    /// The row is marked unread.
    pub marked_unread: bool,
}

/// One account's connection to its server.
#[derive(Debug)]
pub struct Core {
    me: UserId,
    client: String,
    mobile: bool,
    rng: StdRng,
    generation: Option<String>,
    cursor: Bytes,
    conversations: BTreeMap<ConversationId, Conversation>,
    ahead: Ahead,
    link: Link,
    fetches: Fetches,
    marks: Marks,
    outbox: Outbox,
    wishes: Wishes,
    doings: Doings,
    watching: Watching,
}

impl Core {
    /// Goes on from what is saved; opens its first stream at the first [`Input::Timer`].
    #[must_use]
    pub fn new(setup: Setup, rng: StdRng, saved: Saved) -> Self {
        let conversations =
            saved.conversations.into_iter().map(|saved| (saved.id, Conversation::restored(&saved))).collect();
        Self {
            me: setup.me,
            client: setup.client,
            mobile: setup.mobile,
            rng,
            generation: saved.generation,
            cursor: saved.cursor,
            conversations,
            ahead: Ahead::default(),
            link: Link::new(setup.foreground),
            fetches: Fetches::default(),
            marks: Marks::default(),
            outbox: Outbox::default(),
            wishes: Wishes::restored(saved.wishes),
            doings: Doings::default(),
            watching: Watching::default(),
        }
    }

    /// Takes one input in.
    pub fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut fx = Effects::default();
        match input {
            Input::Batch(conn, batch, frames) => self.on_batch(now, conn, batch, frames, &mut fx),
            Input::Closed(conn, problem) => self.on_closed(now, conn, problem, &mut fx),
            Input::Outbox(rows) => self.outbox.load(rows),
            Input::Command(command) => self.on_command(now, command, &mut fx),
            Input::Timer => {}
        }
        self.finish(now, fx)
    }

    fn on_command(&mut self, now: Now, command: Command, fx: &mut Effects) {
        match command {
            Command::MarkRead(id, seq) => self.on_mark_read(now, id, seq, fx),
            Command::FetchOlder(id, down_to) => self.on_fetch_older(id, down_to, fx),
            Command::SetPreferences(id, changes) => self.on_set_preferences(id, &changes, fx),
            Command::SetTyping(id, activity) => self.on_set_typing(now, id, activity),
            Command::Foreground => self.on_foreground(now, fx),
            Command::Background => self.on_background(),
            Command::Watch(users) => self.on_watch(users),
        }
    }

    /// Puts a draft into the outbox and sends it when its turn comes. The op is its name from here on.
    pub fn append(&mut self, now: Now, draft: Draft) -> (Op, Effects) {
        let mut fx = Effects::default();
        let op = new_op(&mut self.rng);
        let base = self.conversations.get(&draft.conversation).map_or_else(Seq::default, |known| known.head);
        let outgoing = Outgoing::new(op, base, draft);
        fx.save.push(Mutation::Queue(Box::new(outgoing.clone())));
        self.doings.sent(outgoing.conversation);
        self.outbox.push(outgoing);
        (op, self.finish(now, fx))
    }

    /// The files of a message are all there: it goes into the outbox, with the name and base that it was saved with.
    pub fn dispatch(&mut self, now: Now, complete: Outgoing) -> Effects {
        let mut fx = Effects::default();
        fx.save.push(Mutation::Dispatch(Box::new(complete.clone())));
        self.outbox.push(complete);
        self.finish(now, fx)
    }

    /// Who types or records in a conversation.
    #[must_use]
    pub fn typing(&self, conversation: ConversationId) -> Vec<(UserId, Activity)> {
        self.doings.shown(conversation)
    }

    /// How a watched user is there; none if it is not known.
    #[must_use]
    pub fn presence(&self, user: UserId) -> Option<&Presence> {
        self.watching.presence(user)
    }

    /// When the next stream will be opened; none while there is one or one is being opened, and when there shall be no other.
    #[must_use]
    pub fn next_attempt(&self) -> Option<Now> {
        self.link.next_attempt()
    }

    /// When the core wants [`Input::Timer`], if nothing else comes before.
    #[must_use]
    pub fn deadline(&self) -> Option<Now> {
        let when_live = [
            self.fetches.deadline(),
            self.marks.deadline(),
            self.outbox.deadline(),
            self.wishes.deadline(),
            self.doings.own_deadline(),
        ];
        let live = self.link.is_live().then(|| when_live.into_iter().flatten().min());
        [self.link.deadline(), self.doings.deadline(), live.flatten()].into_iter().flatten().min()
    }

    /// What is due by now, and what the last input made possible.
    fn finish(&mut self, now: Now, mut fx: Effects) -> Effects {
        self.run_link(now, &mut fx);
        self.expire_typing(now, &mut fx);
        if self.link.is_live() {
            self.pump_active(&mut fx);
            self.pump_fetches(now, &mut fx);
            self.pump_marks(now, &mut fx);
            self.pump_preferences(now, &mut fx);
            self.pump_outbox(now, &mut fx);
            self.pump_watch(&mut fx);
            self.pump_typing(now, &mut fx);
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
            Kind::Head(head) => self.on_head(now, &head, fx),
            Kind::Checkpoint(checkpoint) => self.on_checkpoint(checkpoint.cursor, fx),
            Kind::AppendResult(result) => self.on_append_result(now, result, fx),
            Kind::FetchResult(result) => self.on_fetch_result(now, result, fx),
            Kind::MarkRefused(refused) => self.on_mark_refused(now, &refused, fx),
            Kind::PreferencesResult(result) => self.on_preferences_result(now, result, fx),
            Kind::Refused(refused) => on_refused(refused, fx),
            Kind::Receipts(receipts) => self.on_receipts(&receipts, fx),
            Kind::Typing(typing) => self.on_typing(now, &typing, fx),
            Kind::PresenceChanged(changed) => self.on_presence(changed, fx),
            Kind::SyncPerson(sync) => people::on_person(sync.person, fx),
            Kind::SyncPrivacy(sync) => people::on_privacy(sync.privacy, fx),
            Kind::Pong(_) | Kind::Welcome(_) => {}
            Kind::Drain(drain) => self.on_drain(now, &drain),
            Kind::Goodbye(goodbye) => {
                let Some(conn) = self.link.current_conn() else { return };
                self.on_goodbye(now, conn, &goodbye, fx);
            }
        }
    }
}

fn on_refused(refused: Refused, fx: &mut Effects) {
    fx.tell.push(Event::Refused { frame: refused.frame, problem: refused.problem.unwrap_or_default() });
}

fn say(fx: &mut Effects, kind: client_frame::Kind) {
    fx.send.push(parlor_wire::chat::v1::ClientFrame { kind: Some(kind) });
}
