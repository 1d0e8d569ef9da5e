//! `parlor.chat.v1.PeopleService`.

use parlor_grpc_kit::caller;
use parlor_types::UserId;
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::people_service_server::PeopleService;
use parlor_wire::errors::v1::Problem;
use parlor_wire::{Invalid, id};
use tonic::{Request, Response, Status};

use super::answer;
use crate::edge;
use crate::people::{Action, People};

/// People in a page: where the client names no number, and at most.
const PEOPLE: (usize, usize) = (100, 200);

/// See the module.
#[derive(Clone)]
pub(crate) struct PeopleRpc {
    people: People,
}

impl PeopleRpc {
    pub(crate) fn new(people: People) -> Self {
        Self { people }
    }

    async fn act(&self, user: UserId, other: &str, action: Action) -> Result<Option<wire::Person>, Problem> {
        let other = id("user_id", other)?;
        if other == user {
            return Err(Invalid::field("user_id", "must not be yourself").into());
        }
        let person = self.people.act(user, other, action).await.map_err(edge::change_problem)?;
        Ok(Some(edge::person(&person)))
    }

    async fn list(
        &self,
        user: UserId,
        request: wire::ListPeopleRequest,
    ) -> Result<wire::ListPeopleResponse, Problem> {
        let filter = edge::filter(request.filter)?;
        let list = format!("people {filter:?} of {user}");
        let after = edge::decode_token(&list, &request.page_token)?;
        let size = match usize::try_from(request.page_size).unwrap_or(usize::MAX) {
            0 => PEOPLE.0,
            size => size.min(PEOPLE.1),
        };
        let people = self.people.list(user, filter, after, size + 1).await;
        let mut people = people.map_err(edge::read_problem)?;
        let more = people.len() > size;
        people.truncate(size);
        let next_page_token = match people.last() {
            Some(last) if more => edge::encode_token(&list, &last.user),
            _ => String::new(),
        };
        Ok(wire::ListPeopleResponse { people: people.iter().map(edge::person).collect(), next_page_token })
    }

    async fn change_privacy(
        &self,
        user: UserId,
        request: &wire::SetPrivacyRequest,
    ) -> Result<wire::SetPrivacyResponse, Problem> {
        let changes = edge::privacy_changes(request)?;
        let privacy = self.people.set_privacy(user, changes).await.map_err(edge::mark_problem)?;
        Ok(wire::SetPrivacyResponse { privacy: Some(edge::privacy(privacy)) })
    }
}

#[tonic::async_trait]
impl PeopleService for PeopleRpc {
    async fn request_contact(
        &self,
        request: Request<wire::RequestContactRequest>,
    ) -> Result<Response<wire::RequestContactResponse>, Status> {
        let user = caller(&request)?.user_id;
        let request = request.into_inner();
        let person = match edge::contact_note(&request.note) {
            Ok(note) => self.act(user, &request.user_id, Action::Request(note)).await,
            Err(invalid) => Err(invalid.into()),
        };
        answer(person.map(|person| wire::RequestContactResponse { person }))
    }

    async fn accept_contact(
        &self,
        request: Request<wire::AcceptContactRequest>,
    ) -> Result<Response<wire::AcceptContactResponse>, Status> {
        let user = caller(&request)?.user_id;
        let person = self.act(user, &request.get_ref().user_id, Action::Accept).await;
        answer(person.map(|person| wire::AcceptContactResponse { person }))
    }

    async fn remove_contact(
        &self,
        request: Request<wire::RemoveContactRequest>,
    ) -> Result<Response<wire::RemoveContactResponse>, Status> {
        let user = caller(&request)?.user_id;
        let person = self.act(user, &request.get_ref().user_id, Action::Remove).await;
        answer(person.map(|person| wire::RemoveContactResponse { person }))
    }

    async fn block_user(
        &self,
        request: Request<wire::BlockUserRequest>,
    ) -> Result<Response<wire::BlockUserResponse>, Status> {
        let user = caller(&request)?.user_id;
        let person = self.act(user, &request.get_ref().user_id, Action::Block).await;
        answer(person.map(|person| wire::BlockUserResponse { person }))
    }

    async fn unblock_user(
        &self,
        request: Request<wire::UnblockUserRequest>,
    ) -> Result<Response<wire::UnblockUserResponse>, Status> {
        let user = caller(&request)?.user_id;
        let person = self.act(user, &request.get_ref().user_id, Action::Unblock).await;
        answer(person.map(|person| wire::UnblockUserResponse { person }))
    }

    async fn list_people(
        &self,
        request: Request<wire::ListPeopleRequest>,
    ) -> Result<Response<wire::ListPeopleResponse>, Status> {
        let user = caller(&request)?.user_id;
        answer(self.list(user, request.into_inner()).await)
    }

    async fn get_privacy(
        &self,
        request: Request<wire::GetPrivacyRequest>,
    ) -> Result<Response<wire::GetPrivacyResponse>, Status> {
        let user = caller(&request)?.user_id;
        let privacy = self.people.privacy(user).await.map_err(edge::read_problem);
        answer(privacy.map(|privacy| wire::GetPrivacyResponse { privacy: Some(edge::privacy(privacy)) }))
    }

    async fn set_privacy(
        &self,
        request: Request<wire::SetPrivacyRequest>,
    ) -> Result<Response<wire::SetPrivacyResponse>, Status> {
        let user = caller(&request)?.user_id;
        answer(self.change_privacy(user, request.get_ref()).await)
    }
}
