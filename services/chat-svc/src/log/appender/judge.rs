//! What becomes of a draft, given what is known of its conversation. Pure.

use std::time::SystemTime;

use parlor_types::{Seq, limits};

use super::targets::Targets;
use super::{Published, Rules};
use crate::conversation::{Content, Forbidden, Kind, State};
use crate::log::recent::Recent;
use crate::log::{Appended, Draft, Entry, Lane, OpRow, Refusal};
use crate::store::{NewEntry, Snapshot};

/// What is known of a conversation: its state and its newest ops.
#[derive(Debug)]
pub(super) struct Hot {
    /// `None` before the first entry.
    pub(super) state: Option<State>,
    recent: Recent,
    pub(super) targets: Targets,
}

/// What becomes of a draft.
pub(super) enum Verdict {
    Stored(Appended),
    InThisBatch(Seq),
    Refused(Refusal),
    /// Dedupe needs rows that are not here.
    Unknown,
    /// The message it is about has to be looked up.
    Unlooked,
    Accepted(Content),
}

impl Hot {
    pub(super) fn new(snapshot: Option<Snapshot>) -> Self {
        match snapshot {
            Some(snapshot) => {
                let recent = Recent::new(snapshot.before, snapshot.rows);
                Self { state: Some(snapshot.state), recent, targets: Targets::default() }
            }
            None => Self { state: None, recent: Recent::default(), targets: Targets::default() },
        }
    }

    pub(super) fn head(&self) -> Seq {
        self.state.as_ref().map_or(Seq(0), |state| state.head)
    }

