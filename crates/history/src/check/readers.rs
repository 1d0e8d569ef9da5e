//! G3: who follows a log takes in one entry after the other, and so does who reads a page.

use std::collections::HashMap;

use parlor_types::UserId;

use super::index::Index;
use super::log::{Log, LogId};
use super::{Evidence, Guarantee, Report};
use crate::{Event, Seen};

pub fn check(index: &Index<'_>, report: &mut Report) {
    let mut last: HashMap<(u32, LogId), Evidence> = HashMap::new();
    for (at, line) in index.lines.iter().enumerate() {
        let (conversation, entries, follows) = match &line.event {
            Event::Applied { conversation, entries } => (conversation, entries, true),
            Event::Page { conversation, entries } => (conversation, entries, false),
            Event::Resumed { conversation, to, .. } => {
                let slot = (index.who[at].client, index.log_id(at, *conversation));
                last.insert(slot, Evidence { line: at, seq: Some(*to) });
                continue;
            }
            Event::Forgot { conversation } => {
                last.remove(&(index.who[at].client, index.log_id(at, *conversation)));
                continue;
            }
            _ => continue,
        };
        let id = index.log_id(at, *conversation);
        let slot = (index.who[at].client, id);
        let mut before = last.get(&slot).copied().filter(|_| follows);
        for entry in entries {
            let here = Evidence { line: at, seq: Some(entry.seq) };
            if let Some(before) = before
                && let Some(seq) = before.seq
                && !follows_on(index, id, index.who[at].user, seq, entry)
            {
                let what = format!("{} took in {} of {conversation} after {seq}", line.client, entry.seq);
                report.broken(Guarantee::G3, what, [before, here]);
            }
            before = Some(here);
        }
        if let Some(before) = before.filter(|_| follows) {
            last.insert(slot, before);
        }
    }
}

/// The next one, or the next that this reader may read.
fn follows_on(index: &Index<'_>, id: LogId, reader: Option<UserId>, before: u64, entry: &Seen) -> bool {
    if before.checked_add(1) == Some(entry.seq) {
        return true;
    }
    let readable = |log: &Log<'_>| {
        let readable = log.readable.get(&reader?)?;
        Some(entry.seq > before && readable.ranges.within(before + 1, entry.seq - 1).is_empty())
    };
    index.logs.get(&id).and_then(readable).unwrap_or(false)
}
