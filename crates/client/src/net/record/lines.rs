//! The lines of a history: what is saved, said in the words of the checker, and nothing twice that says nothing new.

use std::collections::HashMap;

use parlor_history::{Event as Line, Nanos, Recorder, Seen, digest};
use parlor_types::{ConversationId, Id as _, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Conversation, Entry, Marks};

use crate::core::{Mutation, Outgoing, Range, Saved};

/// See the module.
#[derive(Debug)]
pub(super) struct Lines {
    pub recorder: Recorder,
    client: String,
    /// What was written last of each conversation.
    known: HashMap<ConversationId, Known>,
    /// Entries that were saved, until the range says where they belong.
    entries: Vec<Seen>,
}

#[derive(Debug, Default)]
struct Known {
    range: Option<Range>,
    head: u64,
    readable: Vec<(u64, Option<u64>)>,
    /// Received and read.
    marks: HashMap<UserId, (u64, u64)>,
}

impl Known {
    /// Whether a new range was opened above one, and something between them could be read: whoever was a member in between,
    /// and is one again, is given what came since.
    fn skips(&self, before: Range, range: Range) -> bool {
        let between = |(from, to): &(u64, Option<u64>)| {
            let first = (*from).max(before.have.0 + 1);
            first < range.low.0 && to.is_none_or(|to| first <= to)
        };
        self.readable.iter().any(between)
    }
}

impl Lines {
    pub fn new(recorder: Recorder, client: String) -> Self {
        Self { recorder, client, known: HashMap::new(), entries: Vec::new() }
    }

    pub fn say(&self, line: Line) {
        self.recorder.record(&self.client, line);
    }

    /// The ranges and heads that a stream goes on from, as they are saved.
    pub fn resume(&mut self, saved: &Saved) {
        if let Some(generation) = &saved.generation {
            self.generation(generation.clone());
        }
        self.known.clear();
        for conversation in &saved.conversations {
            let id = conversation.id;
            self.say(match conversation.range.filter(|range| !range.is_empty()) {
                Some(range) => Line::Resumed { conversation: id, from: range.low.0, to: range.have.0 },
                None => Line::Forgot { conversation: id },
            });
            self.head(id, conversation.head.0);
            self.known.entry(id).or_default().range = conversation.range;
        }
    }

    pub fn conclude(&self, saved: &Saved) {
        for conversation in &saved.conversations {
            let Some(range) = conversation.range else { continue };
            let ranges = (!range.is_empty()).then_some((range.low.0, range.have.0)).into_iter().collect();
            self.say(Line::Held { conversation: conversation.id, ranges, whole: false });
        }
    }

    pub fn generation(&self, generation: String) {
        self.say(Line::Generation { generation });
    }

    pub fn head(&mut self, conversation: ConversationId, head: u64) {
        let known = self.known.entry(conversation).or_default();
        if head > known.head {
            known.head = head;
            self.say(Line::Head { conversation, head });
        }
    }

    pub fn asked(&self, since: Nanos, row: &Outgoing, base_seq: Option<u64>) {
        let content = row.append.content.as_ref();
        // Of other kinds the server may store more than it was sent, as what it knows of a file.
        let is_kept = |kind: &Kind| matches!(kind, Kind::Text(_));
        let content = content.filter(|content| content.kind.as_ref().is_some_and(is_kept)).and_then(digest);
        let (op, conversation) = (row.op, row.conversation);
        self.recorder.record_at(since, &self.client, Line::Invoke { op, conversation, base_seq, content });
    }

    pub fn page(&self, conversation: ConversationId, page: &[Entry]) {
        let entries: Vec<_> = page.iter().filter_map(|entry| Seen::digested(entry).ok()).collect();
        if !entries.is_empty() {
            self.say(Line::Page { conversation, entries });
        }
    }

    /// One change, in the order in which they were saved.
    pub fn saved(&mut self, change: &Mutation) {
        match change {
            Mutation::Reset(generation) => {
                self.known.clear();
                self.generation(generation.clone());
            }
            Mutation::Generation(generation) => self.generation(generation.clone()),
            Mutation::Row(id, row) => self.row(*id, row),
            // What is no entry at all is skipped by the client too, and missed by the checker.
            Mutation::Entry(_, entry, _) => self.entries.extend(Seen::digested(entry)),
            Mutation::Extent(id, range, head) => {
                self.extent(*id, *range);
                self.head(*id, head.0);
            }
            Mutation::Forget(id) => {
                self.known.remove(id);
                self.say(Line::Forgot { conversation: *id });
            }
            Mutation::Marks(id, marks) => self.receipts(*id, marks),
            _ => {}
        }
    }

