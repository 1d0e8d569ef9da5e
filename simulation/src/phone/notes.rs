//! Taking down what a client saw, as it saves it.

use std::collections::BTreeMap;

use parlor_client::core::{Effects, Event, Mutation, Range, Saved};
use parlor_client::store::Store;
use parlor_history::{Event as Noted, Seen};
use parlor_types::{ConversationId, Seq, UserId};
use parlor_wire::chat::v1::Conversation;

use crate::points::Point;
use crate::record::Record;

/// What is held of each conversation, to tell what is new.
#[derive(Debug, Default)]
pub struct Notes {
    ranges: BTreeMap<ConversationId, Range>,
    heads: BTreeMap<ConversationId, Seq>,
    /// Received and read, as they were told last.
    marks: BTreeMap<(ConversationId, UserId), (u64, u64)>,
}

impl Notes {
    /// A core begins with this.
    pub fn begin(&mut self, saved: &Saved) {
        let held = saved.conversations.iter();
        self.ranges = held.clone().filter_map(|saved| Some((saved.id, saved.range?))).collect();
        self.heads = held.map(|saved| (saved.id, saved.head)).collect();
    }

    /// These effects are saved.
    pub fn take(&mut self, name: &str, store: &Store, effects: &Effects, record: &mut Record) {
        // What was taken in before a range was opened above it was so before what is below was forgotten.
        let (first, then): (Vec<_>, Vec<_>) =
            effects.tell.iter().partition(|event| is_below(event, &effects.save));
        for event in first {
            self.told(name, store, event, record);
        }
        for mutation in &effects.save {
            self.take_one(name, mutation, record);
        }
        for event in then {
            self.told(name, store, event, record);
        }
        for mutation in &effects.save {
            if let Mutation::Extent(id, range, _) = mutation {
                self.ranges.insert(*id, *range);
            }
        }
    }

    fn take_one(&mut self, name: &str, mutation: &Mutation, record: &mut Record) {
        match mutation {
            Mutation::Generation(generation) => {
                record.line(name, Noted::Generation { generation: generation.clone() });
            }
            Mutation::Reset(generation) => {
                record.line(name, Noted::Generation { generation: generation.clone() });
                record.meet(Point::Restored);
                *self = Self::default();
            }
            Mutation::Forget(conversation) => {
                record.line(name, Noted::Forgot { conversation: *conversation });
                self.ranges.remove(conversation);
            }
            Mutation::Row(id, row) => self.row(name, *id, row, record),
            Mutation::Extent(id, range, head) => {
                if self.ranges.get(id).is_some_and(|before| range.low > before.have.next()) {
                    // Of what may be read now, nothing was held.
                    record.line(name, Noted::Forgot { conversation: *id });
                }
                if self.heads.insert(*id, *head) < Some(*head) {
                    record.line(name, Noted::Head { conversation: *id, head: head.0 });
                }
            }
            Mutation::Marks(id, all) => {
                for (user, marks) in all {
                    // They may be older than a row that was read after them: of two copies the higher stays.
                    let (received, read) = self.marks.get(&(*id, *user)).copied().unwrap_or_default();
                    let higher = (marks.received.max(received), marks.read.max(read));
                    self.marks(name, *id, *user, higher, record);
                }
            }
            _ => {}
        }
    }

    fn told(&mut self, name: &str, store: &Store, event: &Event, record: &mut Record) {
        match event {
            Event::Entries { conversation, from, to } => {
                let entries = read(store, *conversation, *from, *to);
                record.line(name, Noted::Applied { conversation: *conversation, entries });
            }
            Event::Older { conversation, low, .. } => {
                let before = self.ranges.get(conversation).map_or(*low, |range| range.low);
                if *low < before {
                    let entries = read(store, *conversation, *low, before.previous());
                    record.line(name, Noted::Page { conversation: *conversation, entries });
                }
            }
            Event::Settled(op, Ok(appended)) => record.line(name, Noted::Ok { op: *op, seq: appended.seq }),
            Event::Settled(op, Err(problem)) => {
                let reason = problem.reason().as_str_name().to_owned();
                record.line(name, Noted::Fail { op: *op, reason });
            }
            _ => {}
        }
    }

    fn row(&mut self, name: &str, conversation: ConversationId, row: &Conversation, record: &mut Record) {
        let last = |to: u64| (to > 0).then_some(to);
        let ranges = row.readable.iter().map(|range| (range.from_seq, last(range.to_seq))).collect();
        if row.readable.len() > 1 {
            record.meet(Point::CameBack);
        }
        record.line(name, Noted::Readable { conversation, ranges });
        record.line(name, Noted::Head { conversation, head: row.head });
        let read = row.marks.unwrap_or_default().read;
        record.line(name, Noted::Unread { conversation, head: row.head, read, messages: row.unread });
        for member in &row.members {
            if let (Some(user), Some(marks)) = (parse(&member.user_id), &member.marks) {
                self.marks(name, conversation, user, (marks.received, marks.read), record);
            }
        }
    }

    fn marks(
        &mut self,
        name: &str,
        conversation: ConversationId,
        user: UserId,
        (received, read): (u64, u64),
        record: &mut Record,
    ) {
        self.marks.insert((conversation, user), (received, read));
        record.line(name, Noted::Marks { conversation, user, received, read });
    }
}

/// Whether it tells of entries below the range that is held when all is saved.
fn is_below(event: &Event, saved: &[Mutation]) -> bool {
    let Event::Entries { conversation, to, .. } = event else { return false };
    let held = saved.iter().rev().find_map(|mutation| match mutation {
        Mutation::Extent(id, range, _) if id == conversation => Some(range),
        _ => None,
    });
    held.is_some_and(|range| *to < range.low)
}

/// A client that begins with what another one saved takes it in as if it had read it. What that one was to send it sends,
/// even what the other was refused since.
pub fn hand_over(name: &str, store: &Store, record: &mut Record) {
    for waiting in store.outbox(None).expect("the store can be read") {
        record.line(name, Noted::Recalled { op: waiting.op });
    }
    for held in store.conversations().expect("the store can be read") {
        let conversation = held.id;
        record.line(name, Noted::Head { conversation, head: held.head.0 });
        if let Some(range) = held.range.filter(|range| !range.is_empty()) {
            let entries = read(store, conversation, range.low, range.have);
            record.line(name, Noted::Page { conversation, entries });
        }
    }
}

/// As the history tells entries.
pub fn read(store: &Store, id: ConversationId, from: Seq, to: Seq) -> Vec<Seen> {
    let entries = store.entries(id, from, to, u32::MAX).expect("the store can be read");
    entries.iter().map(|entry| Seen::clear(entry).expect("the server's ids are ids")).collect()
}

fn parse(user: &str) -> Option<UserId> {
    parlor_types::Id::parse(user)
}
