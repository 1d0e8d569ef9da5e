//! G7: nobody takes in anything outside a readable range, after a removal, or later than a second after the end of the
//! session was answered.

use std::collections::{HashMap, HashSet};

use parlor_types::{SessionId, UserId};

use super::index::Index;
use super::log::{Log, LogId};
use super::{Evidence, Guarantee, Report};
use crate::{Event, Nanos, Seen};

/// How long a session may go on after its end was answered.
const ENDS_WITHIN: Nanos = 1_000_000_000;

pub fn check(index: &Index<'_>, report: &mut Report) {
    let removals: HashMap<_, _> = index.logs.iter().map(|(id, log)| (*id, removals(log))).collect();
    // Once for each entry and user: that many clients of one user have it tells nothing more.
    let mut told = HashSet::new();
    for (at, conversation, seen) in index.sightings() {
        let (id, Some(user)) = (index.log_id(at, conversation), index.who[at].user) else { continue };
        if let Some((what, because)) = forbidden(index, &removals[&id], id, user, seen)
            && told.insert((id, user, seen.seq))
        {
            let what = format!("{} took in {} of {conversation}, {what}", index.lines[at].client, seen.seq);
            report.broken(Guarantee::G7, what, [Evidence { line: at, seq: Some(seen.seq) }, because]);
        }
    }
    revoked(index, report);
}

/// Who was removed where, and, if at all, where they came back.
type Removals = HashMap<UserId, Vec<(u64, Option<u64>)>>;

fn removals(log: &Log<'_>) -> Removals {
    let mut all = Removals::new();
    for (seq, known) in &log.entries {
        for user in &known.first.removed {
            all.entry(*user).or_default().push((*seq, None));
        }
        for user in &known.first.added {
            if let Some((_, back @ None)) = all.get_mut(user).and_then(|times| times.last_mut()) {
                *back = Some(*seq);
            }
        }
    }
    all
}

fn forbidden(
    index: &Index<'_>,
    removals: &Removals,
    id: LogId,
    user: UserId,
    seen: &Seen,
) -> Option<(String, Evidence)> {
    let log = index.logs.get(&id)?;
    let readable = log.readable.get(&user);
    if let Some(readable) = readable.filter(|readable| !readable.ranges.contains(seen.seq)) {
        return Some(("which its user may not read".to_owned(), readable.line.into()));
    }
    let is_within = |(gone, back): &&(u64, Option<u64>)| match back {
        // Whether who comes back may read what was said meanwhile, the readable range says.
        Some(back) => readable.is_none() && (gone + 1..*back).contains(&seen.seq),
        None => seen.seq > *gone,
    };
    let (gone, _) = removals.get(&user)?.iter().find(is_within)?;
    Some((format!("and its user was removed at {gone}"), log.entries[gone].at))
}

fn revoked(index: &Index<'_>, report: &mut Report) {
    let mut ended: HashMap<SessionId, (usize, Nanos)> = HashMap::new();
    let mut told: HashSet<SessionId> = HashSet::new();
    for (at, line) in index.lines.iter().enumerate() {
        if let Event::Revoked { session } = line.event {
            ended.entry(session).or_insert((at, line.at));
            continue;
        }
        let Some(session) = index.who[at].session else { continue };
        let Some((revoked, when)) = ended.get(&session) else { continue };
        let late = line.at.saturating_sub(*when);
        if line.event.came() && late > ENDS_WITHIN && told.insert(session) {
            let what = format!("{} was served {late} ns after the end of {session}", line.client);
            report.broken(Guarantee::G7, what, [(*revoked).into(), at.into()]);
        }
    }
}