    /// `stored`: up to here the log is in the store; above it lies the batch being made.
    pub(super) fn judge(&self, draft: &Draft, stored: Seq, wall: SystemTime, rules: &Rules) -> Verdict {
        if let Some(verdict) = self.find(draft, stored) {
            return verdict;
        }
        let head = self.head();
        let Some(state) = &self.state else { return judge_first(draft, rules.max_members) };
        if !state.members.contains_key(&draft.sender) {
            // Of a stranger's append there can be no earlier copy; of an ex-member's there can.
            let known = draft.base >= self.recent.before() || self.recent.before() == Seq(0);
            return if known || draft.base > head || head.0 - draft.base.0 > limits::MAX_DEDUPE_SPAN {
                Verdict::Refused(Refusal::NotFound)
            } else {
                Verdict::Unknown
            };
        }
        if draft.base > head {
            return Verdict::Refused(Refusal::BaseAhead);
        }
        if matches!(draft.content, Content::Created { .. }) {
            return Verdict::Refused(Refusal::Forbidden(Forbidden::Exists));
        }
        if head.0 - draft.base.0 > limits::MAX_DEDUPE_SPAN {
            return Verdict::Refused(Refusal::TooOld);
        }
        if draft.base < self.recent.before() {
            return Verdict::Unknown;
        }
        if !lane_is_in_order(draft) {
            return Verdict::Refused(Refusal::OutOfOrder);
        }
        let content = match authorise(state, draft, rules.max_members) {
            Ok(content) => content,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        match draft.target {
            Some(target) => self.judge_change(state, draft, target, wall, rules, content),
            None => Verdict::Accepted(content),
        }
    }

    fn judge_change(
        &self,
        state: &State,
        draft: &Draft,
        place: Seq,
        wall: SystemTime,
        rules: &Rules,
        content: Content,
    ) -> Verdict {
        if place > state.head {
            return Verdict::Refused(Refusal::Forbidden(Forbidden::TargetNotFound));
        }
        let Some(target) = self.targets.find((draft.sender, place)) else { return Verdict::Unlooked };
        match state.may_change(draft.sender, &content, target, wall, rules.edit_window) {
            Ok(()) => Verdict::Accepted(content),
            Err(forbidden) => Verdict::Refused(Refusal::Forbidden(forbidden)),
        }
    }

    /// The append this is a repetition of, if it is one.
    fn find(&self, draft: &Draft, stored: Seq) -> Option<Verdict> {
        let same_pair = |row: &OpRow| {
            let direct = matches!(draft.content, Content::Created { kind: Kind::Direct, .. });
            let member = self.state.as_ref().is_some_and(|state| state.members.contains_key(&draft.sender));
            (direct && member).then_some(row.clone())
        };
        let row = match self.recent.find(draft.sender, draft.op) {
            Some(row) if !row.digest.fits(draft.digest) => return Some(Verdict::Refused(Refusal::OpReused)),
            Some(row) => row.clone(),
            None => self.recent.first().and_then(same_pair)?,
        };
        Some(if row.seq > stored {
            Verdict::InThisBatch(row.seq)
        } else {
            Verdict::Stored(row.appended(draft.conversation, true))
        })
    }

    /// Moves the state ahead by one entry.
    pub(super) fn accept(
        &mut self,
        draft: &Draft,
        content: Content,
        wall: SystemTime,
    ) -> (NewEntry, Published) {
        let (changes, receivers) = match (&mut self.state, &content) {
            (Some(state), content) => {
                let changes = state.apply(draft.sender, content, wall.max(state.time));
                let receivers = state.receivers(&changes);
                (changes, receivers)
            }
            (empty, Content::Created { kind, name, members, settings }) => {
                let (state, changes) =
                    State::created(draft.sender, *kind, name.clone(), members, *settings, wall);
                let receivers = state.audience();
                *empty = Some(state);
                (changes, receivers)
            }
            (None, _) => unreachable_first(),
        };
        let (seq, number, time) =
            self.state.as_ref().map_or((Seq::FIRST, 0, wall), |state| (state.head, state.number, state.time));
        let entry = Entry {
            conversation: draft.conversation,
            seq,
            number,
            op: draft.op,
            sender: draft.sender,
            time,
            target: draft.target,
            rev: Seq(0),
            reply_to: draft.reply_to,
            thread_root: None,
            mentions: draft.mentions.clone(),
            labels: draft.labels.clone(),
            content,
        };
        self.targets.accept(&entry, &changes);
        let published = Published::new(entry.clone(), receivers, &changes);
        let new = NewEntry { entry, digest: draft.digest, changes };
        self.recent.push(new.row());
        (new, published)
    }
}

/// What a conversation that is not there yet makes of a draft.
fn judge_first(draft: &Draft, max_members: usize) -> Verdict {
    let Content::Created { kind, name, members, settings } = &draft.content else {
        return Verdict::Refused(Refusal::NotFound);
    };
    if draft.base > Seq(0) {
        return Verdict::Refused(Refusal::BaseAhead);
    }
    if !lane_is_in_order(draft) {
        return Verdict::Refused(Refusal::OutOfOrder);
    }
    let mut all = vec![draft.sender];
    for user in members {
        if !all.contains(user) {
            all.push(*user);
        }
    }
    if *kind == Kind::Group && all.len() > max_members {
        return Verdict::Refused(Refusal::Forbidden(Forbidden::Full));
    }
    if draft.mentions.iter().any(|user| !all.contains(user)) {
        return Verdict::Refused(Refusal::MentionNotFound);
    }
    if draft.reply_to.is_some() {
        return Verdict::Refused(Refusal::ReplyNotFound);
    }
    Verdict::Accepted(Content::Created { kind: *kind, name: name.clone(), members: all, settings: *settings })
}

fn authorise(state: &State, draft: &Draft, max_members: usize) -> Result<Content, Refusal> {
    let content = state.propose(draft.sender, &draft.content, max_members).map_err(Refusal::Forbidden)?;
    if draft.reply_to.is_some_and(|seq| seq > state.head) {
        return Err(Refusal::ReplyNotFound);
    }
    if !state.has_members(&draft.mentions) {
        return Err(Refusal::MentionNotFound);
    }
    Ok(content)
}

pub(super) fn lane_is_in_order(draft: &Draft) -> bool {
    draft.lane.as_ref().is_none_or(Lane::is_in_order)
}

fn unreachable_first() -> ! {
    unreachable!("judge_first accepts only Created, and judge nothing else without a state")
}
