//! Rounds of collection: condemn, ask both, delete what neither uses and nobody has claimed meanwhile.
//!
//! A state machine without a clock or I/O. Nothing that it remembers is needed for safety: after a crash the next one
//! begins anew, and what the last one condemned is condemned again or claimed.

use std::collections::BTreeSet;

use parlor_types::MediaId;

use crate::references::{Unanswered, Witness};
use crate::store::Round;

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// It is time for a round.
    Begin(Round),
    /// These are condemned; there may be more.
    Condemned {
        /// Which.
        ids: Vec<MediaId>,
        /// As many as there may be in a round.
        full: bool,
    },
    /// A witness has said which of them it uses.
    Answered(Witness, Result<BTreeSet<MediaId>, Unanswered>),
    /// The store has forgotten these.
    Collected(Vec<MediaId>),
    /// Something could not be done.
    Failed,
}

/// What is to be done; what comes of it is an [`Input`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Condemn what may be collected.
    Condemn(Round),
    /// Ask a witness which of them it uses.
    Ask(Witness, Vec<MediaId>),
    /// End the round.
    Collect {
        /// The round.
        round: Round,
        /// Neither uses these.
        unused: Vec<MediaId>,
        /// One of them does.
        used: Vec<MediaId>,
    },
    /// Delete the bytes of these. Nothing comes of it: what cannot be deleted is swept.
    Delete(Vec<MediaId>),
    /// Begin another round at once.
    Again,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Condemning(Round),
    Asking {
        round: Round,
        ids: Vec<MediaId>,
        full: bool,
        chat: Option<BTreeSet<MediaId>>,
        auth: Option<BTreeSet<MediaId>>,
    },
    Collecting {
        full: bool,
    },
}

/// See the module.
#[derive(Debug, Default)]
pub struct Collector {
    state: State,
}

impl Collector {
    /// Takes in what has happened.
    #[must_use]
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        match (std::mem::take(&mut self.state), input) {
            (State::Idle, Input::Begin(round)) => {
                self.state = State::Condemning(round);
                vec![Effect::Condemn(round)]
            }
            (State::Condemning(round), Input::Condemned { ids, full }) if !ids.is_empty() => {
                let ask = |witness| Effect::Ask(witness, ids.clone());
                let effects = vec![ask(Witness::Chat), ask(Witness::Auth)];
                self.state = State::Asking { round, ids, full, chat: None, auth: None };
                effects
            }
            (State::Asking { round, ids, full, chat, auth }, Input::Answered(witness, Ok(used))) => {
                let (chat, auth) = match witness {
                    Witness::Chat => (Some(used), auth),
                    Witness::Auth => (chat, Some(used)),
                };
                let (Some(by_chat), Some(by_auth)) = (&chat, &auth) else {
                    self.state = State::Asking { round, ids, full, chat, auth };
                    return Vec::new();
                };
                let (used, unused) =
                    ids.into_iter().partition(|id| by_chat.contains(id) || by_auth.contains(id));
                self.state = State::Collecting { full };
                vec![Effect::Collect { round, unused, used }]
            }
            (State::Collecting { full }, Input::Collected(ids)) => {
                let delete = (!ids.is_empty()).then_some(Effect::Delete(ids));
                delete.into_iter().chain(full.then_some(Effect::Again)).collect()
            }
            // A round is going on already.
            (state, Input::Begin(_)) => {
                self.state = state;
                Vec::new()
            }
            // Nothing to do, or it cannot be done now: the next round begins anew.
            (_, Input::Condemned { .. } | Input::Answered(..) | Input::Collected(_) | Input::Failed) => {
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests;
