//! The store in memory: the model that others are compared with, and what tests of the rest run on. Nothing survives.

mod changes;
mod media;
mod members;
mod people;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use parlor_types::{ConversationId, Seq, UserId};

use self::people::Accounts;
use super::members::lists;
use super::{
    AppendError, Batch, Changed, Commit, Done, Generation, NewEntry, Order, Page, ReadError, Row, Slice,
    Snapshot, Store, Stored, load_after,
};
use crate::conversation::{Change, Content, Range, Ranges, Settings, State, Target};
use crate::log::{Entry, OpRow};
use crate::preferences::Preferences;
use crate::receipts::{Marks, Progress};

/// See the module.
#[derive(Debug)]
pub struct MemoryStore {
    generation: Generation,
    all: Mutex<All>,
}

#[derive(Debug, Clone, Default)]
struct All {
    commit: u64,
    conversations: HashMap<ConversationId, Conversation>,
    accounts: Accounts,
}

#[derive(Debug, Clone)]
struct Conversation {
    state: State,
    entries: Vec<NewEntry>,
    readers: BTreeMap<UserId, Reader>,
    activity: u64,
    /// The entry that gave the group its picture; 0 for none.
    avatar: Seq,
}

#[derive(Debug, Clone, Default)]
struct Reader {
    ranges: Vec<Range>,
    progress: Progress,
    read_number: u64,
    changed: u64,
    preferences: Preferences,
    /// Messages whose content is kept from them, each with the commit of the block.
    withheld: BTreeMap<Seq, Commit>,
    /// The marks as they were when they first rose within a block, for each user blocked, with the commit of the block.
    frozen: BTreeMap<UserId, (Commit, Marks)>,
    /// The commit that last raised what others are shown.
    shown: u64,
    /// The commit that ended the membership.
    closed: u64,
    /// Name, settings and picture when the membership ended.
    last: Option<(String, Settings, Seq)>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { generation: Generation(uuid::Uuid::new_v4()), all: Mutex::default() }
    }
}

impl MemoryStore {
    /// What a backup of it brings back: all that it holds now, in a life of its own.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { all: Mutex::new(self.all().clone()), ..Self::default() }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    fn append(&mut self, batch: &Batch) -> Result<Stored, AppendError> {
        let head = self.conversations.get(&batch.conversation).map_or(Seq(0), |found| found.state.head);
        if head != batch.after {
            return Err(AppendError::Conflict);
        }
        self.commit += 1;
        let mut stored = Stored { commit: Commit(self.commit), ..Stored::default() };
        for new in &batch.entries {
            if let Content::Created { kind, name, members, settings } = &new.entry.content {
                let (state, _) =
                    State::created(new.entry.sender, *kind, name.clone(), members, *settings, new.entry.time);
                let readers = BTreeMap::new();
                let created =
                    Conversation { state, entries: Vec::new(), readers, activity: 0, avatar: Seq(0) };
                self.conversations.insert(batch.conversation, created);
            }
            let Some(conversation) = self.conversations.get_mut(&batch.conversation) else {
                return Err(AppendError::Conflict);
            };
            conversation.push(new, self.commit);
            let from = conversation.withhold(&new.entry, &self.accounts);
            stored.returned.extend(conversation.bring_back(&new.entry, &from));
            if !from.is_empty() {
                stored.withheld.push((new.entry.seq, from));
            }
            if let Some(about) = new.entry.target {
                let (not_members, told) = conversation.change(&new.entry, about, &mut stored.released);
                stored.returned.extend(told);
                if !not_members.is_empty() {
                    stored.not_members.push((new.entry.seq, not_members));
                }
            }
        }
        stored.returned.sort();
        stored.returned.dedup();
        Ok(stored)
    }
}

