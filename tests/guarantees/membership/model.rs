//! Who may read what, worked out from a whole log in the most naive way.

use std::collections::BTreeSet;

use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Entry, HistoryVisibility, Settings};

/// The seqs of `log` (all of it, from 1) that `user` may read.
pub fn readable(log: &[Entry], user: &str) -> BTreeSet<u64> {
    let mut may = BTreeSet::new();
    let (mut is_member, mut all_history) = (false, false);
    for entry in log {
        let names = |ids: &[String]| ids.iter().any(|id| id == user);
        let mut joins = false;
        let mut goes = false;
        match entry.kind() {
            Some(Kind::Created(created)) => {
                all_history = shows_all(created.settings.as_ref(), all_history);
                joins = names(&created.member_ids);
            }
            Some(Kind::Settings(settings)) => all_history = shows_all(Some(settings), all_history),
            Some(Kind::Add(add)) => joins = names(&add.user_ids),
            Some(Kind::Remove(remove)) => goes = names(&remove.user_ids),
            Some(Kind::Leave(_)) => goes = entry.sender_id == user,
            _ => {}
        }
        if joins {
            is_member = true;
            if all_history {
                may.extend(1..entry.seq);
            }
        }
        if is_member {
            may.insert(entry.seq);
        }
        if goes {
            is_member = false;
        }
    }
    may
}

fn shows_all(settings: Option<&Settings>, before: bool) -> bool {
    match settings.map(Settings::history_visibility) {
        Some(HistoryVisibility::All) => true,
        Some(HistoryVisibility::FromJoin) => false,
        _ => before,
    }
}

/// Panics if `user` got an entry that is not theirs, or not as the owner has it.
pub fn only_readable(by: &str, user: &str, got: &[Entry], log: &[Entry]) {
    let may = readable(log, user);
    for entry in got {
        assert!(may.contains(&entry.seq), "G7: by {by}, {user} got {} and may read {may:?}", entry.seq);
        let index = usize::try_from(entry.seq - 1).expect("a short log");
        assert_eq!(*entry, log[index], "G3: by {by}, {user} got another entry than the owner");
    }
}
