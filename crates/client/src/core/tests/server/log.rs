//! The logs: appends, entries, pages.

use std::time::Duration;

use parlor_types::{ConversationId, Id as _, UserId};
use parlor_wire::chat::v1::content::Kind as Content;
use parlor_wire::chat::v1::{
    self as chat, Append, AppendResult, Appended, Entry, Event, Fetch, FetchResult, LogPage, Rename, Text,
    append_result, fetch_result, server_frame,
};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::to_duration;
use prost_types::Timestamp;
use rand::RngExt as _;

use super::{Conn, Server, preferences, problem};

/// Small, so that old ops meet it often.
const MAX_DEDUPE_SPAN: u64 = 6;
/// A text that is never taken.
pub const FORBIDDEN: &str = "forbidden";

impl Server {
    /// Somebody else writes: most often a message, which may call the user by name.
    pub fn other_writes(&mut self, id: ConversationId, sender: UserId, op: String) {
        let kind = match self.rng.random_range(0..6) {
            0 => Content::Rename(Rename { name: "Tea".into() }),
            _ => Content::Text(Text { body: "hello".into() }),
        };
        let mention_ids = if self.rng.random_bool(0.2) { vec![self.me.to_string()] } else { Vec::new() };
        let content = Some(chat::Content { kind: Some(kind) });
        self.store(id, sender, &Append { op, mention_ids, content, ..Append::default() });
    }

    pub(super) fn append(&mut self, conn: Conn, append: Append) {
        let id = ConversationId::parse(&append.conversation_id).unwrap();
        let lane = *self.sessions.get_mut(&conn).expect("it speaks").lanes.entry(id).or_default();
        let outcome = if append.lane == lane {
            self.try_append(id, &append)
        } else {
            assert!(append.lane < lane, "a lane that was never given");
            Err(problem(ErrorReason::OutOfOrder))
        };
        let lane = self.sessions.get_mut(&conn).expect("it speaks").lanes.entry(id).or_default();
        let outcome = match outcome {
            Ok(appended) => append_result::Outcome::Appended(appended),
            Err(refusal) => {
                *lane += u32::from(refusal.reason() != ErrorReason::OutOfOrder);
                append_result::Outcome::Problem(refusal)
            }
        };
        let result = AppendResult {
            op: append.op,
            outcome: Some(outcome),
            lane: *lane,
            conversation_id: append.conversation_id,
        };
        self.push(conn, server_frame::Kind::AppendResult(result));
    }

    fn try_append(&mut self, id: ConversationId, append: &Append) -> Result<Appended, Problem> {
        let log = &self.state.chats[&id].log;
        let head = log.len() as u64;
        if append.base_seq > head {
            return Err(problem(ErrorReason::BaseSeqAhead));
        }
        if head - append.base_seq > MAX_DEDUPE_SPAN {
            return Err(problem(ErrorReason::OpTooOld));
        }
        let me = self.me.to_string();
        let span = &log[append.base_seq as usize..];
        if let Some(entry) = span.iter().find(|entry| entry.op == append.op && entry.sender_id == me) {
            let asked = &self.state.chats[&id].asked[&append.op];
            assert_eq!(*asked, append.content, "the same op with other content");
            return Ok(appended(entry, true));
        }
        if matches!(kind(append.content.as_ref()), Some(Content::Text(text)) if text.body == FORBIDDEN) {
            return Err(problem(ErrorReason::ContentNotAllowed));
        }
        if append.target > 0
            && let Some(problem) = self.refuses(id, self.me, append)
        {
            return Err(problem);
        }
        if self.chance(0.15) {
            let advice = self.rng.random_bool(0.5).then(|| to_duration(Duration::from_millis(400)));
            return Err(Problem { retry_after: advice, ..problem(ErrorReason::RateLimited) });
        }
        Ok(self.store(id, self.me, append))
    }