    /// What was saved since the last one belongs to this range: above what was held, or below it.
    fn extent(&mut self, conversation: ConversationId, range: Range) {
        let known = self.known.entry(conversation).or_default();
        let before = known.range.replace(range);
        // Of what was not resumed nothing is held, whatever an earlier process wrote: its profile may be an older copy.
        if before.is_none_or(|before| known.skips(before, range)) {
            self.say(Line::Forgot { conversation });
        }
        let known = self.known.entry(conversation).or_default();
        let entries = std::mem::take(&mut self.entries);
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return };
        known.head = known.head.max(last.seq);
        let is_above = before.is_none_or(|before| first.seq > before.have.0);
        self.say(if is_above && last.seq == range.have.0 {
            Line::Applied { conversation, entries }
        } else {
            Line::Page { conversation, entries }
        });
    }

    fn row(&mut self, conversation: ConversationId, row: &Conversation) {
        let readable =
            row.readable.iter().map(|part| (part.from_seq, Some(part.to_seq).filter(|to| *to > 0)));
        let readable: Vec<_> = readable.collect();
        let known = self.known.entry(conversation).or_default();
        if !readable.is_empty() && known.readable != readable {
            known.readable.clone_from(&readable);
            self.say(Line::Readable { conversation, ranges: readable });
        }
        self.head(conversation, row.head);
        let read = row.marks.map_or(0, |marks| marks.read);
        self.say(Line::Unread { conversation, head: row.head, read, messages: row.unread });
        let members = row.members.iter();
        let marks: Vec<_> =
            members.filter_map(|member| Some((UserId::parse(&member.user_id)?, member.marks?))).collect();
        self.marks(conversation, &marks);
    }

    /// Receipts may say less than a row that was read after them: of two copies the higher stays.
    fn receipts(&mut self, conversation: ConversationId, told: &[(UserId, Marks)]) {
        let known = &self.known.entry(conversation).or_default().marks;
        let raised = told.iter().map(|(user, marks)| {
            let (received, read) = known.get(user).copied().unwrap_or_default();
            let (received, read) = (marks.received.max(received), marks.read.max(read));
            (*user, Marks { received, read, ..Marks::default() })
        });
        let raised: Vec<_> = raised.collect();
        self.marks(conversation, &raised);
    }

    fn marks(&mut self, conversation: ConversationId, told: &[(UserId, Marks)]) {
        for (user, marks) in told {
            let (user, received, read) = (*user, marks.received, marks.read);
            let known = self.known.entry(conversation).or_default().marks.insert(user, (received, read));
            if known != Some((received, read)) {
                self.say(Line::Marks { conversation, user, received, read });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use parlor_types::Seq;

    use super::*;

    #[test]
    fn receipts_that_say_less_than_a_row_say_nothing() {
        let mut lines = Lines::new(Recorder::default(), "ada".to_owned());
        let (conversation, ben) = (ConversationId::new(), UserId::new());
        let marks = |received, read| vec![(ben, Marks { received, read, ..Marks::default() })];
        lines.marks(conversation, &marks(18, 1));
        lines.receipts(conversation, &marks(15, 1));
        lines.receipts(conversation, &marks(15, 2));
        let said = lines.recorder.history().lines().iter().map(|line| line.event.clone()).collect::<Vec<_>>();
        let line = |received, read| Line::Marks { conversation, user: ben, received, read };
        assert_eq!(said, [line(18, 1), line(18, 2)]);
    }

    /// What is said when a client that held up to 40 begins anew at 60, and this could be read of what lies between.
    fn said(readable: &[(u64, Option<u64>)]) -> Vec<Line> {
        let mut lines = Lines::new(Recorder::default(), "ada".to_owned());
        let conversation = ConversationId::new();
        let range = |low, have| Range { low: Seq(low), have: Seq(have) };
        let known = Known { range: Some(range(1, 40)), readable: readable.to_vec(), ..Known::default() };
        lines.known.insert(conversation, known);
        lines.extent(conversation, range(60, 59));
        lines.recorder.history().lines().iter().map(|line| line.event.clone()).collect()
    }

    #[test]
    fn who_skips_what_could_be_read_forgets() {
        let forgot = |said: Vec<Line>| matches!(said[..], [Line::Forgot { .. }]);
        assert!(forgot(said(&[(1, Some(40)), (50, Some(55)), (60, None)])));
        assert!(forgot(said(&[(1, Some(41)), (60, None)])));
        assert!(forgot(said(&[(1, None)])));
        assert!(said(&[(1, Some(40)), (60, None)]).is_empty(), "a rejoin: between lies nothing to be had");
    }

    #[test]
    fn who_is_started_without_what_was_held_forgets() {
        let conversation = ConversationId::new();
        let mut lines = Lines::new(Recorder::default(), "ada".to_owned());
        lines.extent(conversation, Range { low: Seq(9), have: Seq(8) });
        lines.extent(conversation, Range { low: Seq(9), have: Seq(8) });
        let said: Vec<_> = lines.recorder.history().lines().iter().map(|line| line.event.clone()).collect();
        assert_eq!(said, [Line::Forgot { conversation }]);
    }
}
