//! G6: what is said to be unread is what one counts in the log.

use std::collections::HashMap;
use std::ops::Bound;

use super::index::Index;
use super::log::{Log, LogId};
use super::{Evidence, Guarantee, Report};
use crate::Event;

pub fn check(index: &Index<'_>, report: &mut Report) {
    let mut counts: HashMap<LogId, Counts> = HashMap::new();
    for (at, line) in index.lines.iter().enumerate() {
        let Event::Unread { conversation, head, read, messages } = &line.event else { continue };
        let id = index.log_id(at, *conversation);
        let Some(log) = index.logs.get(&id) else { continue };
        let counts = counts.entry(id).or_insert_with(|| Counts::of(log));
        let Some(there) = counts.between(*read, *head).filter(|there| there != messages) else { continue };
        let name = &line.client;
        let what = format!(
            "{name} was told of {messages} unread of {conversation} between {read} and {head}: there are {there}"
        );
        let above = log.entries.range((Bound::Excluded(*read), Bound::Included(*head)));
        let unread = above.filter(|(_, known)| known.first.message).map(|(_, known)| known.at);
        report.broken(Guarantee::G6, what, unread.chain([Evidence::from(at)]));
    }
}

/// How many there are up to each entry of a log, so that long stretches are not counted again and again.
struct Counts {
    /// Seq, messages up to it, entries up to it that somebody saw without their content.
    up_to: Vec<(u64, u64, u64)>,
}

impl Counts {
    fn of(log: &Log<'_>) -> Self {
        let (mut messages, mut withheld) = (0, 0);
        let up_to = log.entries.iter().map(|(seq, known)| {
            messages += u64::from(known.first.message);
            withheld += u64::from(known.withheld);
            (*seq, messages, withheld)
        });
        Self { up_to: up_to.collect() }
    }

    /// The messages above `read` and up to `head`. None if that cannot be said: nobody saw one of them, or somebody saw
    /// it without its content.
    fn between(&self, read: u64, head: u64) -> Option<u64> {
        let count = |to: u64| {
            let entries = self.up_to.partition_point(|(seq, ..)| *seq <= to);
            let last = entries.checked_sub(1).map_or((0, 0, 0), |last| self.up_to[last]);
            (entries as u64, last.1, last.2)
        };
        let (entries, messages, withheld) = count(head);
        let (entries_before, messages_before, withheld_before) = count(read);
        let are_known = head.checked_sub(read)? == entries.checked_sub(entries_before)?;
        (are_known && withheld == withheld_before).then(|| messages - messages_before)
    }
}
