//! Changes of preferences on one stream: one at a time, in their order, and in order with the marks of the conversation:
//! a mark that rises changes preferences too, so those said before go first, and those said after wait.

use std::collections::VecDeque;
use std::sync::Arc;

use parlor_runtime::limiter::{Limiter, Rate};
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
use crate::preferences::PreferenceChanges;
use crate::receipts::Marks;

/// Changes that wait for the one before them; more are refused.
const MAX_WAITING: usize = 16;
/// How fast changes are made; those that come faster wait. As a person going through a long list.
pub(crate) const RATE: Rate = Rate { burst: 100, per_second: 10.0 };

/// See the module.
#[derive(Debug)]
pub(super) struct Preferring {
    waiting: VecDeque<Waiting>,
    made: Limiter<()>,
    busy: bool,
    /// The conversation whose preferences are being changed, if it is one.
    under_way: Option<ConversationId>,
}

#[derive(Debug)]
struct Waiting {
    request: wire::SetPreferences,
    conversation: Option<ConversationId>,
    /// What was said of the conversation before, and is not being written.
    marks: Option<Marks>,
}

impl Default for Preferring {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), made: Limiter::new(1), busy: false, under_way: None }
    }
}

impl Preferring {
    /// Whether marks of a conversation have to wait for changes that were said before them.
    pub(super) fn holds(&self, conversation: ConversationId) -> bool {
        let waiting = self.waiting.iter().filter_map(|waiting| waiting.conversation);
        waiting.chain(self.under_way).any(|held| held == conversation)
    }

    /// Forgets the changes that wait; gives the marks that were to go before them.
    pub(super) fn clear(&mut self) -> Vec<(ConversationId, Marks)> {
        self.under_way = None;
        let waiting = self.waiting.drain(..);
        waiting.filter_map(|waiting| Some((waiting.conversation?, waiting.marks?))).collect()
    }
}

impl Session {
    /// Puts changes in line.
    pub(super) fn set_preferences(&mut self, request: wire::SetPreferences) -> Vec<Effect> {
        if self.preferring.waiting.len() >= MAX_WAITING {
            let problem = edge::refusal_problem(Refusal::Overloaded);
            self.answer_preferences(request.request_id, Err(problem), Weight::Notice);
            return Vec::new();
        }
        let conversation = id("conversation_id", &request.conversation_id).ok();
        let marks = conversation.and_then(|conversation| self.marks.remove(&conversation));
        self.preferring.waiting.push_back(Waiting { request, conversation, marks });
        self.next_preferences().into_iter().collect()
    }

    /// The next changes to make, if neither changes nor marks are being written, there is room for the answer, and enough
    /// time has passed.
    pub(super) fn next_preferences(&mut self) -> Option<Effect> {
        if self.preferring.busy || self.marking || !self.out.is_low() {
            return None;
        }
        if self.preferring.waiting.is_empty() {
            return None;
        }
        self.preferring.made.take((), RATE, self.now).ok()?;
        let Waiting { request, conversation, marks } = self.preferring.waiting.pop_front()?;
        self.preferring.busy = true;
        self.preferring.under_way = conversation;
        Some(Effect::Prefer(request, conversation.zip(marks)))
    }

    /// What became of changes.
    pub fn preferred(&mut self, request: u64, result: Result<wire::Preferences, Problem>) {
        self.preferring.busy = false;
        self.preferring.under_way = None;
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
    /// Writes the marks, if any, and then the changes.
    pub(super) async fn prefer(
        self: Arc<Self>,
        request: wire::SetPreferences,
        marks: Option<(ConversationId, Marks)>,
    ) {
        if let Some(marks) = marks {
            let refused = self.write_marks(&[marks]).await;
            self.tell(|session| session.marks_refused(refused));
        }
        let request_id = request.request_id;
        match changes(&request) {
            Err(problem) => self.tell(|session| session.preferred(request_id, Err(problem))),
            Ok((conversation, changes)) => {
                let (stream, by) = (Arc::clone(&self), Some(self.id()));
                let reply = move |result| {
                    stream.tell(|session| session.preferred(request_id, edge::preferred(result)));
                };
                self.deps.log.prefer_then(self.user(), conversation, changes, by, Box::new(reply));
            }
        }
    }
}

fn changes(request: &wire::SetPreferences) -> Result<(ConversationId, PreferenceChanges), Problem> {
    let conversation = id("conversation_id", &request.conversation_id)?;
    Ok((conversation, edge::preference_changes(request.changes.as_ref())?))
}
