//! G6: marks never go back, and are never beyond what their owner has.

use std::collections::{HashMap, HashSet};

use parlor_types::{ConversationId, UserId};

use super::index::Index;
use super::log::LogId;
use super::{Guarantee, Report};
use crate::{Event, Seen};

pub fn check(index: &Index<'_>, report: &mut Report) {
    // What each client was told last of each user.
    let mut told: HashMap<(u32, LogId, UserId), (usize, u64, u64)> = HashMap::new();
    // The highest seq that any client of a user had, in any life of the store: a backup brings its marks back.
    let mut had: HashMap<(ConversationId, UserId), u64> = HashMap::new();
    let recorded: HashSet<_> = index.who.iter().filter_map(|who| who.user).collect();
    for (at, line) in index.lines.iter().enumerate() {
        let who = index.who[at];
        match &line.event {
            Event::Applied { conversation, entries } | Event::Page { conversation, entries } => {
                let (Some(user), Some(last)) = (who.user, entries.last()) else { continue };
                let had = had.entry((*conversation, user)).or_default();
                *had = last.seq.max(*had);
            }
            Event::Resumed { conversation, to, .. } => {
                let Some(user) = who.user else { continue };
                let had = had.entry((*conversation, user)).or_default();
                *had = (*to).max(*had);
            }
            Event::Marks { conversation, user, received, read } => {
                let id = index.log_id(at, *conversation);
                let before = told.entry((who.client, id, *user)).or_insert((at, 0, 0));
                let is_back = |now: u64, was: u64| now > 0 && now < was;
                if is_back(*received, before.1) || is_back(*read, before.2) {
                    let what =
                        format!("the marks of {user} in {conversation} went back to {received}, {read}");
                    report.broken(Guarantee::G6, what, [before.0.into(), at.into()]);
                }
                let kept = |now: u64, was: u64| if now > 0 { now } else { was };
                *before = (at, kept(*received, before.1), kept(*read, before.2));
                let had = had.get(&(*conversation, *user)).copied().unwrap_or(0);
                let highest = *received.max(read);
                let is_known = || id.life == index.last_life || has(index, id, highest);
                if recorded.contains(user)
                    && highest > had
                    && is_known()
                    && highest > given_to(index, id, *user, highest)
                {
                    let what =
                        format!("{user} is said to have {highest} of {conversation}, and has {had} at most");
                    report.broken(Guarantee::G6, what, [at.into()]);
                }
            }
            _ => {}
        }
    }
}

/// Whether anybody saw this entry. What a restore took away before anybody saw it may have been written by anybody.
fn has(index: &Index<'_>, id: LogId, seq: u64) -> bool {
    index.logs.get(&id).is_some_and(|log| log.entries.contains_key(&seq))
}

/// The highest seq up to `limit` that a user wrote, or that made it a member: one has read what one writes, and what was
/// there before is not unread.
fn given_to(index: &Index<'_>, id: LogId, user: UserId, limit: u64) -> u64 {
    let entries = index.logs.get(&id).map(|log| log.entries.range(..=limit).rev());
    let is_theirs = |seen: &Seen| seen.sender == user || seen.added.contains(&user);
    let own = entries.and_then(|mut entries| entries.find(|(_, known)| is_theirs(known.first)));
    own.map_or(0, |(seq, _)| *seq)
}
