//! Conversations by unary calls: the list, one row, the log, new ones.

use std::time::SystemTime;

use parlor_types::{ConversationId, Id as _, Op, Seq, UserId};
use parlor_wire::chat::v1::get_conversation_request::Conversation as Which;
use parlor_wire::chat::v1::list_messages_request::{Conversation as Listed, Start};
use parlor_wire::chat::v1::{
    Conversation, ConversationKind, CreateConversationRequest, Direction, FetchRequest, GetBadgeRequest,
    GetBadgeResponse, GetConversationRequest, GetConversationResponse, GetReceiptsRequest,
    GetReceiptsResponse, ListConversationsRequest, ListMessagesRequest, LogPage, MarkReadRequest, Marks,
    PreferenceChanges, Preferences, SetPreferencesRequest, Settings, SyncRequest,
};
use parlor_wire::to_time;

use super::Client;
use super::session::Access;
use crate::core::{Mutation, by_user};
use crate::error::Error;
use crate::store::{Badge, Store};

/// Rows in one page of the chat list.
const ROWS: u32 = 100;

impl Client {
    /// One row of the chat list.
    ///
    /// # Errors
    /// As `ChatService.GetConversation`.
    pub async fn conversation(&self, id: ConversationId) -> Result<Conversation, Error> {
        let request = which(id);
        let call =
            async |access: Access| access.chat().get_conversation(access.request(request.clone())).await;
        let answer = self.session.call(call).await?;
        self.heard(id, answer).await
    }

    /// As [`Client::conversation`], without patience.
    pub(super) async fn conversation_once(&self, id: ConversationId) -> Result<Conversation, Error> {
        let request = which(id);
        let call =
            async |access: Access| access.chat().get_conversation(access.request(request.clone())).await;
        let answer = self.session.call_once(call).await?;
        self.heard(id, answer).await
    }

    /// Keeps what an append needs to know: which life of the store this is, and the head.
    async fn heard(
        &self,
        id: ConversationId,
        answer: GetConversationResponse,
    ) -> Result<Conversation, Error> {
        let row = answer.conversation.ok_or(Error::Answer("a conversation"))?;
        let head = Seq(row.head);
        let generation = answer.generation.clone();
        self.stored(move |store| {
            if store.meet_generation(&answer.generation)? {
                tracing::warn!("the server was restored from a backup: what was held is forgotten");
            }
            store.raise_head(id, head)
        })
        .await?;
        self.session.note(|record| {
            record.generation(&generation);
            record.head(id, head.0);
        });
        self.generation_met.store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(row)
    }

