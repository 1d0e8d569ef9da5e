//! G4: acked before asked means a smaller seq, and what one client sends to one conversation keeps its order.

use std::collections::HashMap;

use super::index::Index;
use super::log::Log;
use super::{Guarantee, Report};

/// An append that is in the log.
struct Placed {
    seq: u64,
    asked: usize,
    asked_at: u64,
    /// Nobody knows when it was sent: by an older copy of the client that asked for it.
    recalled: bool,
}

pub fn check(index: &Index<'_>, report: &mut Report) {
    for log in index.logs.values() {
        let mut placed: Vec<Placed> = log
            .ops
            .iter()
            .filter_map(|(op, seqs)| {
                let append = index.appends.get(op)?;
                let asked = append.invoked?.line;
                let asked_at = index.lines[asked].at;
                Some(Placed { seq: *seqs.first()?, asked, asked_at, recalled: append.recalled })
            })
            .collect();
        placed.sort_unstable_by_key(|placed| placed.asked);
        lanes(index, &placed, report);
        after_acks(index, log, &placed, report);
    }
}

fn lanes(index: &Index<'_>, placed: &[Placed], report: &mut Report) {
    let mut last: HashMap<u32, &Placed> = HashMap::new();
    for later in placed.iter().filter(|placed| !placed.recalled) {
        let Some(earlier) = last.insert(index.who[later.asked].client, later) else { continue };
        if earlier.seq > later.seq {
            let client = &index.lines[later.asked].client;
            let what = format!("{client} sent what is at {} before what is at {}", earlier.seq, later.seq);
            report.broken(Guarantee::G4, what, [earlier.asked.into(), later.asked.into()]);
        }
    }
}

/// The highest seq acked so far, at each moment; whatever is asked later belongs above it.
fn after_acks(index: &Index<'_>, log: &Log<'_>, placed: &[Placed], report: &mut Report) {
    let mut acks: Vec<(u64, usize)> = log.acked.iter().map(|(seq, line)| (*seq, *line)).collect();
    acks.sort_unstable_by_key(|(_, line)| *line);
    let mut acks = acks.into_iter().peekable();
    let mut highest: Option<(u64, usize)> = None;
    for placed in placed {
        while let Some(ack) = acks.next_if(|(_, line)| index.lines[*line].at < placed.asked_at) {
            highest = highest.max(Some(ack));
        }
        if let Some((seq, line)) = highest.filter(|(seq, _)| *seq > placed.seq) {
            let what = format!("{seq} was acked before {} was asked for", placed.seq);
            report.broken(Guarantee::G4, what, [line.into(), placed.asked.into()]);
        }
    }
}
