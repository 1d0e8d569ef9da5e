//! What members have of a conversation, in memory.

use async_trait::async_trait;
use parlor_types::{ConversationId, UserId};

use super::{All, Conversation, MemoryStore};
use crate::conversation::Ranges;
use crate::receipts::TimedMarks;
use crate::store::members::lists;
use crate::store::{Commit, Done, Listed, Marked, Members, NewMarks, Raised, ReadError, Receipts};

impl All {
    fn mark(&mut self, new: &NewMarks) -> Marked {
        let next = self.commit + 1;
        let Some(conversation) = self.conversations.get_mut(&new.conversation) else {
            return Marked::NotFound;
        };
        let head = conversation.state.head;
        let number = conversation.number_at(new.marks.read);
        let Some(reader) = conversation.readers.get_mut(&new.user) else { return Marked::NotFound };
        let Some(ranges) = Ranges::new(reader.ranges.clone()) else { return Marked::NotFound };
        if new.marks.received.max(new.marks.read) > ranges.head(head) {
            return Marked::Ahead;
        }
        let risen = reader.progress.raise(new.marks, true, new.at);
        let own = reader.progress.own;
        if !risen.any() {
            return Marked::Now(own, None);
        }
        self.commit = next;
        if risen.read {
            reader.read_number = number;
        }
        if risen.own {
            reader.changed = next;
        }
        if risen.shown {
            reader.shown = next;
        }
        let others = if risen.shown { conversation.others(new.user) } else { Vec::new() };
        Marked::Now(own, Some(Raised { commit: Commit(next), others }))
    }
}

impl Conversation {
    /// The members who are told how far this one is.
    fn others(&self, user: UserId) -> Vec<UserId> {
        let members = &self.state.members;
        if !lists(members.len()) || !members.contains_key(&user) {
            return Vec::new();
        }
        members.keys().copied().filter(|other| *other != user).collect()
    }

    /// Whether somebody else's marks rose, as `user` sees them.
    pub(super) fn has_receipts(&self, user: UserId, since: Commit) -> bool {
        let rose = |other: &UserId| self.readers.get(other).is_some_and(|reader| reader.shown > since.0);
        self.others(user).iter().any(rose)
    }

    pub(super) fn listed(&self, reader: UserId) -> Vec<Listed> {
        if !lists(self.state.members.len()) {
            return Vec::new();
        }
        let members = self.state.members.iter();
        members
            .map(|(user, member)| Listed { user: *user, member: *member, marks: self.marks(reader, *user) })
            .collect()
    }

    /// How far `user` is, as `reader` may know it.
    fn marks(&self, reader: UserId, user: UserId) -> TimedMarks {
        let progress = self.readers.get(&user).map(|found| found.progress).unwrap_or_default();
        if reader == user { progress.own } else { progress.shown }
    }

    fn receipts(&self, id: ConversationId, reader: UserId, users: &[UserId]) -> Option<Receipts> {
        let members = &self.state.members;
        if !lists(members.len()) || !members.contains_key(&reader) {
            return None;
        }
        let wanted = members.keys().filter(|user| users.contains(user));
        let members = wanted.map(|user| (*user, self.marks(reader, *user))).collect();
        Some(Receipts { conversation: id, members })
    }
}

#[async_trait]
impl Members for MemoryStore {
    fn mark(&self, marks: Vec<NewMarks>, done: Done<Vec<Marked>>) {
        let mut all = self.all();
        done(Ok(marks.iter().map(|new| all.mark(new)).collect()));
    }

    async fn receipts(
        &self,
        reader: UserId,
        wanted: Vec<(ConversationId, Vec<UserId>)>,
    ) -> Result<Vec<Receipts>, ReadError> {
        let all = self.all();
        let found =
            wanted.iter().filter_map(|(id, users)| all.conversations.get(id)?.receipts(*id, reader, users));
        Ok(found.collect())
    }
}
