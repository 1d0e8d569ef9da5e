//! A part of a log as a client asks for it, on the stream and by a call.

use parlor_types::{ConversationId, Seq, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::Problem;
use parlor_wire::{Invalid, id};

use crate::edge;
use crate::session::StreamLimits;
use crate::store::{Order, Slice, Store};

/// The highest seq there can be.
pub(crate) const LAST: Seq = Seq(u64::MAX >> 1);

/// Consecutive seqs; `to` 0 stands for the head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogPart {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl LogPart {
    /// The page of entries that begins there.
    pub(crate) async fn page(
        self,
        store: &dyn Store,
        limits: &StreamLimits,
        user: UserId,
        conversation_id: &str,
    ) -> Result<wire::LogPage, Problem> {
        let conversation: ConversationId = id("conversation_id", conversation_id)?;
        let page = store.read(user, conversation, self.slice(limits)?).await;
        let page = page.map_err(edge::read_problem)?.ok_or_else(edge::not_found)?;
        Ok(edge::log_page(conversation.to_string(), &page))
    }

    fn slice(self, limits: &StreamLimits) -> Result<Slice, Invalid> {
        if self.from == 0 {
            return Err(Invalid::field("from_seq", "must be at least 1"));
        }
        let to = if self.to == 0 { LAST } else { Seq(self.to).min(LAST) };
        let from = Seq(self.from);
        if from > to {
            return Err(Invalid::field("to_seq", "must not be below from_seq"));
        }
        let (max_entries, max_bytes) = (limits.page_entries, limits.page_bytes);
        Ok(Slice { from, to, order: Order::Ascending, across_gaps: false, max_entries, max_bytes })
    }
}
