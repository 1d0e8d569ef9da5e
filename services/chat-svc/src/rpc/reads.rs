//! Calls that read.

use parlor_types::{ConversationId, Seq, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::Problem;
use parlor_wire::{Invalid, id, time};

use super::Chat;
use crate::edge;
use crate::reading::{LAST, LogPart};
use crate::store::{Changed, Commit, Order, Slice};

/// Messages in a page, where the client names no number.
const MESSAGES: usize = 50;
/// Rows of the chat list in a page: where the client names no number, and at most.
pub(super) const ROWS: (usize, usize) = (50, 100);

impl Chat {
    pub(super) async fn row(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<wire::Conversation, Problem> {
        let rows = self.deps.store.rows(user, vec![conversation]).await;
        let rows = rows.map_err(edge::read_problem)?;
        rows.first().map(edge::row).ok_or_else(edge::not_found)
    }

    pub(super) async fn fetch_page(
        &self,
        user: UserId,
        request: wire::FetchRequest,
    ) -> Result<wire::FetchResponse, Problem> {
        let part = LogPart { from: request.from_seq, to: request.to_seq };
        let page =
            part.page(self.deps.store.as_ref(), &self.deps.limits, user, &request.conversation_id).await?;
        Ok(wire::FetchResponse { page: Some(page), generation: self.generation() })
    }

    pub(super) async fn messages(
        &self,
        user: UserId,
        request: wire::ListMessagesRequest,
    ) -> Result<wire::ListMessagesResponse, Problem> {
        use wire::list_messages_request::{Conversation, Start};
        let conversation = match &request.conversation {
            Some(Conversation::ConversationId(text)) => id("conversation_id", text)?,
            Some(Conversation::WithUserId(text)) => ConversationId::direct(user, id("with_user_id", text)?),
            None => return Err(Invalid::field("conversation", "must be set").into()),
        };
        let order = match request.direction() {
            wire::Direction::Newer => Order::Ascending,
            wire::Direction::Older | wire::Direction::Unspecified => Order::Descending,
        };
        let list = format!("messages {conversation} {order:?}");
        let start = match (edge::decode_token::<u64>(&list, &request.page_token)?, request.start) {
            (Some(position), _) => Some(Seq(position)),
            (None, Some(Start::Seq(seq))) => Some(Seq(seq)),
            (None, Some(Start::Time(at))) => Some(self.at(conversation, order, time("time", at)?).await?),
            (None, None) => None,
        };
        let size = usize::try_from(request.page_size).unwrap_or(usize::MAX);
        let slice = Slice {
            from: if order == Order::Ascending { start.unwrap_or(Seq::FIRST) } else { Seq::FIRST },
            to: if order == Order::Descending { start.unwrap_or(LAST).min(LAST) } else { LAST },
            order,
            across_gaps: true,
            max_entries: if size == 0 { MESSAGES } else { size.min(self.deps.limits.page_entries) },
            max_bytes: self.deps.limits.page_bytes,
        };
        let page = self.deps.store.read(user, conversation, slice).await;
        let page = page.map_err(edge::read_problem)?.ok_or_else(edge::not_found)?;
        Ok(wire::ListMessagesResponse {
            messages: page
                .entries
                .iter()
                .map(|entry| wire::Message { entry: Some(edge::entry(entry)) })
                .collect(),
            next_page_token: page.next.map(|seq| edge::encode_token(&list, &seq.0)).unwrap_or_default(),
        })
    }

    /// Where reading begins for a time: at or after it going up, before it going down.
    async fn at(
        &self,
        conversation: ConversationId,
        order: Order,
        time: std::time::SystemTime,
    ) -> Result<Seq, Problem> {
        let seq = self.deps.store.seq_at(conversation, time).await;
        let seq = seq.map_err(edge::read_problem)?;
        Ok(if order == Order::Ascending { seq } else { seq.previous() })
    }

    pub(super) async fn one_row(
        &self,
        user: UserId,
        request: wire::GetConversationRequest,
    ) -> Result<wire::GetConversationResponse, Problem> {
        use wire::get_conversation_request::Conversation;
        let conversation = match &request.conversation {
            Some(Conversation::ConversationId(text)) => id("conversation_id", text)?,
            Some(Conversation::WithUserId(text)) => ConversationId::direct(user, id("with_user_id", text)?),
            None => return Err(Invalid::field("conversation", "must be set").into()),
        };
        let conversation = Some(self.row(user, conversation).await?);
        Ok(wire::GetConversationResponse { conversation, generation: self.generation() })
    }

    pub(super) async fn chat_list(
        &self,
        user: UserId,
        request: wire::ListConversationsRequest,
    ) -> Result<wire::ListConversationsResponse, Problem> {
        let size = match usize::try_from(request.page_size).unwrap_or(usize::MAX) {
            0 => ROWS.0,
            size => size.min(ROWS.1),
        };
        let rows = self.rows_page(user, Commit(0), "conversations", &request.page_token, size).await?;
        Ok(wire::ListConversationsResponse {
            conversations: rows.conversations,
            next_page_token: rows.next_page_token,
        })
    }

    /// Rows changed since a commit. All pages are as of the first: what changes meanwhile is in the next list.
    pub(super) async fn rows_page(
        &self,
        user: UserId,
        since: Commit,
        list: &str,
        token: &str,
        size: usize,
    ) -> Result<RowsPage, Problem> {
        let list = format!("{list} of {user}");
        let position = edge::decode_token::<(Commit, Changed)>(&list, token)?;
        let changed = self.deps.store.changed(user, since).await;
        let (now, mut changed) = changed.map_err(edge::read_problem)?;
        let as_of = position.map_or(now, |(as_of, _)| as_of);
        if let Some((_, last)) = position {
            let key = |row: &Changed| (std::cmp::Reverse(row.activity), row.id);
            changed.retain(|row| key(row) > key(&last));
        }
        let more = changed.len() > size;
        changed.truncate(size);
        let next_page_token = match changed.last() {
            Some(last) if more => edge::encode_token(&list, &(as_of, *last)),
            _ => String::new(),
        };
        let ids = changed.iter().map(|changed| changed.id).collect();
        let rows = self.deps.store.rows(user, ids).await;
        let rows = rows.map_err(edge::read_problem)?;
        Ok(RowsPage { as_of, conversations: rows.iter().map(edge::row).collect(), next_page_token })
    }

    pub(super) fn generation(&self) -> String {
        self.deps.store.generation().to_string()
    }
}

pub(super) struct RowsPage {
    pub(super) as_of: Commit,
    pub(super) conversations: Vec<wire::Conversation>,
    pub(super) next_page_token: String,
}
