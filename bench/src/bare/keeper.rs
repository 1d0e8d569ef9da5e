//! Keeping appends: one thread takes all that wait, writes them, syncs once, and then tells.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context as _, Result};
use parlor_wire::chat::v1::{Append, Entry};
use prost::Message as _;
use rusqlite::{Connection, params};

use super::Keep;
use super::conversation::{Conversation, Stream};

/// Appends that may wait.
const QUEUE: usize = 65_536;
/// Most in one commit: as many as the store of `parlor-server` takes.
const BATCH: usize = 512;
/// Name of the table's file.
pub const DATABASE: &str = "bare.db";
/// Entries as they are sent.
const TABLE: &str = "CREATE TABLE entry (
    conversation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID";

/// An append, and whose.
pub struct Job {
    /// Where.
    pub conversation: Arc<Conversation>,
    /// What.
    pub append: Append,
    /// Whose.
    pub sender: Arc<Stream>,
}

/// Where to put them; `None` if nothing is kept.
pub fn start(keep: Keep, folder: &Path) -> Result<Option<SyncSender<Job>>> {
    fs::create_dir_all(folder)?;
    let store: Box<dyn Store> = match keep {
        Keep::Nothing => return Ok(None),
        Keep::File => {
            let file = File::create(folder.join("bare.log"))?;
            Box::new(LogFile { file, buffer: Vec::new() })
        }
        Keep::Sqlite => {
            let connection = Connection::open(folder.join(DATABASE))?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.execute(TABLE, [])?;
            Box::new(Table(connection))
        }
    };
    let (queue, jobs) = sync_channel(QUEUE);
    thread::Builder::new().name("keeper".to_owned()).spawn(move || {
        if let Err(error) = run(&jobs, store) {
            #[expect(clippy::print_stderr, reason = "its standard error is its log")]
            {
                eprintln!("nothing is kept any more: {error:#}");
            }
            std::process::exit(1);
        }
    })?;
    Ok(Some(queue))
}

fn run(jobs: &Receiver<Job>, mut store: Box<dyn Store>) -> Result<()> {
    while let Ok(first) = jobs.recv() {
        let batch = [first].into_iter().chain(jobs.try_iter().take(BATCH - 1));
        let numbered = |Job { conversation, append, sender }: Job| {
            let entry = conversation.number(append, &sender);
            (conversation, entry, sender)
        };
        let batch: Vec<_> = batch.map(numbered).collect();
        store.keep(&mut batch.iter().map(|(_, entry, _)| entry)).context("a batch")?;
        for (conversation, entry, sender) in batch {
            conversation.deliver(entry, &sender);
        }
    }
    Ok(())
}

/// Where entries are kept.
trait Store: Send {
    /// Keeps a batch: on disk, when it returns.
    fn keep(&mut self, entries: &mut dyn Iterator<Item = &Entry>) -> Result<()>;
}

/// One after the other, each behind its length.
struct LogFile {
    file: File,
    buffer: Vec<u8>,
}

impl Store for LogFile {
    fn keep(&mut self, entries: &mut dyn Iterator<Item = &Entry>) -> Result<()> {
        self.buffer.clear();
        for entry in entries {
            entry.encode_length_delimited(&mut self.buffer)?;
        }
        self.file.write_all(&self.buffer)?;
        Ok(self.file.sync_data()?)
    }
}

/// A row each.
struct Table(Connection);

impl Store for Table {
    fn keep(&mut self, entries: &mut dyn Iterator<Item = &Entry>) -> Result<()> {
        let transaction = self.0.transaction()?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO entry (conversation, seq, body) VALUES (?1, ?2, ?3)")?;
        for entry in entries {
            insert.execute(params![entry.conversation_id, entry.seq.cast_signed(), entry.encode_to_vec()])?;
        }
        drop(insert);
        Ok(transaction.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let entry = |seq| Entry { conversation_id: "c".to_owned(), seq, ..Entry::default() };
        [1, 2, 3].map(entry).to_vec()
    }

    #[test]
    fn a_file_holds_what_it_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut store = LogFile { file: File::create(&path).unwrap(), buffer: Vec::new() };
        store.keep(&mut entries()[..2].iter()).unwrap();
        store.keep(&mut entries()[2..].iter()).unwrap();
        let bytes = fs::read(&path).unwrap();
        let mut rest = &bytes[..];
        let read: Vec<_> = (0..3).map(|_| Entry::decode_length_delimited(&mut rest).unwrap()).collect();
        assert_eq!((read, rest.len()), (entries(), 0));
    }

    #[tokio::test]
    async fn what_was_acked_is_in_the_table_and_read_from_there() {
        let folder = tempfile::tempdir().unwrap();
        let queue = start(Keep::Sqlite, folder.path()).unwrap().unwrap();
        let conversation = super::super::conversation::Conversations::default().get("c");
        let (outbox, mut frames) = tokio::sync::mpsc::channel(8);
        let sender = Arc::new(Stream::new("me".to_owned(), outbox));
        for _ in 0..3 {
            let (conversation, sender) = (Arc::clone(&conversation), Arc::clone(&sender));
            queue.send(Job { conversation, append: Append::default(), sender }).ok().unwrap();
        }
        for _ in 0..3 {
            frames.recv().await.unwrap();
        }
        let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
        let page = super::super::reader::page(&connection, "c", 2).unwrap();
        assert_eq!(page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((page.head, page.next_seq), (3, 0));
    }
}
