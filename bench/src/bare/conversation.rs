//! Who is together, and what is told to whom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use parlor_wire::chat::v1::append_result::Outcome;
use parlor_wire::chat::v1::server_frame::Kind;
use parlor_wire::chat::v1::{Append, AppendResult, Appended, Entry, Event, ServerFrame};
use parlor_wire::to_time;
use prost::Message as _;
use tokio::sync::mpsc;

/// Somebody on a stream.
#[derive(Debug)]
pub struct Stream {
    /// Who.
    pub user: String,
    outbox: mpsc::Sender<Bytes>,
}

impl Stream {
    /// Somebody to whom what is said goes into `outbox`.
    pub fn new(user: String, outbox: mpsc::Sender<Bytes>) -> Self {
        Self { user, outbox }
    }

    /// Who has gone is told nothing; nor is who reads nothing for long: then the load finds that something is missing.
    pub fn tell(&self, frame: Bytes) {
        let _ = self.outbox.try_send(frame);
    }
}

/// All conversations.
#[derive(Debug, Default)]
pub struct Conversations(Mutex<HashMap<String, Arc<Conversation>>>);

impl Conversations {
    /// The one with this id, which begins if there is none.
    pub fn get(&self, id: &str) -> Arc<Conversation> {
        let mut all = lock(&self.0);
        if let Some(conversation) = all.get(id) {
            return Arc::clone(conversation);
        }
        let conversation = Arc::new(Conversation { id: id.to_owned(), state: Mutex::default() });
        all.insert(id.to_owned(), Arc::clone(&conversation));
        conversation
    }
}

/// One of them.
#[derive(Debug)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    head: u64,
    streams: Vec<Arc<Stream>>,
}

impl Conversation {
    /// Somebody comes; the head so far.
    pub fn join(&self, stream: &Arc<Stream>) -> u64 {
        let mut state = lock(&self.state);
        state.streams.push(Arc::clone(stream));
        state.head
    }

    /// Somebody goes.
    pub fn leave(&self, stream: &Arc<Stream>) {
        lock(&self.state).streams.retain(|other| !Arc::ptr_eq(other, stream));
    }

    /// Its next entry.
    pub fn number(&self, append: Append, sender: &Stream) -> Entry {
        let mut state = lock(&self.state);
        state.head += 1;
        entry(&self.id, state.head, append, sender)
    }

    /// Tells of an entry that was numbered and kept.
    pub fn deliver(&self, entry: Entry, sender: &Arc<Stream>) {
        tell(&lock(&self.state).streams, entry, sender);
    }

    /// Numbers and tells in one.
    pub fn pass_on(&self, append: Append, sender: &Arc<Stream>) {
        let mut state = lock(&self.state);
        state.head += 1;
        let entry = entry(&self.id, state.head, append, sender);
        tell(&state.streams, entry, sender);
    }
}

/// As `parlor-server` writes it, so that as much is sent.
fn entry(conversation: &str, seq: u64, append: Append, sender: &Stream) -> Entry {
    Entry {
        conversation_id: conversation.to_owned(),
        seq,
        message_number: seq,
        op: append.op,
        sender_id: sender.user.clone(),
        time: Some(to_time(SystemTime::now())),
        content: append.content,
        ..Entry::default()
    }
}

/// The others get it, encoded once; the sender gets the ack.
fn tell(streams: &[Arc<Stream>], entry: Entry, sender: &Arc<Stream>) {
    let appended = Appended {
        conversation_id: entry.conversation_id.clone(),
        seq: entry.seq,
        message_number: entry.message_number,
        time: entry.time,
        duplicate: false,
    };
    let ack = AppendResult {
        op: entry.op.clone(),
        outcome: Some(Outcome::Appended(appended)),
        lane: 0,
        conversation_id: entry.conversation_id.clone(),
    };
    let event = encoded(Kind::Event(Event { entry: Some(entry) }));
    for stream in streams.iter().filter(|stream| !Arc::ptr_eq(stream, sender)) {
        stream.tell(event.clone());
    }
    sender.tell(encoded(Kind::AppendResult(ack)));
}

/// A frame as it is sent.
pub fn encoded(kind: Kind) -> Bytes {
    ServerFrame { kind: Some(kind) }.encode_to_vec().into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
