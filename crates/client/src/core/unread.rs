//! What is unread, between two rows of the chat list too.
//!
//! A row says how much was unread when it was made. From then on entries come and the read mark rises; both are known
//! here, so the number is derived each time it is looked at and never counted along, and cannot drift.

use parlor_types::{Id as _, Seq, UserId};
use parlor_wire::chat::v1::Entry;
use parlor_wire::chat::v1::content::Kind;

use super::range::Range;

/// What an entry counts for whoever has not read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing: it is no message, or what it said is withheld.
    Nothing,
    /// A message.
    Message,
    /// A message that calls the reader by name.
    Mention,
}

impl Weight {
    /// The weight of `entry` for `reader`.
    #[must_use]
    pub fn of(entry: &Entry, reader: UserId) -> Self {
        if !entry.kind().is_some_and(|kind| was_message(entry, kind)) {
            Self::Nothing
        } else if entry.mention_ids.iter().any(|id| UserId::parse(id) == Some(reader)) {
            Self::Mention
        } else {
            Self::Message
        }
    }
}

/// What was deleted stays unread until it is read past, and so does a message that a change withholds. Of a message withheld
/// from the first there is no rev.
fn was_message(entry: &Entry, kind: &Kind) -> bool {
    match kind {
        Kind::Deleted(_) => entry.target == 0,
        Kind::Withheld(_) => entry.target == 0 && entry.rev > 0,
        kind => kind.is_message(),
    }
}

/// Unread messages, and those of them that call the reader by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// All of them.
    pub messages: u64,
    /// Those with a mention.
    pub mentions: u64,
}

/// What the number is derived from.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The row's own number.
    pub row: Unread,
    /// The row's head.
    pub row_head: Seq,
    /// The row's read mark.
    pub row_read: Seq,
    /// The read mark now: the highest of what the server said, what the log shows and what the app asked for.
    pub read: Seq,
    /// What is held.
    pub range: Option<Range>,
}

impl Known {
    /// What is unread now. `held(above, to)` counts the messages that are saved with seqs `above < seq <= to`.
    ///
    /// # Errors
    /// Those of `held`.
    pub fn unread<E>(&self, held: impl Fn(Seq, Seq) -> Result<Unread, E>) -> Result<Unread, E> {
        let all = Seq(u64::MAX);
        if let Some(range) = self.range
            && range.have >= self.row_head
            && range.low <= self.read.next()
        {
            return held(self.read, range.have);
        }
        let come_since = held(self.row_head.max(self.read), all)?;
        if self.read >= self.row_head {
            return Ok(come_since);
        }
        let read_since = held(self.row_read, self.read.max(self.row_read))?;
        let now = |row: u64, read: u64, come: u64| row.saturating_sub(read).saturating_add(come);
        Ok(Unread {
            messages: now(self.row.messages, read_since.messages, come_since.messages),
            mentions: now(self.row.mentions, read_since.mentions, come_since.mentions),
        })
    }
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::{Content, Deleted, Text, Withheld};

    use super::*;

    /// Every entry of this log is a message, each third one a mention; the first held is `low`.
    fn unread(low: u64, have: u64, row: (u64, u64, u64), read: u64) -> u64 {
        let known = Known {
            row: Unread { messages: row.2, mentions: 0 },
            row_head: Seq(row.0),
            row_read: Seq(row.1),
            read: Seq(read),
            range: Some(Range { low: Seq(low), have: Seq(have) }),
        };
        let held = |above: Seq, to: Seq| -> Result<Unread, ()> {
            let messages = (low..=have).filter(|seq| (above.0 + 1..=to.0).contains(seq)).count() as u64;
            Ok(Unread { messages, mentions: 0 })
        };
        known.unread(held).unwrap().messages
    }

    #[test]
    fn what_is_held_is_counted() {
        assert_eq!(unread(1, 10, (10, 4, 6), 4), 6);
        assert_eq!(unread(1, 12, (10, 4, 6), 4), 8, "two came since the row");
        assert_eq!(unread(1, 12, (10, 4, 6), 11), 1, "and the mark rose");
        assert_eq!(unread(1, 12, (10, 4, 6), 12), 0);
        assert_eq!(unread(5, 12, (3, 0, 3), 4), 8, "an old row has no say in what is held");
    }

    #[test]
    fn what_is_not_held_is_taken_from_the_row() {
        assert_eq!(unread(101, 100, (100, 60, 33), 60), 33, "seven of them are no messages");
        assert_eq!(unread(101, 103, (100, 60, 33), 60), 36);
        assert_eq!(unread(101, 103, (100, 60, 33), 102), 1);
        assert_eq!(unread(1, 20, (50, 20, 30), 20), 30, "a row that is ahead of what is held");
        assert_eq!(unread(1, 20, (50, 15, 35), 18), 32);
    }

    #[test]
    fn only_messages_count_and_only_what_may_be_read() {
        let me = UserId::from_bytes([1; 16]);
        let entry = |kind, mention_ids| Entry {
            content: Some(Content { kind: Some(kind) }),
            mention_ids,
            ..Entry::default()
        };
        let text = || Kind::Text(Text { body: "x".into() });
        assert_eq!(Weight::of(&entry(text(), vec![]), me), Weight::Message);
        assert_eq!(Weight::of(&entry(text(), vec![me.to_string()]), me), Weight::Mention);
        let other = UserId::from_bytes([2; 16]).to_string();
        assert_eq!(Weight::of(&entry(text(), vec![other]), me), Weight::Message);
        let withheld = Kind::Withheld(Withheld::default());
        assert_eq!(Weight::of(&entry(withheld, vec![me.to_string()]), me), Weight::Nothing);
        let deleted = || Kind::Deleted(Deleted::default());
        assert_eq!(Weight::of(&entry(deleted(), vec![]), me), Weight::Message, "it stays unread");
        let of_edit = Entry { target: 3, ..entry(deleted(), vec![]) };
        assert_eq!(Weight::of(&of_edit, me), Weight::Nothing, "an edit was no message");
        let by_edit = Entry { rev: 3, ..entry(Kind::Withheld(Withheld::default()), vec![]) };
        assert_eq!(Weight::of(&by_edit, me), Weight::Message);
        assert_eq!(Weight::of(&Entry::default(), me), Weight::Nothing, "a kind of a later version");
    }
}
