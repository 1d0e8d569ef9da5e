//! What a member does, without a network: frames in, frames out.

use std::collections::VecDeque;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use parlor_types::Op;
use parlor_wire::chat::v1::append_result::Outcome as Appended;
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::fetch_result::Outcome as Fetched;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{
    Ack, Append, ClientFrame, Content, Entry, Fetch, Received, ServerFrame, Text, content,
};
use prost::Message as _;

use super::meters::Seen;

/// Batches after which they are acked.
const ACK_AFTER: u32 = 16;
/// How long marks are gathered, ns.
const MARK_EVERY: u64 = 1_000_000_000;
/// By how much the next member's seconds begin later: a golden part, so that any number of them are spread evenly. People
/// do not read in step.
const MARK_PHASE: u64 = 618_033_989;
/// Digits of the time in a message.
const STAMP: usize = 20;
/// Bytes of a message, the time among them.
const BODY: usize = 200;

/// See the module. Times are ns since a beginning that all members share.
#[derive(Debug)]
pub struct Core {
    /// The one conversation it cares for.
    pub conversation: String,
    /// Who it is, as Welcome says.
    pub user: String,
    /// The last cursor.
    pub cursor: Bytes,
    /// Everything up to here is known; `None` before the first row says where to begin.
    pub have: Option<u64>,
    /// The sync is complete.
    pub synced: bool,
    /// Up to here there is something.
    head: u64,
    fetching: bool,
    fetches: u64,
    /// What was sent and when it was to be, first first.
    in_flight: VecDeque<(String, u64)>,
    /// When those were to be sent that wait for others to be answered.
    waiting: VecDeque<u64>,
    at_once: usize,
    batch: u64,
    unacked: u32,
    marked: u64,
    mark_at: u64,
    /// How far its second is when the first begins.
    phase: u64,
}

impl Core {
    /// Begins where `have` and `cursor` say; of what is sent, `at_once` may be unanswered. `number` is its own.
    pub fn new(
        conversation: String,
        have: Option<u64>,
        cursor: Bytes,
        at_once: usize,
        number: usize,
    ) -> Self {
        Self {
            conversation,
            user: String::new(),
            cursor,
            have,
            synced: false,
            head: 0,
            fetching: false,
            fetches: 0,
            in_flight: VecDeque::new(),
            waiting: VecDeque::new(),
            at_once,
            batch: 0,
            unacked: 0,
            marked: 0,
            mark_at: 0,
            phase: (number as u64).wrapping_mul(MARK_PHASE) % MARK_EVERY,
        }
    }

