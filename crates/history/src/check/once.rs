//! G1 and G2: what was acked is where it was acked; what is owed is there, nothing is there twice, and what was refused is
//! not there.

use parlor_types::Op;

use super::index::{Append, Index};
use super::log::{Log, LogId};
use super::{Evidence, Guarantee, Report};

pub fn check(index: &Index<'_>, report: &mut Report) {
    for (op, append) in &index.appends {
        let Some(invoked) = append.invoked else {
            let answers = append.acks.iter().map(|(line, _)| *line).chain(append.failed).chain(append.owed);
            let what = format!("{op} was answered, and nobody asked for it");
            report.broken(Guarantee::G2, what, answers.take(1).map(Evidence::from));
            continue;
        };
        is_where_it_was_acked(index, *op, append, report);
        let acked = |failed: usize| append.acks.iter().find(|(acked, _)| in_one_life(index, failed, *acked));
        if let Some(failed) = append.failed
            && let Some((acked, _)) = acked(failed)
        {
            let what = format!("{op} was refused for good, and acked");
            report.broken(Guarantee::G2, what, [invoked.line, failed, *acked].map(Evidence::from));
        }
        if let Some(owed) = append.owed.filter(|_| append.acks.is_empty())
            && let id = index.log_id(owed, invoked.conversation)
            && !index.logs.get(&id).is_some_and(|log| log.ops.contains_key(op))
        {
            let what = format!("{op} was repeated to the end and is not there");
            report.broken(Guarantee::G2, what, [invoked.line, owed].map(Evidence::from));
        }
    }
    for (id, log) in &index.logs {
        each_once(index, *id, log, report);
    }
}

fn is_where_it_was_acked(index: &Index<'_>, op: Op, append: &Append<'_>, report: &mut Report) {
    let Some(invoked) = append.invoked else { return };
    for (line, seq) in &append.acks {
        let log = index.log(*line, invoked.conversation).expect("an ack makes the log known");
        let shown = [invoked.line, *line].map(Evidence::from);
        match log.entries.get(seq) {
            Some(known) if known.first.op == op => {}
            Some(known) => {
                let what = format!("{op} was acked at {seq}, where {} is", known.first.op);
                report.broken(Guarantee::G1, what, shown.into_iter().chain([known.at]));
            }
            None => {
                // Who read all of it afterwards would have seen it.
                let whole = log.held.iter().find(|held| held.whole && held.line > *line);
                let is_last = index.who[*line].life == index.last_life;
                let what = match whole {
                    Some(held) => {
                        format!("{op} was acked at {seq}, and {} read everything without it", held.name)
                    }
                    None if is_last => {
                        let conversation = invoked.conversation;
                        format!(
                            "{op} was acked at {seq}, and nobody has read {conversation} to its end since"
                        )
                    }
                    // What a restore has taken away was not promised.
                    None => continue,
                };
                let whole = whole.map(|held| held.line.into());
                report.broken(Guarantee::G1, what, shown.into_iter().chain(whole));
            }
        }
        let other = append
            .acks
            .iter()
            .find(|(at, other)| at < line && other != seq && in_one_life(index, *at, *line));
        if let Some((before, other)) = other {
            let what = format!("{op} was acked at {other}, and at {seq}");
            report.broken(Guarantee::G2, what, [invoked.line, *before, *line].map(Evidence::from));
        }
    }
}

fn in_one_life(index: &Index<'_>, one: usize, other: usize) -> bool {
    index.who[one].life == index.who[other].life
}

fn each_once(index: &Index<'_>, id: LogId, log: &Log<'_>, report: &mut Report) {
    for (op, seqs) in &log.ops {
        let append = index.appends.get(op);
        let at = |seq: &u64| log.entries[seq].at;
        if let [first, second, ..] = seqs[..] {
            let what = format!("{op} is in {} at {first} and at {second}", id.conversation);
            report.broken(Guarantee::G2, what, [at(&first), at(&second)]);
        }
        let Some(invoked) = append.and_then(|append| append.invoked) else { continue };
        let known = &log.entries[&seqs[0]];
        let failed = append.and_then(|append| append.failed);
        // What was there may be refused after a restore.
        if let Some(failed) = failed.filter(|line| index.who[*line].life == id.life) {
            let what = format!("{op} was refused for good and is at {}", seqs[0]);
            report.broken(Guarantee::G2, what, [invoked.line.into(), failed.into(), known.at]);
        }
        if let (Some(asked), Some(there)) = (invoked.content, known.original())
            && asked != there
        {
            let what = format!("{op} was to say {asked:?} and says {there:?}");
            report.broken(Guarantee::G1, what, [invoked.line.into(), known.at]);
        }
        let sender = index.who[invoked.line].user;
        if invoked.conversation != id.conversation || sender.is_some_and(|user| user != known.first.sender) {
            let (wanted, is) = (invoked.conversation, id.conversation);
            let what = format!("{op} was to be in {wanted} and is in {is}, of {}", known.first.sender);
            report.broken(Guarantee::G1, what, [invoked.line.into(), known.at]);
        }
    }
}
