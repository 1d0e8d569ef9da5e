//! What members have of a conversation, in memory.

use std::time::SystemTime;

use async_trait::async_trait;
use parlor_types::{ConversationId, Seq, UserId, limits};

use super::people::Accounts;
use super::{All, Conversation, MemoryStore, Reader};
use crate::conversation::Ranges;
use crate::log::Entry;
use crate::people::{Tie, Visibility};
use crate::preferences::Badge;
use crate::receipts::{Marks, Sight, TimedMarks};
use crate::store::members::lists;
use crate::store::{
    Commit, Done, Listed, Marked, Members, NewMarks, NewPreferences, Preferred, Raised, Reached, ReadError,
    Receipts,
};

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
        let before = reader.progress.shown.marks;
        let risen = reader.progress.raise(new.marks, shares_read, new.at);
        let own = reader.progress.own;
        if !risen.any() {
            return Marked::Now(own, None);
        }
        self.commit = next;
        if risen.read {
            reader.read_number = number;
            reader.preferences = reader.preferences.after_reading();
        }
        if risen.own {
            reader.changed = next;
        }
        if risen.shown {
            reader.shown = next;
            let blocked = conversation.state.members.keys();
            for (other, block) in
                blocked.filter_map(|other| Some((*other, self.accounts.block(new.user, *other)?)))
            {
                let frozen = reader.frozen.entry(other).or_insert((block, before));
                if frozen.0 != block {
                    *frozen = (block, before);
                }
            }
        }
        let others = if risen.shown { conversation.others(&self.accounts, new.user) } else { Vec::new() };
        Marked::Now(own, Some(Raised { commit: Commit(next), others }))
    }
}

impl All {
    fn prefer(&mut self, new: &NewPreferences) -> Preferred {
        let all = self.conversations.values();
        let own = all.filter_map(|found| found.readers.get(&new.user));
        let pinned = own.filter(|reader| reader.preferences.pinned_at.is_some()).count();
        let Some(conversation) = self.conversations.get_mut(&new.conversation) else {
            return Preferred::NotFound;
        };
        let head = conversation.state.head;
        let Some(reader) = conversation.readers.get_mut(&new.user) else { return Preferred::NotFound };
        let Some(ranges) = Ranges::new(reader.ranges.clone()) else { return Preferred::NotFound };
        if new.reply_to() > ranges.head(head) {
            return Preferred::Ahead;
        }
        let after = reader.preferences.with(&new.changes, new.at);
        if after == reader.preferences {
            return Preferred::Now(after, None);
        }
        if after.pinned_at.is_some() && reader.preferences.pinned_at.is_none() && pinned >= limits::MAX_PINNED
        {
            return Preferred::TooManyPinned;
        }
        self.commit += 1;
        reader.preferences = after.clone();
        reader.changed = self.commit;
        Preferred::Now(after, Some(Commit(self.commit)))
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
        let members = self.state.members.iter().map(|(user, member)| Listed {
            user: *user,
            member: *member,
            marks: self.marks(accounts, reader, *user),
        });
        members.collect()
    }

    /// How far `user` is, as `reader` may know it.
    fn marks(&self, accounts: &Accounts, reader: UserId, user: UserId) -> TimedMarks {
        let Some(found) = self.readers.get(&user) else { return TimedMarks::default() };
        if reader == user {
            return found.progress.own;
        }
        let blocked = accounts.blocks(reader, user) || accounts.blocks(user, reader);
        let tie = if blocked { Tie::Blocked } else { Tie::Close };
        let (theirs, own) = (accounts.privacy(user).0, accounts.privacy(reader).0);
        let times = Visibility::of(&own, &theirs, tie).last_seen;
        let block = accounts.block(user, reader);
        let sent = |seq: &Seq| self.entry(*seq).is_some_and(|entry| entry.sender == reader);
        let kept = found.withheld.iter().find(|(seq, during)| Some(**during) == block && sent(seq));
        let withheld = kept.map(|(seq, _)| *seq);
        let frozen = found.frozen.get(&reader).filter(|(during, _)| Some(*during) == block);
        let joined = self.state.members.get(&user).map_or(Seq(0), |member| member.joined);
        let most = Marks::shown_to_blocked(frozen.map(|(_, marks)| *marks), withheld, joined);
        found.progress.shown.seen(Sight { read: own.read_receipts, times, most })
    }

    /// Counted one by one.
    pub(super) fn unread_mentions(&self, user: UserId, reader: &Reader, ranges: &Ranges) -> u64 {
        let entries = self.entries.iter().map(|new| &new.entry);
        let mentions = entries.filter(|entry| {
            self.is_message(entry.seq)
                && entry.sender != user
                && entry.mentions.contains(&user)
                && entry.seq > reader.progress.own.marks.read
                && ranges.contains(entry.seq)
                && ranges.shows(None, entry.rev)
                && !reader.is_kept(entry)
        });
        mentions.count() as u64
    }

    /// A message has come; gives those whose preferences it changed.
    pub(super) fn bring_back(&mut self, entry: &Entry, withheld: &[UserId]) -> Vec<UserId> {
        if !entry.content.is_message() {
            return Vec::new();
        }
        let mut changed = Vec::new();
        for user in self.state.members.keys().filter(|user| !withheld.contains(user)) {
            let Some(reader) = self.readers.get_mut(user) else { continue };
            let mut after = reader.preferences.after_message(entry.time);
            if *user == entry.sender {
                after = after.after_reading();
            }
            if after != reader.preferences {
                changed.push(*user);
            }
            reader.preferences = after;
        }
        changed
    }

    fn reached(&self, accounts: &Accounts, reader: UserId, seq: Seq) -> Reached {
        let ranges = self.readers.get(&reader).and_then(|found| Ranges::new(found.ranges.clone()));
        let Some(ranges) = ranges.filter(|_| self.state.members.contains_key(&reader)) else {
            return Reached::NotFound;
        };
        match self.entry(seq) {
            _ if seq > ranges.head(self.state.head) => Reached::Ahead,
            Some(entry) if ranges.contains(seq) => {
                Reached::count(self.listed(accounts, reader), entry.sender, seq)
            }
            _ => Reached::Unreadable,
        }
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

    async fn reached(
        &self,
        reader: UserId,
        conversation: ConversationId,
        seq: Seq,
    ) -> Result<Reached, ReadError> {
        let all = self.all();
        let found = all.conversations.get(&conversation);
        Ok(found.map_or(Reached::NotFound, |found| found.reached(&all.accounts, reader, seq)))
    }

    fn prefer(&self, new: NewPreferences, done: Done<Preferred>) {
        let mut all = self.all();
        done(Ok(all.prefer(&new)));
    }

    async fn badge(&self, user: UserId, now: SystemTime) -> Result<Badge, ReadError> {
        let all = self.all();
        let rows = all.conversations.iter().filter_map(|(id, found)| found.row(&all.accounts, *id, user));
        let mut badge = Badge::default();
        for row in rows {
            badge.count(&row.preferences, row.unread, row.unread_mentions, now);
        }
        Ok(badge)
    }
}
