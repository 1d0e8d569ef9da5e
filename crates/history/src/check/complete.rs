//! G5 and G7: in the end each client holds all of what it may read, and nothing else; and it holds nothing that it never took
//! in in this life of the store.

use super::index::Index;
use super::log::{Held, Log, LogId};
use super::{Evidence, Guarantee, Report};
use crate::stretches::Stretches;

pub fn check(index: &Index<'_>, report: &mut Report) {
    for (id, log) in &index.logs {
        for held in &log.held {
            check_one(*id, log, held, report);
        }
    }
}

fn check_one(id: LogId, log: &Log<'_>, held: &Held<'_>, report: &mut Report) {
    let (name, conversation) = (held.name, id.conversation);
    let readable = held.user.and_then(|user| log.readable.get(&user));
    let everything = Stretches::of([(1, u64::MAX)]);
    let may_read = readable.map_or(&everything, |readable| &readable.ranges);
    let shown = [Some(held.line.into()), readable.map(|readable| readable.line.into())];
    let shown = || shown.into_iter().flatten();

    let head = log.head_before(held.line);
    let low = if held.whole { 1 } else { held.ranges.first().unwrap_or(head.saturating_add(1)) };
    let missing = may_read.within(low, head).without(&held.ranges);
    if let Some(seq) = missing.first() {
        let what = format!("{name} may read {missing} of {conversation} and has not got it");
        report.broken(Guarantee::G5, what, shown().chain(somebody(log, seq)));
    }
    let beyond = held.ranges.without(may_read);
    if !beyond.is_empty() {
        let what = format!("{name} has {beyond} of {conversation} and may not read it");
        report.broken(Guarantee::G7, what, shown());
    }
    let taken_in = log.taken_in.get(&held.client);
    let never = taken_in.map_or_else(|| held.ranges.clone(), |taken_in| held.ranges.without(taken_in));
    if !never.is_empty() {
        let what = format!("{name} says that it has {never} of {conversation} and never took it in");
        report.broken(Guarantee::G5, what, [held.line.into()]);
    }
}

/// Whoever knew of this entry.
fn somebody(log: &Log<'_>, seq: u64) -> Option<Evidence> {
    let seen = log.entries.get(&seq).map(|known| known.at);
    let acked = || log.acked.get(&seq).map(|line| Evidence::from(*line));
    // Of a hole that nobody saw into: who saw beyond it.
    seen.or_else(acked).or_else(|| log.entries.range(seq..).next().map(|(_, known)| known.at))
}
