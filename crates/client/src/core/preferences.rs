//! Preferences of one's own: saved, sent when the stream is live, resent until answered.
//!
//! Each conversation has one set of changes that waits, saved with each change and merged field by field. While an
//! answer is awaited, what is changed further waits for the next turn. A set that is refused as a whole is taken apart
//! and goes field by field, so that only the one at fault is given up.

use std::collections::BTreeMap;

use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::{
    PreferenceChanges, Preferences, PreferencesResult, SetPreferences, preferences_result,
};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::{Retry, meaning};

use super::changes::{count, first, is_empty, merge, remove};
use super::message::{Effects, Event, Mutation, Now};
use super::verdict::retry_after;
use super::{Core, backoff, say};

/// Sets on their way at once.
const MAX_IN_FLIGHT: usize = 8;

/// What waits to be told to the server.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    last_request: u64,
    in_flight: BTreeMap<u64, ConversationId>,
    waiting: BTreeMap<ConversationId, Wish>,
}

/// The changes of one conversation.
#[derive(Debug, Default)]
struct Wish {
    /// All that is not answered: what is saved.
    all: PreferenceChanges,
    /// The part of it that was sent on this stream.
    sent: Option<PreferenceChanges>,
    /// What was changed since that was sent: it stays when the answer comes.
    later: PreferenceChanges,
    /// The read mark that the server was told before that: it has heard it when it answers.
    read_said: Seq,
    one_by_one: bool,
    not_before: Option<Now>,
    /// Refusals in a row that only time can mend.
    failures: u32,
}

impl Wish {
    fn answered(&mut self, sent: &PreferenceChanges) {
        remove(&mut self.all, sent);
        merge(&mut self.all, &std::mem::take(&mut self.later));
    }
}

impl Wishes {
    pub fn restored(saved: Vec<(ConversationId, PreferenceChanges)>) -> Self {
        let waiting = saved.into_iter().map(|(id, all)| (id, Wish { all, ..Wish::default() })).collect();
        Self { waiting, ..Self::default() }
    }

    /// Whatever was on its way is sent again.
    pub fn leave_stream(&mut self) {
        self.in_flight.clear();
        for wish in self.waiting.values_mut() {
            wish.sent = None;
            wish.later = PreferenceChanges::default();
            wish.not_before = None;
        }
    }

    /// None while there is no room: an answer makes some.
    pub fn deadline(&self) -> Option<Now> {
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            return None;
        }
        self.waiting.values().filter(|wish| wish.sent.is_none()).filter_map(|wish| wish.not_before).min()
    }

    /// The read mark was perhaps not taken after all.
    pub fn forget_read(&mut self, id: ConversationId, refused: Seq) {
        if let Some(wish) = self.waiting.get_mut(&id).filter(|wish| wish.read_said <= refused) {
            wish.read_said = Seq::default();
        }
    }

    fn marked_unread(&self, id: ConversationId) -> Option<bool> {
        self.waiting.get(&id).and_then(|wish| wish.all.marked_unread)
    }
}

impl Core {
    pub(super) fn on_set_preferences(
        &mut self,
        id: ConversationId,
        changes: &PreferenceChanges,
        fx: &mut Effects,
    ) {
        if is_empty(changes) {
            return;
        }
        let wish = self.wishes.waiting.entry(id).or_default();
        merge(&mut wish.all, changes);
        if wish.sent.is_some() {
            merge(&mut wish.later, changes);
        }
        fx.save.push(Mutation::Wish(id, Box::new(wish.all.clone())));
        fx.tell.push(Event::Conversation { conversation: id, new: false });
    }

    /// Whoever opens a conversation takes away the mark that called them back.
    pub(super) fn clear_marked_unread(&mut self, id: ConversationId, fx: &mut Effects) {
        let by_row = self.conversations.get(&id).is_some_and(|known| known.marked_unread);
        if self.wishes.marked_unread(id).unwrap_or(by_row) {
            let changes = PreferenceChanges { marked_unread: Some(false), ..PreferenceChanges::default() };
            self.on_set_preferences(id, &changes, fx);
        }
    }

