//! The rules. Each says which guarantee it is of; none stops at the first thing wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use parlor_types::{ConversationId, Op, Seq};

use super::{Append, Fate, History, Holding, Line, Reading};

/// Violations told of; what is broken once is mostly broken often.
const TOLD: usize = 20;

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guarantee {
    /// What was acked is there.
    G1,
    /// Each append takes effect once.
    G2,
    /// One order without a gap, the same for every reader.
    G3,
    /// Acked before sent means a smaller seq; a lane keeps its order.
    G4,
    /// A member can get everything of its membership.
    G5,
    /// Nobody gets anything outside their membership.
    G7,
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What was promised.
    pub guarantee: Guarantee,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.guarantee, self.what)
    }
}

type Places<'a> = BTreeMap<Op, Vec<&'a Line>>;

impl History {
    /// Everything that is wrong.
    #[must_use]
    pub fn check(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut report = |guarantee, what| found.push(Violation { guarantee, what });
        for (conversation, log) in &self.logs {
            contiguous(*conversation, log, &mut report);
            let mut places = Places::new();
            for line in log {
                places.entry(line.op).or_default().push(line);
            }
            let appends: Vec<_> =
                self.appends.iter().filter(|(_, append)| append.conversation == *conversation).collect();
            for (op, append) in &appends {
                there_once(**op, append, places.get(op).map_or(&[], Vec::as_slice), &mut report);
            }
            in_order(&appends, &places, &mut report);
        }
        for (op, append) in &self.appends {
            if !self.logs.contains_key(&append.conversation) {
                report(Guarantee::G1, format!("nobody has read the log that {op} went to"));
            }
        }
        for reading in &self.readings {
            as_in_log(reading, self.log(reading.conversation), &mut report);
        }
        for holding in &self.holdings {
            complete(holding, self.log(holding.conversation), &mut report);
        }
        found
    }

    /// Panics with everything that is wrong.
    ///
    /// # Panics
    /// Something is wrong.
    pub fn assert_good(&self) {
        let found = self.check();
        let told: Vec<_> = found.iter().take(TOLD).map(ToString::to_string).collect();
        assert!(found.is_empty(), "{} violations:\n{}", found.len(), told.join("\n"));
    }

    fn log(&self, conversation: ConversationId) -> &[Line] {
        self.logs.get(&conversation).map_or(&[], Vec::as_slice)
    }
}

/// G3: 1, 2, 3, … without a gap.
fn contiguous(id: ConversationId, log: &[Line], report: &mut impl FnMut(Guarantee, String)) {
    for (line, expected) in log.iter().zip(1..) {
        if line.seq != Seq(expected) {
            report(Guarantee::G3, format!("log of {id}: {} stands where {expected} should", line.seq));
            return;
        }
    }
}

/// G1 and G2: what was acked is where it was acked; what is owed is there, and nothing is there twice.
fn there_once(op: Op, append: &Append, places: &[&Line], report: &mut impl FnMut(Guarantee, String)) {
    let Append { text, acks, fate, .. } = append;
    for (_, seq) in acks {
        if !places.iter().any(|line| line.seq == *seq) {
            report(Guarantee::G1, format!("{text:?} ({op}) was acked at {seq} and is not there"));
        }
    }
    if places.len() > 1 {
        let seqs: Vec<_> = places.iter().map(|line| line.seq).collect();
        report(Guarantee::G2, format!("{text:?} ({op}) is there {} times: {seqs:?}", places.len()));
    }
    if places.is_empty() && acks.is_empty() && *fate == Fate::Owed {
        report(Guarantee::G2, format!("{text:?} ({op}) was repeated to the end and is not there"));
    }
    if !places.is_empty() && *fate == Fate::Refused {
        report(Guarantee::G2, format!("{text:?} ({op}) was refused for good and is there"));
    }
    if acks.windows(2).any(|pair| pair[0].1 != pair[1].1) {
        report(Guarantee::G2, format!("{text:?} ({op}) was acked at different places: {acks:?}"));
    }
    for line in places.iter().filter(|line| line.text != *text) {
        report(Guarantee::G1, format!("{text:?} ({op}) is there as {:?}", line.text));
    }
}

