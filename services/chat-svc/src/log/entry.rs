//! Entries, and what the appender remembers of them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use parlor_types::{ConversationId, Op, Seq, UserId};

use crate::conversation::{Content, Ranges, Withheld};

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its place.
    pub seq: Seq,
    /// Messages up to and including it.
    pub number: u64,
    /// The sender's name for it.
    pub op: Op,
    /// Who appended it.
    pub sender: UserId,
    /// When, in whole milliseconds.
    pub time: SystemTime,
    /// The entry it changes.
    pub target: Option<Seq>,
    /// The latest entry that changed its content.
    pub rev: Seq,
    /// The entry it answers.
    pub reply_to: Option<Seq>,
    /// The first entry of its thread.
    pub thread_root: Option<Seq>,
    /// Whom it calls by name.
    pub mentions: Vec<UserId>,
    /// The app's own marks.
    pub labels: BTreeMap<String, String>,
    /// What it says.
    pub content: Content,
}

impl Entry {
    /// The entry for somebody from whom its content is kept for good: its place, its sender, and why. One who was no member
    /// does not learn which message it is about either.
    #[must_use]
    pub fn withheld(&self, why: Withheld) -> Self {
        let target = self.target.filter(|_| why != Withheld::NotMember);
        Self {
            target,
            rev: Seq(0),
            reply_to: None,
            thread_root: None,
            mentions: Vec::new(),
            labels: BTreeMap::new(),
            content: Content::Withheld(why),
            ..self.clone()
        }
    }
}

impl Entry {
    /// The message for somebody from whom its latest edit is kept: what it says was said within a block. A later change may
    /// let it be seen again.
    #[must_use]
    pub fn withheld_by_edit(&self) -> Self {
        Self { rev: self.rev, ..self.withheld(Withheld::SenderBlocked) }
    }

    /// As `ranges` let it be seen by one who has blocked nobody.
    #[must_use]
    pub fn seen(self, ranges: &Ranges) -> Self {
        if ranges.shows(self.target, self.rev) {
            return self;
        }
        // A message that was changed out of their sight stays a message, and what they hold of it gives way; the place of the
        // change is not theirs to know.
        let rev = if self.target.is_none() { self.seq } else { Seq(0) };
        Self { rev, ..self.withheld(Withheld::NotMember) }
    }

    /// Says what `edit` made of it.
    pub fn edit(&mut self, edit: &Self) {
        if let Content::Edit(text) = &edit.content
            && self.content.text_kind().is_some()
        {
            self.content = self.content.clone().edited(text);
            self.mentions.clone_from(&edit.mentions);
            self.rev = edit.seq;
        }
    }

    /// Says nothing any more: `delete` has taken it away, or the message that it edited.
    pub fn clear(&mut self, delete: &Self) {
        self.reply_to = None;
        self.thread_root = None;
        self.mentions.clear();
        self.labels.clear();
        self.content = Content::Deleted(delete.sender);
        self.rev = delete.seq;
    }
}

/// Tells appends with the same op and other content apart: the first 16 bytes of SHA-256 over the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// Of an append whose content was deleted: with it goes what short texts could be guessed from.
    pub const CLEARED: Self = Self([0; 16]);

    /// Whether an append with the digest `sent` may be the one that this is kept of.
    #[must_use]
    pub fn fits(self, sent: Self) -> bool {
        self == sent || self == Self::CLEARED
    }
}

/// What dedupe needs of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpRow {
    /// Its place.
    pub seq: Seq,
    /// Its message number.
    pub number: u64,
    /// When it was stored.
    pub time: SystemTime,
    /// Who appended it.
    pub sender: UserId,
    /// The sender's name for it.
    pub op: Op,
    /// What was asked for.
    pub digest: Digest,
}

/// The append is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its place.
    pub seq: Seq,
    /// Its message number.
    pub number: u64,
    /// When it was stored.
    pub time: SystemTime,
    /// By an earlier send of the same append.
    pub duplicate: bool,
}

impl OpRow {
    /// The answer to the append that made this row.
    #[must_use]
    pub fn appended(&self, conversation: ConversationId, duplicate: bool) -> Appended {
        Appended { conversation, seq: self.seq, number: self.number, time: self.time, duplicate }
    }
}
