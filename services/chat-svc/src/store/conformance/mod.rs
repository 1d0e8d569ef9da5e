//! What every store must do. Each rule runs over each backend; and random histories run over two of them side by side,
//! which must then give the same answers to every question.

/// Runs each rule over each backend.
macro_rules! rules {
    ($($name:ident),* $(,)?) => {
        mod on_memory { $(#[tokio::test] async fn $name() { super::$name(super::memory().store).await; })* }
        mod on_sqlite { $(
            #[tokio::test]
            async fn $name() {
                let backend = super::sqlite();
                super::$name(backend.store.clone()).await;
            }
        )* }
    };
}

mod changes;
mod differential;
mod erased;
mod media;
mod members;
mod people;
mod preferences;
mod races;
mod recount;
mod rules;
mod withheld;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parlor_embedded::Options;
use parlor_types::{ConversationId, Op, Seq, UserId};
use tokio::sync::oneshot;

use super::{
    AppendError, Batch, Commit, Marked, MemoryStore, NewEntry, NewMarks, NewPreferences, Preferred,
    SqliteStore, Store, Stored,
};
use crate::conversation::{Content, Kind, Settings, State};
use crate::log::{Digest, Entry};
use crate::preferences::PreferenceChanges;
use crate::receipts::Marks;

/// A store, and what keeps its files alive.
struct Backend {
    store: Arc<dyn Store>,
    folder: Option<tempfile::TempDir>,
}

impl Backend {
    /// Closes the store and opens it again, if it survives that.
    fn reopen(&mut self) {
        if let Some(folder) = &self.folder {
            self.store = Arc::new(MemoryStore::default());
            self.store = open(folder);
        }
    }
}

fn open(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(Options::new(folder.path().join("chat.db"))).unwrap())
}

fn memory() -> Backend {
    Backend { store: Arc::new(MemoryStore::default()), folder: None }
}

fn sqlite() -> Backend {
    let folder = tempfile::tempdir().unwrap();
    Backend { store: open(&folder), folder: Some(folder) }
}

/// Writes as the appender does, one conversation at a time, without its checks.
struct Writer {
    conversation: ConversationId,
    state: Option<State>,
}

impl Writer {
    fn new() -> Self {
        Self { conversation: ConversationId::new(), state: None }
    }

    fn head(&self) -> Seq {
        self.state.as_ref().map_or(Seq(0), |state| state.head)
    }

    /// The next entries, whose times are their seqs in seconds.
    fn batch(&mut self, contents: &[(UserId, Content)]) -> Arc<Batch> {
        let after = self.head();
        let entries = contents.iter().map(|(sender, content)| self.entry(*sender, content)).collect();
        Arc::new(Batch { conversation: self.conversation, after, entries })
    }

    /// A change of a message, as the next batch.
    fn change(&mut self, sender: UserId, content: &Content, about: u64) -> Arc<Batch> {
        let after = self.head();
        let mut new = self.entry(sender, content);
        new.entry.target = Some(Seq(about));
        new.entry.reply_to = None;
        if *content == Content::Delete {
            new.entry.mentions.clear();
        }
        Arc::new(Batch { conversation: self.conversation, after, entries: vec![new] })
    }

    fn entry(&mut self, sender: UserId, content: &Content) -> NewEntry {
        let time = at(self.head().next());
        let changes = match (&mut self.state, content) {
            (Some(state), content) => state.apply(sender, content, time),
            (empty, Content::Created { kind, name, members, settings }) => {
                let (state, changes) = State::created(sender, *kind, name.clone(), members, *settings, time);
                *empty = Some(state);
                changes
            }
            (None, _) => panic!("the first entry is Created"),
        };
        let state = self.state.as_ref().unwrap();
        let everybody = || state.members.keys().copied().collect();
        let mentions = if state.head.0.is_multiple_of(2) { everybody() } else { vec![sender] };
        let entry = Entry {
            conversation: self.conversation,
            seq: state.head,
            number: state.number,
            op: Op::new(),
            sender,
            time,
            target: None,
            rev: Seq(0),
            reply_to: (state.head > Seq(3)).then_some(Seq(2)),
            thread_root: None,
            mentions,
            labels: [("app".to_owned(), state.head.to_string())].into(),
            content: content.clone(),
        };
        NewEntry { entry, digest: Digest([7; 16]), changes }
    }
}

fn at(seq: Seq) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seq.0)
}

fn group(creator: UserId, others: &[UserId], settings: Settings) -> (UserId, Content) {
    let members = [&[creator], others].concat();
    (creator, Content::Created { kind: Kind::Group, name: "Tea".into(), members, settings })
}

fn text(sender: UserId, body: &str) -> (UserId, Content) {
    (sender, Content::Text(body.into()))
}

async fn append(store: &Arc<dyn Store>, batch: Arc<Batch>) -> Result<Stored, AppendError> {
    let (done, told) = oneshot::channel();
    store.append(batch, Box::new(move |result| done.send(result).unwrap()));
    told.await.unwrap()
}

/// Marks are raised at the time that stands for the higher of them.
async fn mark(
    store: &Arc<dyn Store>,
    user: UserId,
    conversation: ConversationId,
    marks: (u64, u64),
) -> Marked {
    let marks = Marks { received: Seq(marks.0), read: Seq(marks.1) };
    let (done, told) = oneshot::channel();
    let new = NewMarks { user, conversation, marks, at: at(marks.received.max(marks.read)) };
    store.mark(vec![new], Box::new(move |result| done.send(result).unwrap()));
    told.await.unwrap().unwrap().remove(0)
}

async fn prefer(
    store: &Arc<dyn Store>,
    user: UserId,
    conversation: ConversationId,
    changes: PreferenceChanges,
    at: SystemTime,
) -> Preferred {
    let (done, told) = oneshot::channel();
    let new = NewPreferences { user, conversation, changes, at };
    store.prefer(new, Box::new(move |result| done.send(result).unwrap()));
    told.await.unwrap().unwrap()
}