impl Conversation {
    fn push(&mut self, new: &NewEntry, commit: u64) {
        let entry = &new.entry;
        if entry.seq > Seq::FIRST {
            self.state.apply(entry.sender, &entry.content, entry.time);
        }
        for change in &new.changes {
            match change {
                Change::Opened { user, from, .. } => {
                    let reader = self.readers.entry(*user).or_default();
                    reader.ranges.push(Range { from: *from, to: None });
                    reader.progress = Progress::joined(entry.seq);
                    reader.read_number = entry.number;
                    reader.preferences = reader.preferences.after_reading();
                    reader.changed = commit;
                    reader.last = None;
                }
                Change::Closed { user } => {
                    let reader = self.readers.entry(*user).or_default();
                    for range in reader.ranges.iter_mut().filter(|range| range.to.is_none()) {
                        range.to = Some(entry.seq);
                    }
                    (reader.changed, reader.closed) = (commit, commit);
                    reader.last = Some((self.state.name.clone(), self.state.settings, self.avatar));
                }
                Change::Avatar(set) => self.avatar = if *set { entry.seq } else { Seq(0) },
                Change::Role { .. } | Change::Name(_) | Change::Settings(_) => {}
            }
        }
        if entry.content.is_message()
            && let Some(reader) = self.readers.get_mut(&entry.sender)
        {
            reader.progress.wrote(entry.seq, entry.time);
            reader.read_number = entry.number;
        }
        self.entries.push(new.clone());
        self.activity = commit;
    }

    /// Withholds a message, or the edit of one, from those present members who have blocked its sender; gives them.
    fn withhold(&mut self, entry: &Entry, accounts: &people::Accounts) -> Vec<UserId> {
        if !entry.content.is_message() && !matches!(entry.content, Content::Edit(_)) {
            return Vec::new();
        }
        let present = self.state.members.keys().copied();
        let blocks = |user| accounts.block(user, entry.sender).map(|block| (user, block));
        let from: Vec<(UserId, Commit)> = present.filter_map(blocks).collect();
        for (user, block) in &from {
            self.readers.entry(*user).or_default().withheld.insert(entry.seq, *block);
        }
        from.into_iter().map(|(user, _)| user).collect()
    }

    fn entry(&self, seq: Seq) -> Option<&Entry> {
        let index = usize::try_from(seq.0).ok()?.checked_sub(1)?;
        self.entries.get(index).map(|new| &new.entry)
    }

    fn number_at(&self, seq: Seq) -> u64 {
        self.entry(seq).map_or(0, |entry| entry.number)
    }

    fn row(&self, accounts: &Accounts, id: ConversationId, user: UserId) -> Option<Row> {
        let reader = self.readers.get(&user)?;
        let ranges = Ranges::new(reader.ranges.clone())?;
        let head = ranges.head(self.state.head);
        let readable = |seq: Seq| seq <= head && ranges.contains(seq) && !reader.withheld.contains_key(&seq);
        let last = self.last_message(reader, &ranges);
        let shown = self.entries.iter().rev().map(|new| &new.entry).find(|entry| readable(entry.seq))?;
        let above = reader.progress.own.marks.read.next();
        let withheld =
            reader.withheld.range(above..).filter(|(seq, _)| **seq <= head && self.is_message(**seq)).count();
        let present = self.state.members.contains_key(&user);
        let now = (self.state.name.clone(), self.state.settings, self.avatar);
        let (name, settings, _) = reader.last.clone().unwrap_or(now);
        Some(Row {
            id,
            kind: self.state.kind,
            name,
            settings,
            avatar: self.avatar(user),
            members: if present && lists(self.state.members.len()) {
                self.listed(accounts, user)
            } else {
                Vec::new()
            },
            member_count: if present { self.state.members.len() } else { 0 },
            head,
            number: self.number_at(head),
            last_message: last.map(|entry| reader.sees(entry, &ranges)),
            marks: reader.progress.own,
            unread: self.number_at(head).saturating_sub(reader.read_number + withheld as u64),
            unread_mentions: self.unread_mentions(user, reader, &ranges),
            preferences: reader.preferences.clone(),
            ranges,
            created: self.entry(Seq::FIRST)?.time,
            active: shown.time,
        })
    }

