//! Reading what was kept in the table, on a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use anyhow::Result;
use parlor_wire::chat::v1::fetch_result::Outcome;
use parlor_wire::chat::v1::server_frame::Kind;
use parlor_wire::chat::v1::{Entry, Fetch, FetchResult, LogPage};
use prost::Message as _;
use rusqlite::{Connection, OpenFlags, params};

use super::conversation::{Stream, encoded};
use super::keeper::DATABASE;

/// Requests that may wait.
const QUEUE: usize = 65_536;
/// Entries of a page: as many as `parlor-server` gives.
const PAGE: usize = 200;

/// A request, and whose.
pub type Request = (Fetch, Arc<Stream>);

/// Where to put requests.
pub fn start(folder: &Path) -> Result<SyncSender<Request>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.join(DATABASE), flags)?;
    let (queue, requests) = sync_channel::<Request>(QUEUE);
    thread::Builder::new().name("reader".to_owned()).spawn(move || {
        while let Ok((fetch, stream)) = requests.recv() {
            // Without an answer, the load finds that something is missing.
            let Ok(page) = page(&connection, &fetch.conversation_id, fetch.from_seq) else { continue };
            let outcome = Some(Outcome::Page(page));
            let result = FetchResult { request_id: fetch.request_id, outcome };
            stream.tell(encoded(Kind::FetchResult(result)));
        }
    })?;
    Ok(queue)
}

/// The entries from there on.
pub fn page(connection: &Connection, conversation: &str, from: u64) -> Result<LogPage> {
    let mut select = connection.prepare_cached(
        "SELECT body FROM entry WHERE conversation = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3",
    )?;
    let rows = select
        .query_map(params![conversation, from.cast_signed(), PAGE as i64], |row| row.get::<_, Vec<u8>>(0))?;
    let entries = rows.map(|body| Ok(Entry::decode(&body?[..])?)).collect::<Result<Vec<_>>>()?;
    let head = "SELECT coalesce(max(seq), 0) FROM entry WHERE conversation = ?1";
    let head = connection.prepare_cached(head)?.query_row([conversation], |row| row.get::<_, i64>(0))?;
    let head = head.cast_unsigned();
    let next = entries.last().map_or(from, |entry| entry.seq + 1);
    let next_seq = if next > head { 0 } else { next };
    Ok(LogPage { conversation_id: conversation.to_owned(), entries, next_seq, head })
}
