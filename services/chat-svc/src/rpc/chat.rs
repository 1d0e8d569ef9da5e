//! `parlor.chat.v1.ChatService`: which call goes where.

use std::sync::Arc;

use parlor_grpc_kit::caller;
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::chat_service_server::ChatService;
use tonic::{Request, Response, Status, Streaming};

use super::answer;
use super::streams::{Outgoing, await_hello, read_inbound};
use crate::session::{Deps, Stream};

/// See the module.
#[derive(Clone)]
pub(crate) struct Chat {
    pub(super) deps: Deps,
}

impl Chat {
    pub(crate) fn new(deps: Deps) -> Self {
        Self { deps }
    }
}

#[tonic::async_trait]
impl ChatService for Chat {
    type ConnectStream = Outgoing<wire::ConnectResponse>;
    type SubscribeStream = Outgoing<wire::SubscribeResponse>;

    async fn connect(
        &self,
        request: Request<Streaming<wire::ConnectRequest>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let caller = caller(&request)?;
        let stream = Stream::open(caller.user_id, caller.session_id, self.deps.clone());
        tokio::spawn(await_hello(Arc::downgrade(&stream), self.deps.limits.hello_within));
        tokio::spawn(read_inbound(request.into_inner(), stream.clone()));
        Ok(Response::new(Outgoing::new(stream)))
    }

    async fn subscribe(
        &self,
        request: Request<wire::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let caller = caller(&request)?;
        let stream = Stream::open(caller.user_id, caller.session_id, self.deps.clone());
        super::streams::subscribe(&stream, request.into_inner());
        Ok(Response::new(Outgoing::new(stream)))
    }

    async fn push(
        &self,
        request: Request<wire::PushRequest>,
    ) -> Result<Response<wire::PushResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.pushed(&caller, request.into_inner()))
    }

    async fn create_conversation(
        &self,
        request: Request<wire::CreateConversationRequest>,
    ) -> Result<Response<wire::CreateConversationResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.create(caller.user_id, request.into_inner()).await)
    }

    async fn append(
        &self,
        request: Request<wire::AppendRequest>,
    ) -> Result<Response<wire::AppendResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.append_one(caller.user_id, request.into_inner()).await)
    }

    async fn fetch(
        &self,
        request: Request<wire::FetchRequest>,
    ) -> Result<Response<wire::FetchResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.fetch_page(caller.user_id, request.into_inner()).await)
    }

    async fn list_messages(
        &self,
        request: Request<wire::ListMessagesRequest>,
    ) -> Result<Response<wire::ListMessagesResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.messages(caller.user_id, request.into_inner()).await)
    }

    async fn get_conversation(
        &self,
        request: Request<wire::GetConversationRequest>,
    ) -> Result<Response<wire::GetConversationResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.one_row(caller.user_id, request.into_inner()).await)
    }

    async fn list_conversations(
        &self,
        request: Request<wire::ListConversationsRequest>,
    ) -> Result<Response<wire::ListConversationsResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.chat_list(caller.user_id, request.into_inner()).await)
    }

    async fn sync(
        &self,
        request: Request<wire::SyncRequest>,
    ) -> Result<Response<wire::SyncResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.sync_page(caller.user_id, request.into_inner()).await)
    }

    async fn mark_received(
        &self,
        request: Request<wire::MarkReceivedRequest>,
    ) -> Result<Response<wire::MarkReceivedResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let marks = self.marked(caller.user_id, &request.conversation_id, request.seq, false).await;
        answer(marks.map(|marks| wire::MarkReceivedResponse { marks: Some(marks) }))
    }

    async fn mark_read(
        &self,
        request: Request<wire::MarkReadRequest>,
    ) -> Result<Response<wire::MarkReadResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let marks = self.marked(caller.user_id, &request.conversation_id, request.seq, true).await;
        answer(marks.map(|marks| wire::MarkReadResponse { marks: Some(marks) }))
    }

    async fn get_receipts(
        &self,
        request: Request<wire::GetReceiptsRequest>,
    ) -> Result<Response<wire::GetReceiptsResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.receipts_of(caller.user_id, request.into_inner()).await)
    }

    async fn set_preferences(
        &self,
        request: Request<wire::SetPreferencesRequest>,
    ) -> Result<Response<wire::SetPreferencesResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.preferred(caller.user_id, request.into_inner()).await)
    }

    async fn get_badge(
        &self,
        request: Request<wire::GetBadgeRequest>,
    ) -> Result<Response<wire::GetBadgeResponse>, Status> {
        let caller = caller(&request)?;
        answer(self.badge(caller.user_id).await)
    }
}
