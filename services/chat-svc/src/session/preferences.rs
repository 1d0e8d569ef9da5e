//! Changes of preferences on one stream: one at a time, in their order.

use std::collections::VecDeque;
use std::sync::Arc;

use parlor_types::ConversationId;
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::server_frame::Kind as Out;
use parlor_wire::errors::v1::Problem;
use parlor_wire::id;

use super::Stream;
use super::machine::{Effect, Session};
use super::outbox::Weight;
use crate::edge;
use crate::log::Refusal;

/// Changes that wait for the one before them; more are refused.
const MAX_WAITING: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Preferring {
    waiting: VecDeque<wire::SetPreferences>,
    busy: bool,
}

impl Session {
    /// Puts changes in line.
    pub(super) fn set_preferences(&mut self, request: wire::SetPreferences) -> Vec<Effect> {
        if self.preferring.waiting.len() >= MAX_WAITING {
            let problem = edge::refusal_problem(Refusal::Overloaded);
            self.answer_preferences(request.request_id, Err(problem), Weight::Notice);
            return Vec::new();
        }
        self.preferring.waiting.push_back(request);
        self.next_preferences().into_iter().collect()
    }

    /// The next changes to make, if none are being made and there is room for the answer.
    pub(super) fn next_preferences(&mut self) -> Option<Effect> {
        if self.preferring.busy || !self.out.is_low() {
            return None;
        }
        let next = self.preferring.waiting.pop_front()?;
        self.preferring.busy = true;
        Some(Effect::Prefer(next))
    }

    /// What became of changes.
    pub fn preferred(&mut self, request: u64, result: Result<wire::Preferences, Problem>) {
        self.preferring.busy = false;
        if !self.has_ended() {
            self.answer_preferences(request, result, Weight::Step);
        }
    }

    fn answer_preferences(
        &mut self,
        request_id: u64,
        result: Result<wire::Preferences, Problem>,
        weight: Weight,
    ) {
        let outcome = Some(match result {
            Ok(preferences) => wire::preferences_result::Outcome::Preferences(preferences),
            Err(problem) => wire::preferences_result::Outcome::Problem(problem),
        });
        self.out.push(Out::PreferencesResult(wire::PreferencesResult { request_id, outcome }), weight);
    }
}

impl Stream {
    pub(super) async fn prefer(self: Arc<Self>, request: wire::SetPreferences) {
        let result = self.change_preferences(&request).await;
        self.tell(|session| session.preferred(request.request_id, result));
    }

    async fn change_preferences(&self, request: &wire::SetPreferences) -> Result<wire::Preferences, Problem> {
        let conversation: ConversationId = id("conversation_id", &request.conversation_id)?;
        let changes = edge::preference_changes(request.changes.as_ref())?;
        edge::preferred(self.deps.log.prefer(self.user(), conversation, changes, Some(self.id())).await)
    }
}
