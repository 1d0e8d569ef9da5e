//! One log in one life of the store, put together from what everybody saw of it.

use std::collections::{BTreeMap, HashMap};

use parlor_types::{ConversationId, Op, UserId};

use super::{Evidence, Guarantee, Report};
use crate::Seen;
use crate::stretches::Stretches;

/// Which log: the life of the store, counted in the order in which they were heard of, and the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    pub life: u32,
    pub conversation: ConversationId,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Log<'a> {
    pub entries: BTreeMap<u64, Known<'a>>,
    /// Where each op was seen.
    pub ops: HashMap<Op, Vec<u64>>,
    /// What was said to be stored, with the line that said so first.
    pub acked: BTreeMap<u64, usize>,
    /// What each client said in the end that it holds.
    pub held: Vec<Held<'a>>,
    /// What each client took in.
    pub taken_in: HashMap<u32, Stretches>,
    /// What each user may read, by the last line that said so.
    pub readable: HashMap<UserId, Readable>,
}

/// An entry.
#[derive(Debug)]
pub struct Known<'a> {
    /// As it was seen first.
    pub first: &'a Seen,
    /// Where that was.
    pub at: Evidence,
    /// What it says at each rev.
    contents: Vec<(u64, &'a str, Evidence)>,
    /// It was withheld from somebody.
    pub withheld: bool,
}

/// What a client said that it holds.
#[derive(Debug)]
pub struct Held<'a> {
    pub line: usize,
    pub client: u32,
    pub name: &'a str,
    pub user: Option<UserId>,
    pub ranges: Stretches,
    pub whole: bool,
}

/// What a user may read.
#[derive(Debug)]
pub struct Readable {
    pub line: usize,
    pub ranges: Stretches,
}

impl<'a> Log<'a> {
    /// Somebody saw an entry. All who do must see the same (G3).
    pub fn saw(&mut self, id: LogId, seen: &'a Seen, at: Evidence, report: &mut Report) {
        let Some(known) = self.entries.get_mut(&seen.seq) else {
            self.ops.entry(seen.op).or_default().push(seen.seq);
            let contents = seen.content.iter().map(|content| (seen.rev, content.as_str(), at)).collect();
            let withheld = seen.content.is_none();
            self.entries.insert(seen.seq, Known { first: seen, at, contents, withheld });
            return;
        };
        let (conversation, seq, first) = (id.conversation, seen.seq, known.first);
        if (first.op, first.sender) != (seen.op, seen.sender) {
            let what = format!(
                "{seq} of {conversation} is {} of {} to one and {} of {} to another",
                first.op, first.sender, seen.op, seen.sender
            );
            report.broken(Guarantee::G3, what, [known.at, at]);
            return;
        }
        let Some(content) = seen.content.as_deref() else {
            known.withheld = true;
            return;
        };
        match known.contents.iter().find(|(rev, ..)| *rev == seen.rev) {
            Some((_, same, _)) if *same == content => {}
            Some((rev, other, before)) => {
                let what = format!(
                    "{seq} of {conversation} says {other:?} to one and {content:?} to another, at rev {rev}"
                );
                report.broken(Guarantee::G3, what, [*before, at]);
            }
            None => known.contents.push((seen.rev, content, at)),
        }
    }

    /// The highest seq that anybody knew of before this line.
    pub fn head_before(&self, line: usize) -> u64 {
        let seen = self.entries.iter().rev().find(|(_, known)| known.at.line < line);
        let acked = self.acked.iter().rev().find(|(_, at)| **at < line);
        seen.map_or(0, |(seq, _)| *seq).max(acked.map_or(0, |(seq, _)| *seq))
    }
}

impl Known<'_> {
    /// What it says unchanged, if somebody saw it so.
    pub fn original(&self) -> Option<&str> {
        self.contents.iter().find(|(rev, ..)| *rev == 0).map(|(_, content, _)| *content)
    }
}