    /// The whole chat list, latest activity first.
    ///
    /// # Errors
    /// As `ChatService.ListConversations`.
    pub async fn conversations(&self) -> Result<Vec<Conversation>, Error> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListConversationsRequest { page_size: ROWS, page_token };
            let call = async |access: Access| {
                access.chat().list_conversations(access.request(request.clone())).await
            };
            let page = self.session.call(call).await?;
            all.extend(page.conversations);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(all);
            }
        }
    }

    /// The direct conversation with `user`; made if there is none.
    ///
    /// # Errors
    /// As `ChatService.CreateConversation`.
    pub async fn direct(&self, user: UserId) -> Result<ConversationId, Error> {
        let id = ConversationId::direct(self.me().await?, user);
        if self.stored(move |store| store.conversation(id)).await?.is_some() {
            return Ok(id);
        }
        let request = CreateConversationRequest {
            op: Op::new().to_string(),
            kind: ConversationKind::Direct.into(),
            member_ids: vec![user.to_string()],
            ..CreateConversationRequest::default()
        };
        let made = self.create(request).await?;
        ConversationId::parse(&made.id).ok_or(Error::Answer("a conversation id"))
    }

    /// Makes a group with the caller as its owner.
    ///
    /// # Errors
    /// As `ChatService.CreateConversation`.
    pub async fn create_group(
        &self,
        name: &str,
        members: &[UserId],
        settings: Option<Settings>,
    ) -> Result<Conversation, Error> {
        self.create(CreateConversationRequest {
            op: Op::new().to_string(),
            kind: ConversationKind::Group.into(),
            name: name.to_owned(),
            member_ids: members.iter().map(ToString::to_string).collect(),
            settings,
        })
        .await
    }

    async fn create(&self, request: CreateConversationRequest) -> Result<Conversation, Error> {
        let call =
            async |access: Access| access.chat().create_conversation(access.request(request.clone())).await;
        self.session.call(call).await?.conversation.ok_or(Error::Answer("a conversation"))
    }

    /// A page of the log, lowest first: entries from `from` to `to`, both included; 0 for `to` means the head. Nothing
    /// of it is saved.
    ///
    /// # Errors
    /// As `ChatService.Fetch`.
    pub async fn fetch(&self, id: ConversationId, from: Seq, to: Seq) -> Result<LogPage, Error> {
        let request = fetch_request(id, from, to);
        let call = async |access: Access| access.chat().fetch(access.request(request.clone())).await;
        let page = self.session.call(call).await?.page.ok_or(Error::Answer("a page"))?;
        self.session.note(|record| record.page(id, &page));
        Ok(page)
    }

    /// The first message at `time` or after it, as far as is held here, or else as the server has it; none if there is none.
    ///
    /// # Errors
    /// As `ChatService.ListMessages`.
    pub async fn first_since(&self, id: ConversationId, time: SystemTime) -> Result<Option<Seq>, Error> {
        if let Some(held) = self.stored(move |store| store.first_since(id, time)).await? {
            return Ok(held);
        }
        let request = ListMessagesRequest {
            conversation: Some(Listed::ConversationId(id.to_string())),
            direction: Direction::Newer.into(),
            start: Some(Start::Time(to_time(time))),
            page_size: 1,
            page_token: String::new(),
        };
        let call = async |access: Access| access.chat().list_messages(access.request(request.clone())).await;
        let found = self.session.call(call).await?.messages;
        Ok(found.into_iter().find_map(|message| message.entry).map(|entry| Seq(entry.seq)))
    }

    /// Raises the read mark.
    ///
    /// # Errors
    /// As `ChatService.MarkRead`.
    pub async fn mark_read(&self, id: ConversationId, seq: Seq) -> Result<Marks, Error> {
        let request = MarkReadRequest { conversation_id: id.to_string(), seq: seq.0 };
        let call = async |access: Access| access.chat().mark_read(access.request(request.clone())).await;
        let marks = self.session.call(call).await?.marks.ok_or(Error::Answer("marks"))?;
        self.stored(move |store| store.apply(&[Mutation::Read(id, Seq(marks.read))])).await?;
        Ok(marks)
    }

    /// Changes how this user wants to have a conversation, and waits for the answer. A program with a live connection
    /// says it there: [`Live::set_preferences`](super::Live::set_preferences).
    ///
    /// # Errors
    /// As `ChatService.SetPreferences`.
    pub async fn set_preferences(
        &self,
        id: ConversationId,
        changes: PreferenceChanges,
    ) -> Result<Preferences, Error> {
        let request =
            SetPreferencesRequest { conversation_id: id.to_string(), changes: Some(changes.clone()) };
        let call =
            async |access: Access| access.chat().set_preferences(access.request(request.clone())).await;
        let preferences = self.session.call(call).await?.preferences.ok_or(Error::Answer("preferences"))?;
        let heard = preferences.clone();
        self.stored(move |store| store.preferences_answered(id, &changes, &heard)).await?;
        Ok(preferences)
    }

    /// Who has received and read the entry at `seq`, as the server has it. What is known here is in
    /// [`Store::receipts`](crate::store::Store::receipts).
    ///
    /// # Errors
    /// As `ChatService.GetReceipts`.
    pub async fn receipts(&self, id: ConversationId, seq: Seq) -> Result<GetReceiptsResponse, Error> {
        let request = GetReceiptsRequest { conversation_id: id.to_string(), seq: seq.0 };
        let call = async |access: Access| access.chat().get_receipts(access.request(request.clone())).await;
        let answer = self.session.call(call).await?;
        let marks = by_user(&answer.members);
        self.stored(move |store| store.apply(&[Mutation::Marks(id, marks)])).await?;
        Ok(answer)
    }

    /// The numbers for an app's badge, as the server has them. Those known here are in
    /// [`Store::badge`](crate::store::Store::badge).
    ///
    /// # Errors
    /// As `ChatService.GetBadge`.
    pub async fn badge(&self) -> Result<Badge, Error> {
        let call = async |access: Access| access.chat().get_badge(access.request(GetBadgeRequest {})).await;
        let GetBadgeResponse { unread, unread_mentions, conversations } = self.session.call(call).await?;
        Ok(Badge { unread, unread_mentions, conversations })
    }

    /// Brings the chat list, people and settings of the store up to date without a stream, as a phone does that a push
    /// woke. Entries are not fetched: the next stream brings them.
    ///
    /// # Errors
    /// As `ChatService.Sync`.
    pub async fn sync(&self) -> Result<(), Error> {
        let cursor = self.stored(Store::load).await?.cursor;
        let mut page_token = String::new();
        loop {
            let begins = cursor.is_empty() && page_token.is_empty();
            let request = SyncRequest { cursor: cursor.clone(), page_token };
            let call = async |access: Access| access.chat().sync(access.request(request.clone())).await;
            let page = self.session.call(call).await?;
            page_token = page.next_page_token.clone();
            self.stored(move |store| store.keep_sync(page, begins)).await?;
            if page_token.is_empty() {
                return Ok(());
            }
        }
    }
}

fn which(id: ConversationId) -> GetConversationRequest {
    GetConversationRequest { conversation: Some(Which::ConversationId(id.to_string())) }
}

pub(super) fn fetch_request(id: ConversationId, from: Seq, to: Seq) -> FetchRequest {
    FetchRequest { conversation_id: id.to_string(), from_seq: from.0, to_seq: to.0 }
}