    pub(super) fn store(&mut self, id: ConversationId, sender: UserId, append: &Append) -> Appended {
        let withheld = self.has_blocked(sender);
        let is_message = matches!(kind(append.content.as_ref()), Some(Content::Text(_)));
        self.state.commit += 1;
        let (commit, me, own) = (self.state.commit, self.me, sender == self.me);
        let chat = self.chat(id);
        let numbered = chat.log.last().map_or(0, |last| last.message_number);
        let mut entry = Entry {
            conversation_id: id.to_string(),
            seq: chat.log.len() as u64 + 1,
            message_number: numbered + u64::from(is_message),
            op: append.op.clone(),
            sender_id: sender.to_string(),
            time: Some(at(commit)),
            target: append.target,
            mention_ids: append.mention_ids.clone(),
            content: append.content.clone(),
            ..Entry::default()
        };
        let is_edit = matches!(kind(append.content.as_ref()), Some(Content::Edit(_)));
        if withheld && (is_message || is_edit) {
            entry.mention_ids.clear();
            entry.content = super::changes::withheld();
        }
        let seen =
            |chat: &super::Chat, me| (chat.unread(me), chat.messages().next_back().map(|last| last.seq));
        let before = seen(chat, me);
        chat.asked.insert(append.op.clone(), append.content.clone());
        chat.log.push(entry.clone());
        chat.change(&entry);
        let told = entry.target > 0 && (seen(chat, me) != before || before.1 == Some(entry.target));
        chat.changed = commit;
        let mut row_changed = told;
        if own && is_message {
            row_changed |= preferences::raise_read(chat, entry.seq);
            chat.marks.received = chat.marks.received.max(entry.seq);
        }
        if is_message && !withheld {
            row_changed |= preferences::bring_back(chat);
        }
        self.publish(id, &entry);
        if row_changed {
            self.touch(id, None);
        }
        appended(&entry, false)
    }

    fn publish(&mut self, id: ConversationId, entry: &Entry) {
        for conn in self.greeted() {
            if self.chance(0.15) {
                self.sessions.get_mut(&conn).expect("greeted").owed.heads.insert(id);
            } else {
                self.push(conn, server_frame::Kind::Event(Event { entry: Some(entry.clone()) }));
            }
        }
    }

    pub(super) fn fetch(&mut self, conn: Conn, fetch: &Fetch) {
        let id = ConversationId::parse(&fetch.conversation_id).unwrap();
        let outcome = if self.chance(0.1) {
            fetch_result::Outcome::Problem(problem(ErrorReason::Unavailable))
        } else {
            let page = self.rng.random_range(1..6);
            let log = &self.state.chats[&id].log;
            let head = log.len() as u64;
            let to = if fetch.to_seq == 0 { head } else { fetch.to_seq.min(head) };
            let wanted = log.iter().filter(|entry| (fetch.from_seq..=to).contains(&entry.seq));
            let entries: Vec<_> = wanted.take(page).cloned().collect();
            let last = entries.last().map_or(to, |entry| entry.seq);
            let next_seq = if last < to { last + 1 } else { 0 };
            fetch_result::Outcome::Page(LogPage { conversation_id: id.to_string(), entries, next_seq, head })
        };
        let result = FetchResult { request_id: fetch.request_id, outcome: Some(outcome) };
        let kind = server_frame::Kind::FetchResult(result);
        match self.sessions.get_mut(&conn) {
            // It was read before what is said from here on, and comes after it.
            Some(session) if self.hostile => session.late.push(super::frame(kind)),
            _ => self.push(conn, kind),
        }
    }
}

/// The clock of this server is its number of commits.
pub(super) fn at(commit: u64) -> Timestamp {
    Timestamp { seconds: i64::try_from(commit).unwrap(), nanos: 0 }
}

pub(super) fn kind(content: Option<&chat::Content>) -> Option<&Content> {
    content.and_then(|content| content.kind.as_ref())
}

fn appended(entry: &Entry, duplicate: bool) -> Appended {
    Appended {
        conversation_id: entry.conversation_id.clone(),
        seq: entry.seq,
        message_number: entry.message_number,
        duplicate,
        ..Appended::default()
    }
}