    /// Nothing is unanswered.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.waiting.is_empty()
    }

    /// A message that is to be sent at `due`.
    pub fn offer(&mut self, due: u64) {
        self.waiting.push_back(due);
    }

    /// What can be sent of what waits.
    pub fn send(&mut self, out: &mut Vec<Bytes>) {
        while self.in_flight.len() < self.at_once {
            let Some(due) = self.waiting.pop_front() else { return };
            let op = Op::new().to_string();
            let text = Text { body: format!("{due:0STAMP$}{:.<1$}", "", BODY - STAMP) };
            let append = Append {
                conversation_id: self.conversation.clone(),
                op: op.clone(),
                base_seq: self.have.unwrap_or_default(),
                content: Some(Content { kind: Some(content::Kind::Text(text)) }),
                ..Append::default()
            };
            self.in_flight.push_back((op, due));
            out.push(encoded(Out::Append(append)));
        }
    }

    /// A batch that came at `now`.
    pub fn take(
        &mut self,
        now: u64,
        batch: u64,
        frames: Vec<Bytes>,
        seen: &mut Seen,
        out: &mut Vec<Bytes>,
    ) -> Result<()> {
        for frame in frames {
            self.frame(ServerFrame::decode(frame)?.kind.context("a frame of a kind known here")?, seen)?;
        }
        let have = self.have.unwrap_or_default();
        if self.head > have && !self.fetching {
            (self.fetching, self.fetches) = (true, self.fetches + 1);
            let conversation_id = self.conversation.clone();
            let fetch = Fetch { request_id: self.fetches, conversation_id, from_seq: have + 1, to_seq: 0 };
            out.push(encoded(Out::Fetch(fetch)));
        }
        (self.batch, self.unacked) = (batch, self.unacked + 1);
        let second = |at: u64| (at + self.phase) / MARK_EVERY;
        let mark = have > self.marked && second(now) > second(self.mark_at);
        if mark {
            (self.marked, self.mark_at) = (have, now);
            let conversation_id = self.conversation.clone();
            out.push(encoded(Out::Received(Received { conversation_id, seq: have })));
        }
        if mark || self.unacked >= ACK_AFTER {
            self.unacked = 0;
            out.push(encoded(Out::Ack(Ack { batch: self.batch })));
        }
        Ok(())
    }

    fn frame(&mut self, frame: In, seen: &mut Seen) -> Result<()> {
        match frame {
            In::Welcome(welcome) => self.user = welcome.user_id,
            In::SyncConversation(row) => {
                let row = row.conversation.context("a row")?;
                if row.id == self.conversation {
                    self.grown(row.head);
                }
            }
            In::Head(head) if head.conversation_id == self.conversation => self.grown(head.head),
            In::SyncDone(done) => (self.cursor, self.synced) = (done.cursor, true),
            In::Checkpoint(checkpoint) => self.cursor = checkpoint.cursor,
            In::Event(event) => {
                self.entry(event.entry.context("an entry")?, seen)?;
            }
            In::AppendResult(result) => {
                let (op, due) = self.in_flight.pop_front().context("an answer to nothing")?;
                ensure!(op == result.op, "answers come in the order of what was sent");
                match result.outcome.context("an outcome")? {
                    Appended::Appended(appended) => {
                        self.applied(appended.seq);
                    }
                    Appended::Problem(problem) => bail!("an append was refused: {problem:?}"),
                }
                seen.acks.push(due);
            }
            In::FetchResult(result) => {
                self.fetching = false;
                match result.outcome.context("an outcome")? {
                    Fetched::Page(page) => {
                        self.head = self.head.max(page.head);
                        for entry in page.entries {
                            seen.fetched += u64::from(self.entry(entry, seen)?);
                        }
                    }
                    Fetched::Problem(problem) => bail!("a fetch was refused: {problem:?}"),
                }
            }
            In::Goodbye(goodbye) => bail!("the server ended the stream: {goodbye:?}"),
            In::MarkRefused(refused) => bail!("a mark was refused: {refused:?}"),
            _ => {}
        }
        Ok(())
    }

    fn grown(&mut self, head: u64) {
        self.have.get_or_insert(head);
        self.head = self.head.max(head);
    }

    /// Whether it is the next.
    fn applied(&mut self, seq: u64) -> bool {
        let next = seq == self.have.unwrap_or_default() + 1;
        if next {
            self.have = Some(seq);
        }
        next
    }

    /// Whether it was another's, and new.
    fn entry(&mut self, entry: Entry, seen: &mut Seen) -> Result<bool> {
        if entry.conversation_id != self.conversation {
            return Ok(false);
        }
        if !self.applied(entry.seq) {
            // Above: it comes with what is missing before it. Not above: it was here.
            self.head = self.head.max(entry.seq);
            return Ok(false);
        }
        let Some(content::Kind::Text(text)) = entry.content.and_then(|content| content.kind) else {
            return Ok(false);
        };
        if entry.sender_id == self.user {
            return Ok(false);
        }
        seen.deliveries.push(text.body.get(..STAMP).context("a time")?.parse()?);
        Ok(true)
    }
}

/// A frame as it is sent.
pub fn encoded(kind: Out) -> Bytes {
    ClientFrame { kind: Some(kind) }.encode_to_vec().into()
}

#[cfg(test)]
mod tests;
