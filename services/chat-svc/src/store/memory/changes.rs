//! Edits and deletes, in memory.

use parlor_types::{MediaId, Op, Seq, UserId};

use super::{Conversation, Reader};
use crate::conversation::{Content, Ranges, Target, Withheld};
use crate::log::{Digest, Entry};

impl Reader {
    /// Whether a block keeps from them what an entry says now.
    pub(super) fn is_kept(&self, entry: &Entry) -> bool {
        self.withheld.contains_key(&entry.seq) || self.withheld.contains_key(&entry.rev)
    }

    /// An entry as they see it.
    pub(super) fn sees(&self, entry: &Entry, ranges: &Ranges) -> Entry {
        if self.withheld.contains_key(&entry.seq) {
            entry.withheld(Withheld::SenderBlocked)
        } else if self.is_kept(entry) {
            entry.withheld_by_edit()
        } else {
            entry.clone().seen(ranges)
        }
    }
}

impl Conversation {
    /// Whether it was a message when it came.
    pub(super) fn is_message(&self, seq: Seq) -> bool {
        self.number_at(seq) > self.number_at(seq.previous())
    }

    /// The newest message that the reader may read.
    pub(super) fn last_message(&self, reader: &Reader, ranges: &Ranges) -> Option<&Entry> {
        let head = ranges.head(self.state.head);
        let mut newest = self.entries.iter().rev().map(|new| &new.entry);
        newest.find(|entry| {
            let seq = entry.seq;
            self.is_message(seq) && seq <= head && ranges.contains(seq) && !reader.withheld.contains_key(&seq)
        })
    }

    /// Applies a change that is stored already; gives the present members who may not read the message, and those whose
    /// row is another by it. To `released` go the files that are named no more.
    pub(super) fn change(
        &mut self,
        change: &Entry,
        about: Seq,
        released: &mut Vec<(Op, Vec<MediaId>)>,
    ) -> (Vec<UserId>, Vec<UserId>) {
        let before = self.counts();
        for new in self.entries.iter_mut().filter(|new| new.entry.seq < change.seq) {
            let entry = &mut new.entry;
            match change.content {
                Content::Delete if entry.seq == about || entry.target == Some(about) => {
                    let named = entry.content.media_ids();
                    if !named.is_empty() {
                        released.push((entry.op, named));
                    }
                    entry.clear(change);
                    new.digest = Digest::CLEARED;
                }
                Content::Edit(_) if entry.seq == about => entry.edit(change),
                _ => {}
            }
        }
        let (mut not_members, mut told) = (Vec::new(), Vec::new());
        for ((user, mentions), (_, mentions_now)) in before.into_iter().zip(self.counts()) {
            let Some(reader) = self.readers.get(&user) else { continue };
            let Some(ranges) = Ranges::new(reader.ranges.clone()) else { continue };
            let last = self.last_message(reader, &ranges).is_some_and(|entry| entry.seq == about);
            if last || mentions != mentions_now {
                told.push(user);
            }
            if !ranges.contains(about) {
                not_members.push(user);
            }
        }
        (not_members, told)
    }

    /// The unread mentions of each present member.
    fn counts(&self) -> Vec<(UserId, u64)> {
        let count = |user: &UserId| {
            let reader = self.readers.get(user)?;
            let ranges = Ranges::new(reader.ranges.clone())?;
            Some((*user, self.unread_mentions(*user, reader, &ranges)))
        };
        self.state.members.keys().filter_map(count).collect()
    }

    /// A message as `user`, who wants to change it, may know it.
    pub(super) fn target(&self, user: UserId, place: Seq) -> Option<Target> {
        let readable = Ranges::new(self.readers.get(&user)?.ranges.clone())?.contains(place);
        let entry = self.entry(place).filter(|_| readable && self.is_message(place))?;
        if matches!(entry.content, Content::Deleted(_)) {
            return None;
        }
        let edits = self.entries.iter().filter(|new| new.entry.target == Some(place)).count();
        Some(Target { sender: entry.sender, time: entry.time, text: entry.content.text_kind(), edits })
    }
}
