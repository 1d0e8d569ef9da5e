//! Carrying out what a user says of their typing.

use std::sync::Arc;
use std::time::Instant;

use parlor_types::{ConversationId, UserId};

use super::Stream;
use crate::edge;
use crate::typing::{Activity, Ask, Said, Told};

impl Stream {
    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.deps.clock.now()
    }

    /// Somebody types whom the user may see, or no longer does.
    pub fn typing(self: &Arc<Self>, told: &Told) {
        let now = self.now();
        self.tell(|session| session.typing(now, told));
    }

    /// See [`Session::typing_over`](super::Session::typing_over).
    pub fn typing_over(self: &Arc<Self>, conversation: ConversationId, typist: Option<UserId>) {
        self.tell(|session| session.typing_over(conversation, typist));
    }

    pub(super) fn types(self: Arc<Self>, conversation: ConversationId, activity: Option<Activity>) {
        match self.deps.router.typing(self.now(), self.user(), conversation, activity) {
            Said::Ask(ask) => drop(tokio::spawn(self.find_audience(ask))),
            Said::NotThere => self.typing_not_there(),
            Said::Nothing | Said::Tell(_) => {}
        }
    }

    fn typing_not_there(self: &Arc<Self>) {
        self.tell(|session| session.refused("set_typing", edge::not_found()));
    }

    async fn find_audience(self: Arc<Self>, ask: Ask) {
        match self.deps.store.audience(ask.typist, ask.conversation).await {
            Ok(audience) => {
                if audience.is_none() {
                    self.typing_not_there();
                }
                self.deps.router.audience_found(self.now(), ask, audience);
            }
            // Nobody sees it this once.
            Err(_) => self.deps.router.audience_unknown(ask),
        }
    }
}