    pub(super) fn pump_preferences(&mut self, now: Now, fx: &mut Effects) {
        let ready = |wish: &Wish| wish.sent.is_none() && wish.not_before.is_none_or(|at| at <= now);
        let room = MAX_IN_FLIGHT.saturating_sub(self.wishes.in_flight.len());
        let due: Vec<_> = self
            .wishes
            .waiting
            .iter()
            .filter(|(_, wish)| ready(wish))
            .map(|(id, _)| *id)
            .take(room)
            .collect();
        for id in due {
            self.say_read(id, fx); // a mark that rises takes marked_unread away: it must not come after
            let Some(wish) = self.wishes.waiting.get_mut(&id) else { continue };
            let changes = if wish.one_by_one { first(&wish.all) } else { wish.all.clone() };
            wish.not_before = None;
            wish.read_said = self.conversations.get(&id).map_or_else(Seq::default, |known| known.read_said);
            wish.sent = Some(changes.clone());
            self.wishes.last_request += 1;
            let request_id = self.wishes.last_request;
            self.wishes.in_flight.insert(request_id, id);
            let (conversation_id, changes) = (id.to_string(), Some(changes));
            say(fx, Kind::SetPreferences(SetPreferences { request_id, conversation_id, changes }));
        }
    }

    pub(super) fn on_preferences_result(&mut self, now: Now, result: PreferencesResult, fx: &mut Effects) {
        let Some(id) = self.wishes.in_flight.remove(&result.request_id) else { return };
        let Some(sent) = self.wishes.waiting.get_mut(&id).and_then(|wish| wish.sent.take()) else { return };
        match result.outcome {
            Some(preferences_result::Outcome::Preferences(preferences)) => {
                self.on_preferences(id, &sent, preferences, fx);
            }
            Some(preferences_result::Outcome::Problem(problem)) => {
                self.on_preferences_refused(now, id, &sent, problem, fx);
            }
            None => {
                let problem = Problem { reason: ErrorReason::Internal.into(), ..Problem::default() };
                self.on_preferences_refused(now, id, &sent, problem, fx);
            }
        }
    }

    fn on_preferences(
        &mut self,
        id: ConversationId,
        sent: &PreferenceChanges,
        mut preferences: Preferences,
        fx: &mut Effects,
    ) {
        let Some(wish) = self.wishes.waiting.get_mut(&id) else { return };
        wish.failures = 0;
        let read_said = wish.read_said;
        self.raise_read(id, read_said, fx);
        if let Some(conversation) = self.conversations.get_mut(&id) {
            conversation.hear_preferences(conversation.read, &mut preferences);
        }
        fx.save.push(Mutation::Preferences(id, Box::new(preferences)));
        self.end_wish(id, sent, fx);
    }

    fn on_preferences_refused(
        &mut self,
        now: Now,
        id: ConversationId,
        sent: &PreferenceChanges,
        problem: Problem,
        fx: &mut Effects,
    ) {
        let Some(wish) = self.wishes.waiting.get_mut(&id) else { return };
        if meaning(problem.reason()).1 == Retry::Same {
            wish.later = PreferenceChanges::default(); // it is in what is sent next
            wish.not_before = Some(now + backoff::wait(&mut self.rng, wish.failures, retry_after(&problem)));
            wish.failures += 1;
            return;
        }
        if count(sent) > 1 {
            wish.later = PreferenceChanges::default();
            wish.one_by_one = true;
            return;
        }
        let answers = sent.draft.as_ref().is_some_and(|draft| draft.reply_to != Seq::default().0);
        if problem.reason() == ErrorReason::SeqAhead && answers && wish.later.draft.is_none() {
            // What it answers is gone. The text is not.
            if let Some(draft) = &mut wish.all.draft {
                draft.reply_to = Seq::default().0;
            }
            wish.later = PreferenceChanges::default();
            fx.save.push(Mutation::Wish(id, Box::new(wish.all.clone())));
            return;
        }
        let changes = Box::new(sent.clone());
        self.end_wish(id, sent, fx);
        fx.tell.push(Event::PreferencesRefused { conversation: id, changes, problem });
    }

    fn end_wish(&mut self, id: ConversationId, sent: &PreferenceChanges, fx: &mut Effects) {
        let Some(wish) = self.wishes.waiting.get_mut(&id) else { return };
        wish.answered(sent);
        fx.save.push(Mutation::Wish(id, Box::new(wish.all.clone())));
        if is_empty(&wish.all) {
            self.wishes.waiting.remove(&id);
        }
        fx.tell.push(Event::Conversation { conversation: id, new: false });
    }
}
