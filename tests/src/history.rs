//! What was asked, answered and read, taken down for [`parlor_history`], which holds it against the guarantees at the end.

use std::path::{Path, PathBuf};

use parlor_client::Client;
use parlor_history::{Event, History, Recorder, Seen};
use parlor_types::{ConversationId, Op, Seq};
use parlor_wire::chat::v1::Entry;

/// As a history has them, with their texts in clear.
///
/// # Panics
/// The server sent something that is no id.
#[must_use]
pub fn seen(entries: &[Entry]) -> Vec<Seen> {
    entries.iter().map(|entry| Seen::clear(entry).expect("the server's ids are ids")).collect()
}

/// A text is to be appended, which nobody knew of before `since`. Within a conversation in the order of sending.
pub fn invoked(
    recorder: &Recorder,
    since: u64,
    client: &str,
    conversation: ConversationId,
    op: Op,
    text: Option<&str>,
) {
    let content = text.map(ToOwned::to_owned);
    recorder.record_at(since, client, Event::Invoke { op, conversation, base_seq: None, content });
}

/// It is stored, says the server.
pub fn acked(recorder: &Recorder, client: &str, op: Op, seq: Seq) {
    recorder.record(client, Event::Ok { op, seq: seq.0 });
}

/// A client that keeps up took these in, after all that it had.
pub fn applied(recorder: &Recorder, client: &str, conversation: ConversationId, entries: &[Entry]) {
    recorder.record(client, Event::Applied { conversation, entries: seen(entries) });
}

/// A client was given a page.
pub fn page(recorder: &Recorder, client: &str, conversation: ConversationId, entries: &[Entry]) {
    recorder.record(client, Event::Page { conversation, entries: seen(entries) });
}

/// All that a client holds at the end, when it should hold all that it may read.
pub fn holds(recorder: &Recorder, client: &str, conversation: ConversationId, entries: &[Entry]) {
    let runs = entries.chunk_by(|one, next| one.seq + 1 == next.seq);
    let ranges = runs.map(|run| (run[0].seq, run[run.len() - 1].seq)).collect();
    for run in entries.chunk_by(|one, next| one.seq + 1 == next.seq) {
        page(recorder, client, conversation, run);
    }
    recorder.record(client, Event::Held { conversation, ranges, whole: true });
}

/// What a client's user may read: first and last; no last means all that comes.
pub fn may_read(
    recorder: &Recorder,
    client: &str,
    conversation: ConversationId,
    ranges: &[(Seq, Option<Seq>)],
) {
    let ranges = ranges.iter().map(|(from, to)| (from.0, to.map(|to| to.0))).collect();
    recorder.record(client, Event::Readable { conversation, ranges });
}

/// The outbox of a client is empty: what has no answer was repeated until it had one.
pub fn delivered(recorder: &Recorder, client: &str) {
    for op in recorder.history().unanswered(client) {
        recorder.record(client, Event::Owed { op });
    }
}

/// Where a client of ours with this profile writes down by itself what it sees, with marks, unread counts and what may be
/// read: beside it.
#[must_use]
pub fn of_profile(profile: &Path) -> PathBuf {
    profile.with_extension("jsonl")
}

/// What clients of ours with profiles in this folder wrote down by themselves; they must not write any more. Everything
/// has come to rest.
///
/// # Panics
/// It cannot be read, or a guarantee is broken.
pub async fn check_profiles(folder: &Path, at_rest: &[&Client]) -> History {
    for client in at_rest {
        client.conclude_history().await.expect("the store can be read");
        client.finish_history().expect("all of it could be written");
    }
    let files = std::fs::read_dir(folder).expect("a folder");
    let files = files.map(|file| file.expect("a file").path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|kind| kind == "jsonl")).collect();
    let history = parlor_history::read(&files).expect("clients write what can be read");
    history.assert_good();
    history
}

/// How many lines are like this.
pub fn count(history: &History, which: impl Fn(&Event) -> bool) -> usize {
    history.lines().iter().filter(|line| which(&line.event)).count()
}
