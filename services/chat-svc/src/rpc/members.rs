//! Calls about receipts, preferences and badges.

use parlor_types::{ConversationId, Seq, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::Problem;
use parlor_wire::{Invalid, id};

use super::Chat;
use crate::edge;
use crate::receipts::Marks;
use crate::store::Reached;

impl Chat {
    pub(super) async fn marked(
        &self,
        user: UserId,
        conversation_id: &str,
        seq: u64,
        read: bool,
    ) -> Result<wire::Marks, Problem> {
        let conversation: ConversationId = id("conversation_id", conversation_id)?;
        let marks = Marks { received: Seq(seq), read: if read { Seq(seq) } else { Seq(0) } };
        let marked = self.deps.log.mark(user, &[(conversation, marks)], None).await;
        let marked = marked.map_err(edge::mark_problem)?.into_iter().next();
        marked.map_or_else(|| Err(edge::not_found()), edge::marked)
    }

    pub(super) async fn receipts_of(
        &self,
        user: UserId,
        request: wire::GetReceiptsRequest,
    ) -> Result<wire::GetReceiptsResponse, Problem> {
        let conversation: ConversationId = id("conversation_id", &request.conversation_id)?;
        let reached = self.deps.store.reached(user, conversation, Seq(request.seq)).await;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        match reached.map_err(edge::read_problem)? {
            Reached::By { received, read, members } => Ok(wire::GetReceiptsResponse {
                received_count: number(received),
                read_count: number(read),
                members: edge::member_marks(&members),
            }),
            Reached::Ahead => Err(edge::seq_ahead()),
            Reached::Unreadable => Err(Invalid::field("seq", "must be an entry that you may read").into()),
            Reached::NotFound => Err(edge::not_found()),
        }
    }

    pub(super) async fn preferred(
        &self,
        user: UserId,
        request: wire::SetPreferencesRequest,
    ) -> Result<wire::SetPreferencesResponse, Problem> {
        let conversation: ConversationId = id("conversation_id", &request.conversation_id)?;
        let changes = edge::preference_changes(request.changes.as_ref())?;
        let preferences = edge::preferred(self.deps.log.prefer(user, conversation, changes, None).await)?;
        Ok(wire::SetPreferencesResponse { preferences: Some(preferences) })
    }

    pub(super) async fn badge(&self, user: UserId) -> Result<wire::GetBadgeResponse, Problem> {
        let badge = self.deps.store.badge(user, self.deps.clock.wall()).await;
        badge.map(edge::badge).map_err(edge::read_problem)
    }
}