/// G4, over one conversation.
fn in_order(appends: &[(&Op, &Append)], places: &Places<'_>, report: &mut impl FnMut(Guarantee, String)) {
    let place = |op: &Op| Some(places.get(op)?.first()?.seq);
    let mut by_lane: Vec<_> = appends
        .iter()
        .filter_map(|(op, append)| Some((&append.lane, append.place, place(op)?, append)))
        .collect();
    by_lane.sort_by_key(|(lane, number, ..)| (*lane, *number));
    for pair in by_lane.windows(2) {
        let [(lane, _, first, earlier), (other, _, second, later)] = pair else { continue };
        if lane == other && first > second {
            let (earlier, later) = (&earlier.text, &later.text);
            let what = format!("{lane} sent {earlier:?} before {later:?}; they are at {first} and {second}");
            report(Guarantee::G4, what);
        }
    }
    // The highest place acked so far, at each moment; whatever is asked later belongs above it.
    let mut acked: Vec<_> =
        appends.iter().flat_map(|(_, append)| append.acks.iter().map(move |ack| (ack, append))).collect();
    acked.sort_by_key(|((at, _), _)| *at);
    let mut asked: Vec<_> =
        appends.iter().filter_map(|(op, append)| Some((append.invoked, place(op)?, append))).collect();
    asked.sort_by_key(|(at, ..)| *at);
    let mut acked = acked.into_iter().peekable();
    let mut highest: Option<(Seq, &Append)> = None;
    for (invoked, seq, append) in asked {
        while let Some(((_, at), before)) = acked.next_if(|((at, _), _)| *at < invoked) {
            if highest.is_none_or(|(known, _)| *at > known) {
                highest = Some((*at, *before));
            }
        }
        if let Some((known, before)) = highest.filter(|(known, _)| *known > seq) {
            let (before, after) = (&before.text, &append.text);
            let what =
                format!("{before:?} was acked at {known} before {after:?} was asked, which is at {seq}");
            report(Guarantee::G4, what);
        }
    }
}

/// G3: the same for every reader, in order and without a gap.
fn as_in_log(reading: &Reading, log: &[Line], report: &mut impl FnMut(Guarantee, String)) {
    let Reading { reader, conversation, lines } = reading;
    for pair in lines.windows(2) {
        if pair[1].seq != pair[0].seq.next() {
            let what = format!("{reader} took in {} after {} of {conversation}", pair[1], pair[0]);
            report(Guarantee::G3, what);
        }
    }
    for line in lines {
        let index = usize::try_from(line.seq.previous().0).unwrap_or(usize::MAX);
        match log.get(index) {
            Some(there) if there == line => {}
            Some(there) => report(Guarantee::G3, format!("{reader} took in {line}, the log has {there}")),
            None => report(Guarantee::G1, format!("{reader} took in {line}, which is no longer in the log")),
        }
    }
}

/// G5 and G7: all of the ranges, and nothing else.
fn complete(holding: &Holding, log: &[Line], report: &mut impl FnMut(Guarantee, String)) {
    let Holding { reader, conversation, ranges, held } = holding;
    let may_read = |seq: &Seq| ranges.iter().any(|(from, to)| from <= seq && to.is_none_or(|to| *seq <= to));
    let expected: BTreeSet<_> = log.iter().map(|line| line.seq).filter(may_read).collect();
    let missing: Vec<_> = expected.difference(held).collect();
    if !missing.is_empty() {
        report(Guarantee::G5, format!("{reader} may read {missing:?} of {conversation} and has not got it"));
    }
    let beyond: Vec<_> = held.difference(&expected).collect();
    if !beyond.is_empty() {
        report(Guarantee::G7, format!("{reader} has {beyond:?} of {conversation} and may not read it"));
    }
}
