//! What users do about each other, in few words.

use parlor_testkit::StreamClient;
use parlor_wire::chat::v1::server_frame::Kind as Frame;
use parlor_wire::chat::v1::{
    AcceptContactRequest, BlockUserRequest, GetPrivacyRequest, ListPeopleRequest, PeopleFilter, Person,
    Privacy, Relation, RemoveContactRequest, RequestContactRequest, SetPrivacyRequest, UnblockUserRequest,
};
use tonic::Status;

use crate::support::User;

impl User {
    pub async fn request(&self, other: &User, note: &str) -> Result<Person, Status> {
        let request = RequestContactRequest { user_id: other.id(), note: note.to_owned() };
        let answer = self.people.clone().request_contact(request).await?;
        Ok(answer.into_inner().person.expect("a person"))
    }

    pub async fn accept(&self, other: &User) -> Result<Person, Status> {
        let answer = self.people.clone().accept_contact(AcceptContactRequest { user_id: other.id() }).await?;
        Ok(answer.into_inner().person.expect("a person"))
    }

    pub async fn remove(&self, other: &User) -> Result<Person, Status> {
        let answer = self.people.clone().remove_contact(RemoveContactRequest { user_id: other.id() }).await?;
        Ok(answer.into_inner().person.expect("a person"))
    }

    pub async fn block(&self, other: &User) -> Person {
        let answer = self.people.clone().block_user(BlockUserRequest { user_id: other.id() }).await;
        answer.expect("whoever exists can be blocked").into_inner().person.expect("a person")
    }

    pub async fn unblock(&self, other: &User) -> Person {
        let answer = self.people.clone().unblock_user(UnblockUserRequest { user_id: other.id() }).await;
        answer.expect("a block can be ended").into_inner().person.expect("a person")
    }

    pub async fn befriend(&self, other: &User) {
        self.request(other, "").await.expect("a request");
        other.accept(self).await.expect("a friendship");
    }

    /// All of them, in one page.
    pub async fn listed(&self, filter: PeopleFilter) -> Vec<Person> {
        let request = ListPeopleRequest { filter: filter.into(), ..ListPeopleRequest::default() };
        self.people.clone().list_people(request).await.expect("a list").into_inner().people
    }

    pub async fn set_privacy(&self, request: SetPrivacyRequest) -> Privacy {
        let answer = self.people.clone().set_privacy(request).await.expect("settings");
        answer.into_inner().privacy.expect("settings")
    }

    pub async fn privacy(&self) -> Privacy {
        let answer = self.people.clone().get_privacy(GetPrivacyRequest {}).await.expect("settings");
        answer.into_inner().privacy.expect("settings")
    }
}

/// The next change of a person: who, what they are, the note, and whether they are blocked.
pub async fn told(stream: &mut StreamClient) -> (String, Relation, String, bool) {
    let person = stream.find("a SyncPerson", |frame| match frame {
        Frame::SyncPerson(changed) => changed.person.clone(),
        _ => None,
    });
    let person = person.await;
    (person.user_id.clone(), person.relation(), person.note, person.blocked)
}
