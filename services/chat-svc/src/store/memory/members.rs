//! What members have of a conversation, in memory.

use async_trait::async_trait;
use parlor_types::{ConversationId, UserId};

use super::people::Accounts;
use super::{All, Conversation, MemoryStore};
use crate::conversation::Ranges;
use crate::people::{Tie, Visibility};
use crate::receipts::{Sight, TimedMarks};
use crate::store::members::lists;
use crate::store::{Commit, Done, Listed, Marked, Members, NewMarks, Raised, ReadError, Receipts};

impl All {
    fn mark(&mut self, new: &NewMarks) -> Marked {
        let next = self.commit + 1;
        let shares_read = self.accounts.privacy(new.user).0.read_receipts;
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
        let risen = reader.progress.raise(new.marks, shares_read, new.at);
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
        let others = if risen.shown { conversation.others(&self.accounts, new.user) } else { Vec::new() };
        Marked::Now(own, Some(Raised { commit: Commit(next), others }))
    }
}

impl Conversation {
    /// Who is told how far this member is: the others, but for those the member has blocked.
    fn others(&self, accounts: &Accounts, user: UserId) -> Vec<UserId> {
        let members = &self.state.members;
        if !lists(members.len()) || !members.contains_key(&user) {
            return Vec::new();
        }
        let others = members.keys().copied();
        others.filter(|other| *other != user && !accounts.blocks(user, *other)).collect()
    }

    /// Whether somebody else's marks rose, as `user` sees them.
    pub(super) fn has_receipts(&self, accounts: &Accounts, user: UserId, since: Commit) -> bool {
        let members = &self.state.members;
        let rose = |other: &UserId| {
            let rose = self.readers.get(other).is_some_and(|reader| reader.shown > since.0);
            rose && *other != user && !accounts.blocks(*other, user)
        };
        lists(members.len()) && members.contains_key(&user) && members.keys().any(rose)
    }

    pub(super) fn listed(&self, accounts: &Accounts, reader: UserId) -> Vec<Listed> {
        if !lists(self.state.members.len()) {
            return Vec::new();
        }
        let members = self.state.members.iter().map(|(user, member)| Listed {
            user: *user,
            member: *member,
            marks: self.marks(accounts, reader, *user),
        });
        members.collect()
    }

    /// How far `user` is, as `reader` may know it.
    fn marks(&self, accounts: &Accounts, reader: UserId, user: UserId) -> TimedMarks {
        let progress = self.readers.get(&user).map(|found| found.progress).unwrap_or_default();
        if reader == user {
            return progress.own;
        }
        let blocked = accounts.blocks(reader, user) || accounts.blocks(user, reader);
        let tie = if blocked { Tie::Blocked } else { Tie::Close };
        let (theirs, own) = (accounts.privacy(user).0, accounts.privacy(reader).0);
        let times = Visibility::of(&own, &theirs, tie).last_seen;
        progress.shown.seen(Sight { read: own.read_receipts, times, below: None })
    }

    fn receipts(
        &self,
        accounts: &Accounts,
        id: ConversationId,
        reader: UserId,
        users: &[UserId],
    ) -> Option<Receipts> {
        let members = &self.state.members;
        if !lists(members.len()) || !members.contains_key(&reader) {
            return None;
        }
        let wanted = members.keys().filter(|user| users.contains(user));
        let members = wanted.map(|user| (*user, self.marks(accounts, reader, *user))).collect();
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
        let found = wanted
            .iter()
            .filter_map(|(id, users)| all.conversations.get(id)?.receipts(&all.accounts, *id, reader, users));
        Ok(found.collect())
    }
}