    fn page(&self, user: UserId, slice: Slice) -> Option<Page> {
        let reader = self.readers.get(&user)?;
        let ranges = Ranges::new(reader.ranges.clone())?;
        let mut filling = slice.page(ranges.head(self.state.head));
        for piece in slice.pieces(&ranges, self.state.head) {
            if !filling.begins(piece) {
                break;
            }
            let seqs: Vec<u64> = match slice.order {
                Order::Ascending => (piece.from.0..=piece.to.0).collect(),
                Order::Descending => (piece.from.0..=piece.to.0).rev().collect(),
            };
            for entry in seqs.into_iter().filter_map(|seq| self.entry(Seq(seq))) {
                if !filling.takes(entry.seq) {
                    break;
                }
                filling.push(reader.sees(entry, &ranges), crate::edge::stored_body(entry).len());
            }
        }
        Some(filling.done())
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn generation(&self) -> Generation {
        self.generation
    }

    fn append(&self, batch: Arc<Batch>, done: Done<Stored>) {
        // Told under the lock: in the order of commits.
        let mut all = self.all();
        done(all.append(&batch));
    }

    async fn load(&self, conversation: ConversationId, after: Seq) -> Result<Option<Snapshot>, ReadError> {
        Ok(self.all().conversations.get(&conversation).map(|found| {
            let before = load_after(found.state.head, after);
            let rows = found.entries.iter().map(NewEntry::row).filter(|row| row.seq > before).collect();
            Snapshot { state: found.state.clone(), before, rows }
        }))
    }

    async fn targets(
        &self,
        conversation: ConversationId,
        wanted: Vec<(UserId, Seq)>,
    ) -> Result<Vec<Option<Target>>, ReadError> {
        let all = self.all();
        let target = |(user, seq): &(UserId, Seq)| all.conversations.get(&conversation)?.target(*user, *seq);
        Ok(wanted.iter().map(target).collect())
    }

    async fn first(&self, conversation: ConversationId) -> Result<Option<OpRow>, ReadError> {
        let all = self.all();
        Ok(all.conversations.get(&conversation).and_then(|found| found.entries.first()).map(NewEntry::row))
    }

    async fn changed(&self, user: UserId, since: Commit) -> Result<(Commit, Vec<Changed>), ReadError> {
        let all = self.all();
        let mut found: Vec<Changed> = Vec::new();
        for (id, conversation) in &all.conversations {
            let Some(reader) = conversation.readers.get(&user) else { continue };
            let present = conversation.state.members.contains_key(&user);
            let news =
                conversation.activity > since.0 || conversation.has_receipts(&all.accounts, user, since);
            if reader.changed > since.0 || (present && news) {
                let activity = if present { conversation.activity } else { reader.closed };
                found.push(Changed { id: *id, activity: Commit(activity) });
            }
        }
        found.sort_by_key(|changed| (std::cmp::Reverse(changed.activity), changed.id));
        Ok((Commit(all.commit), found))
    }

    async fn rows(&self, user: UserId, conversations: Vec<ConversationId>) -> Result<Vec<Row>, ReadError> {
        let all = self.all();
        Ok(conversations
            .iter()
            .filter_map(|id| all.conversations.get(id)?.row(&all.accounts, *id, user))
            .collect())
    }

    async fn read(
        &self,
        user: UserId,
        conversation: ConversationId,
        slice: Slice,
    ) -> Result<Option<Page>, ReadError> {
        Ok(self.all().conversations.get(&conversation).and_then(|found| found.page(user, slice)))
    }

    async fn audience(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Vec<UserId>>, ReadError> {
        let all = self.all();
        let found = all.conversations.get(&conversation).map(|found| &found.state.members);
        let Some(members) = found.filter(|members| members.contains_key(&user)) else { return Ok(None) };
        let shown = lists(members.len());
        let blocked = |other| all.accounts.blocks(user, other) || all.accounts.blocks(other, user);
        let others = members.keys().copied().filter(|other| *other != user && !blocked(*other));
        Ok(Some(if shown { others.collect() } else { Vec::new() }))
    }

    async fn seq_at(&self, conversation: ConversationId, time: SystemTime) -> Result<Seq, ReadError> {
        let all = self.all();
        let Some(found) = all.conversations.get(&conversation) else { return Ok(Seq::FIRST) };
        let earlier = found.entries.iter().take_while(|new| new.entry.time < time).count();
        Ok(Seq(earlier as u64 + 1))
    }

    async fn memberships(&self, users: Vec<UserId>) -> Result<Vec<usize>, ReadError> {
        let all = self.all();
        let count = |user: &UserId| {
            all.conversations.values().filter(|found| found.state.members.contains_key(user)).count()
        };
        Ok(users.iter().map(count).collect())
    }
}
